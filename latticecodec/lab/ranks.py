"""Processes that train one model together, as torchrun starts them: which one this is, and what they tell each other.

All of them call what is said to be for all together, in the same order. Numbers on the processor go by gloo, tensors on
a GPU by nccl.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..errors import LcqError, TrainingError

TOLD_BY = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # the environment of torchrun's processes
PATIENCE = timedelta(hours=6)  # with which the others wait for the first, which validates alone
BROKEN = ("gloo", "Connection", "NCCL")  # in errors of what goes between processes


@dataclass(frozen=True)
class Ranks:
    """Process `index` of `count`."""

    index: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that prints, validates and writes."""
        return self.index == 0

    @property
    def alone(self) -> bool:
        """Whether there are no others."""
        return self.count == 1

    def own(self, count: int) -> slice:
        """Which of `count` things, a multiple of the number of processes, are for this one."""
        share = count // self.count
        return slice(self.index * share, (self.index + 1) * share)

    def of_first(self, number: float) -> float:
        """The number that the first process gives; all together."""
        return number if self.alone else float(self.gathered(torch.tensor([number], dtype=torch.float64))[0])

    def means(self, numbers: list[float]) -> list[float]:
        """Means over the processes, the same ones on each; all together."""
        if self.alone:
            return numbers
        means: list[float] = self.gathered(torch.tensor([numbers], dtype=torch.float64)).mean(0).tolist()
        return means

    def total(self, x: Tensor) -> Tensor:
        """The sum of a tensor over the processes; all together."""
        if not self.alone:
            dist.all_reduce(x)
        return x

    def gathered(self, x: Tensor) -> Tensor:
        """The tensors [N, ...] of all processes, one after the other: [count N, ...]; all together."""
        if self.alone:
            return x
        parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(self.count)]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)  # [count N, ...]

    def put_together(self, x: Tensor, sizes: list[int]) -> Tensor:
        """The tensors [sizes[r], ...] of processes r, one after the other; all together."""
        parts = [x.new_empty((size, *x.shape[1:])) for size in sizes]
        parts[self.index] = x.contiguous()
        for index, part in enumerate(parts):
            if len(part):
                dist.broadcast(part, index)
        return torch.cat(parts)

    def parallel(self, model: nn.Module, compute: Callable[..., Any]) -> Callable[..., Any]:
        """`compute`, after whose first value's backward pass gradients of `model` are means over the processes."""
        if self.alone:
            return compute
        return nn.parallel.DistributedDataParallel(_Computing(model, compute))

    def begin_alike(self, model: nn.Module) -> None:
        """Give `model` the parameters and buffers that it has in the first process; all together."""
        if not self.alone:
            for value in model.state_dict().values():
                whole = value.contiguous()
                dist.broadcast(whole, 0)
                value.copy_(whole)

    @contextlib.contextmanager
    def all_or_none(self) -> Iterator[None]:
        """An error of the library inside is raised by the first process that has one, and ends all; all together."""
        failed = None
        try:
            yield
        except LcqError as error:
            failed = error
        failures = self.gathered(torch.tensor([failed is not None])).nonzero().flatten().tolist()
        if failed is not None and failures[0] == self.index:
            raise failed
        if failures:
            raise SystemExit(1)


ALONE = Ranks()


class _Computing(nn.Module):
    """What a step computes of a model, as a module: for DistributedDataParallel, which looks for parameters in one."""

    def __init__(self, model: nn.Module, compute: Callable[..., Any]) -> None:
        super().__init__()
        self.model, self.compute = model, compute

    def forward(self, *given: Any) -> Any:
        return self.compute(*given)


def told() -> Ranks:
    """Which process of how many this is, by what torchrun tells it; the only one elsewhere."""
    if not all(name in os.environ for name in TOLD_BY):
        return ALONE
    return Ranks(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))


def on_this_machine() -> tuple[int, int]:
    """Which process this is of how many on its machine."""
    if told().alone:
        return 0, 1
    return int(os.environ.get("LOCAL_RANK", 0)), int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def own_device(kind: str) -> torch.device:
    """The processor, or the GPU for this process. Raises TrainingError where there are more processes than GPUs."""
    index, count = on_this_machine()
    if kind != "cuda" or count == 1:
        return torch.device(kind)
    if count > torch.cuda.device_count():
        gpus = torch.cuda.device_count()
        raise TrainingError(
            f"{count} processes for {gpus} GPU{'s'[: gpus != 1]}; give torchrun --nproc-per-node {gpus}"
        )
    torch.cuda.set_device(index)
    return torch.device(kind, index)


@contextlib.contextmanager
def joined() -> Iterator[Ranks]:
    """Inside, the processes that torchrun started are connected; a process alone is left as it is.

    Raises TrainingError where another process has ended.
    """
    ranks = told()
    if ranks.alone:
        yield ranks
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    try:
        yield ranks
    except RuntimeError as error:
        if isinstance(error, LcqError) or not any(word in str(error) for word in BROKEN):
            raise
        raise TrainingError("another process of this training has ended; go on with `resume`") from None
    finally:
        dist.destroy_process_group()

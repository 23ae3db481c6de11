"""What each of several ranks does that train one model; they are threads of this process, or one of them alone."""

import contextlib
import copy
import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from click.testing import CliRunner
from latticecodec.cli import main
from torch import Tensor, nn

from latticecodec import TrainingError
from latticecodec.lab import ranks as ranks_module
from latticecodec.lab.quantizers import SharedAdaptiveQuantizer, VectorQuantizer
from latticecodec.lab.quantizers.attentive import AttentiveAdaptiveQuantizer
from latticecodec.lab.ranks import ALONE, Ranks, joined, own_device, told
from latticecodec.lab.training import loop
from latticecodec.lab.training.checkpoint import Training
from latticecodec.lab.training.data import Crops, as_input
from latticecodec.lab.training.model import uniform
from latticecodec.lab.training.options import Asked, TrainOptions
from latticecodec.lab.training.quantizer_options import QuantizerOptions
from latticecodec.lab.training.run import run
from latticecodec.lab.training.schedule import Schedule
from latticecodec.lab.training.sharing import shares
from latticecodec.lab.training.soap import SIDE_MAX, Soap
from latticecodec.lab.training.start import start
from latticecodec.lab.training.synthetic import synthetic_picture

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPES = [(8, 8), (8, 8), (8, 8), (4, 330), (6, 3), (8,), (8,)]


@dataclass(frozen=True)
class Threads(Ranks):
    """Ranks that are threads of this process: a table that they all write to, and a barrier."""

    table: dict[int, Tensor] = field(default_factory=dict)
    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(1))

    def gathered(self, x: Tensor) -> Tensor:
        self.table[self.index] = x
        self.barrier.wait(60)
        whole = torch.cat([self.table[index] for index in range(self.count)])
        self.barrier.wait(60)
        return whole

    def total(self, x: Tensor) -> Tensor:
        return self.gathered(x[None]).sum(0)

    def begin_alike(self, model: nn.Module) -> None:
        pass  # they are copies

    def put_together(self, x: Tensor, sizes: list[int]) -> Tensor:
        assert len(x) == sizes[self.index]
        return self.gathered(x)


def together(count: int, work: Callable[[Ranks], Any]) -> list[Any]:
    """What `work` gives each of so many ranks; an exception is given too."""
    table: dict[int, Tensor] = {}
    barrier, found = threading.Barrier(count), [None] * count

    def one(index: int) -> None:
        try:
            found[index] = work(Threads(index, count, table, barrier))
        except BaseException as error:
            found[index] = error

    threads = [threading.Thread(target=one, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_a_process_that_torchrun_did_not_start_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told() == ALONE
    for name, value in zip(ranks_module.TOLD_BY, ("1", "3", "localhost", "29500"), strict=True):
        assert told() == ALONE  # as long as one of them is missing
        monkeypatch.setenv(name, value)
    assert told() == Ranks(1, 3)


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip((*ranks_module.TOLD_BY, "LOCAL_RANK", "LOCAL_WORLD_SIZE"), "120012", strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(TrainingError, match="2 processes for 1 GPU; give torchrun --nproc-per-node 1"):
        own_device("cuda")
    assert own_device("cpu") == torch.device("cpu")


def test_every_rank_makes_its_crops_of_the_same_batch() -> None:
    images = [synthetic_picture(seed, 96, 96) for seed in range(3)]
    whole = Crops(images, 64, 6, drawn=0.5)
    parts = []
    for index in range(3):
        crops = Crops(images, 64, 6, drawn=0.5)
        crops.batch(1)  # of all of them, as a model takes them at its start
        crops.share(Ranks(index, 3).own(6))
        parts.append(crops.batch(2))
    assert torch.equal(torch.cat(parts), whole.batch(2))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_every_rank_has_its_share_of_the_same_noise(memory_format: torch.memory_format) -> None:
    like = torch.empty(4, 5, 3, 2).contiguous(memory_format=memory_format)
    whole = uniform(like, torch.Generator().manual_seed(7))
    own = [uniform(like[:1], torch.Generator().manual_seed(7), Ranks(index, 4)) for index in range(4)]
    assert torch.equal(torch.cat(own), whole)


def test_matrices_are_shared_out_whole_and_evenly() -> None:
    shapes = ((10, 64, 64), (3, 128, 64), (1, 768, 256), (40, 64))
    for count in (1, 2, 3, 8, 100):
        sizes = shares(shapes, count, SIDE_MAX)
        assert [sum(own) for own in sizes] == [10, 3, 1, 40]
    assert shares(((10, 64, 64),), 4, SIDE_MAX) == [[2, 3, 2, 3]]
    assert shares(((2, 64, 64), (2, 32, 32)), 2, SIDE_MAX) == [[1, 1], [0, 2]]  # a larger one is more than two smaller


def _trained(ranks: Ranks, steps: range, state: dict[str, Any] | None = None, begin: list[Tensor] | None = None) -> Any:
    """Weights after some steps of SOAP, and its state."""
    weights = [torch.nn.Parameter(torch.ones(shape)) for shape in SHAPES]
    for weight, value in zip(weights, begin or [], strict=False):
        weight.data.copy_(value)
    groups = [{"params": weights[:4]}, {"params": weights[4:]}]
    optimiser = Soap(groups, lr=0.01, refresh=3, ranks=ranks)
    if state is not None:
        optimiser.load_state_dict(copy.deepcopy(state))
    for step in steps:
        for number, weight in enumerate(weights):
            weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(100 * step + number))
        optimiser.step()
    return [weight.detach() for weight in weights], optimiser.state_dict()


@pytest.mark.parametrize("count", [2, 5])
def test_ranks_that_share_soap_step_as_one_does(count: int) -> None:
    """And go on from each other's state; of five one has no matrix."""
    weights, state = _trained(ALONE, range(8))
    for others, other in together(count, lambda ranks: _trained(ranks, range(8))):
        torch.testing.assert_close(others, weights)
        torch.testing.assert_close(other["state"], state["state"])
    then = _trained(ALONE, range(8, 12), state, weights)[0]
    for others, _ in together(count, lambda ranks: _trained(ranks, range(8, 12), state, weights)):
        torch.testing.assert_close(others, then)
    shared = together(count, lambda ranks: _trained(ranks, range(8)))[0]
    torch.testing.assert_close(_trained(ALONE, range(8, 12), shared[1], shared[0])[0], then)


def test_a_rank_keeps_the_state_of_its_share_alone() -> None:
    def kept(ranks: Ranks) -> int:
        weights = [torch.nn.Parameter(torch.ones(8, 8)) for _ in range(6)]
        optimiser = Soap([{"params": weights}], lr=0.01, ranks=ranks)
        for weight in weights:
            weight.grad = torch.eye(8)
        optimiser.step()
        return len(optimiser.state[weights[0]]["left"])

    assert together(3, kept) == [2, 2, 2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: VectorQuantizer(8, 6),
        lambda: VectorQuantizer(8, 6, update="gradient"),
        lambda: SharedAdaptiveQuantizer([(16, 2), (8, 4)], [4, 2]),
        lambda: AttentiveAdaptiveQuantizer([(16, 2), (8, 4)], [4, 2]),
    ],
    ids=["averages", "gradient", "shared", "attentive"],
)
def test_codebooks_learn_from_the_rows_of_all_ranks(make: Callable[[], nn.Module]) -> None:
    """Of the first batch by k-means, of later ones by averages and by moving dead codes."""
    batches = torch.randn(4, 64, 6, generator=torch.Generator().manual_seed(0))
    made = make()

    def learnt(ranks: Ranks) -> tuple[Tensor, dict[str, Tensor]]:
        quantizer = copy.deepcopy(made)
        for part in quantizer.modules():
            if hasattr(part, "ranks"):
                part.ranks = ranks
        indices = [quantizer(rows[ranks.own(len(rows))]).indices for rows in batches]
        return torch.stack(indices), quantizer.state_dict()

    indices, state = learnt(ALONE)
    (first, of_first), (second, of_second) = together(2, learnt)
    assert torch.equal(torch.cat([first, second], 1), indices)
    torch.testing.assert_close(of_first, state)
    torch.testing.assert_close(of_second, of_first)


@pytest.mark.parametrize("quantizer", ["lattice", "vq", "rotation", "adaptive", "attention"])
def test_a_step_of_every_kind_is_the_mean_of_its_ranks(quantizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses and gradients; and noise, moving averages and choices of the whole batch, of which no rank sees more."""
    monkeypatch.setattr(loop, "mixed_precision", lambda device: contextlib.nullcontext())
    of_quantizer = QuantizerOptions(selection="attention") if quantizer == "attention" else QuantizerOptions()
    kind = "adaptive" if quantizer == "attention" else quantizer
    crops = Crops([synthetic_picture(seed, 96, 96) for seed in range(3)], 64, 4)
    options = dataclasses.replace(TrainOptions(), steps=4, crop=64, batch=4, quantizer=of_quantizer)
    made = start(Asked(kind, kind, "lc-test", None, None, Path()), crops, options)
    t = torch.tensor([0.9, 0.1, 0.6, 0.3])  # [4]

    def passed(ranks: Ranks) -> tuple[Tensor, list[Any], list[Tensor]]:
        model = copy.deepcopy(made)
        model.join(ranks)
        own, total = ranks.own(4), torch.zeros(())
        for step in range(2):
            x = as_input(crops.draw(step)[own], torch.device("cpu"))  # [b, 3, 64, 64]
            loss = loop.weighed(model, x, t[own], torch.Generator().manual_seed(step), None)[0]
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        return total, [value.grad for value in model.parameters() if value.requires_grad], list(model.buffers())

    loss, gradients, buffers = passed(ALONE)
    (first, of_first, kept), (second, of_second, _) = together(2, passed)
    torch.testing.assert_close((first + second) / 2, loss, rtol=1e-5, atol=0)
    torch.testing.assert_close(kept, buffers)
    for one_half, other_half, whole in zip(of_first, of_second, gradients, strict=True):
        assert float(((one_half + other_half) / 2 - whole).norm()) <= 1e-4 * float(whole.norm())


def test_an_error_of_one_rank_ends_all_and_is_told_once() -> None:
    def work(ranks: Ranks) -> None:
        with ranks.all_or_none():
            if ranks.index > 0:
                raise TrainingError(f"what process {ranks.index} met")

    first, second, third = together(3, work)
    assert [type(error) for error in (first, second, third)] == [SystemExit, TrainingError, SystemExit]
    assert (first.code, third.code) == (1, 1)
    assert together(2, lambda ranks: ranks.means([float(ranks.index), 2.0])) == [[0.5, 2.0]] * 2
    assert together(2, lambda ranks: ranks.of_first(5.0 + ranks.index)) == [5.0, 5.0]


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process as the second of two, without the first."""
    for name, value in zip(ranks_module.TOLD_BY, ("1", "2", "localhost", "29500"), strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("torch.distributed.init_process_group", lambda *_, **__: None)
    monkeypatch.setattr("torch.distributed.destroy_process_group", lambda: None)
    monkeypatch.setattr(Ranks, "gathered", lambda self, x: torch.cat([torch.zeros_like(x), x]))


@pytest.mark.usefixtures("second")
def test_a_batch_that_cannot_be_shared_out(tmp_path: Path) -> None:
    options = dataclasses.replace(TrainOptions(), batch=5, crop=64)
    with pytest.raises(TrainingError, match="`batch` 5 cannot be shared out among 2 processes; try 4"):
        run(Asked("lattice", "lattice", "lc-test", None, None, tmp_path / "run"), options, "cpu")


@pytest.mark.usefixtures("second")
def test_nothing_is_shared_out_where_nothing_trains() -> None:
    result = CliRunner().invoke(main, ["train", "--quantizer", "lattice-e8"])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "trains nothing that could be shared out; run it without torchrun" in result.stderr


@pytest.mark.usefixtures("second")
def test_the_end_of_another_process_is_one_line() -> None:
    with (
        pytest.raises(TrainingError, match="another process of this training has ended; go on with `resume`"),
        joined(),
    ):
        raise RuntimeError("[../third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer")
    with pytest.raises(RuntimeError, match="of our own"), joined():
        raise RuntimeError("of our own")


def test_the_clock_of_the_first_rank_is_that_of_all() -> None:
    """So that a training by --minutes ends at the same step, and is saved at the same steps."""

    def seconds(ranks: Ranks) -> float:
        schedule = Schedule(0, 1.0, 0, seconds=7.0 * ranks.index)
        loop._tick(cast(Training, SimpleNamespace(schedule=schedule, ranks=ranks)))
        return schedule.seconds

    first, second = together(2, seconds)
    assert first == second < 1

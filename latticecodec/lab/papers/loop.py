"""One training of a row: Adam on reconstruction error and quantization loss, and what is looked at on the way."""

import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import TrainingError
from ..arithmetic import flushed_denormals, mixed_precision
from ..hardware import hardware
from .bottleneck import Passed
from .datasets import Pictures
from .experiment import Budget, Experiment
from .looks import seen
from .model import PaperModel
from .resume import Resumable

QUARTERS = 4  # parts of a training at whose ends pictures are made


@dataclass(frozen=True)
class Trained:
    """A trained row."""

    model: PaperModel
    steps: int
    learning_steps: int  # at a learning rate above 0; after those, only moving averages change
    batch: int
    seconds: float | None  # of the learning steps, on a CPU those of the processor; None where machines took turns
    history: list[dict[str, float]]  # one entry a look: step, and what `looks` has
    machines: list[str]  # on which it was done, as `hardware` names them, one after the other


Look = Callable[[int, PaperModel], None]  # called with the step at 0, 1/4, 1/2, 3/4 and the end, for pictures


@flushed_denormals()  # moving averages of unused codewords fade to such numbers
def train(
    experiment: Experiment,
    pictures: Pictures,
    budget: Budget,
    seed: int,
    device: torch.device,
    advance: Callable[[int, int], None],
    look: Look = lambda step, model: None,
    resumable: Resumable | None = None,
) -> Trained:
    """Train a row, from where `resumable` has left it.

    Raises:
        TrainingError: the loss is no longer a number; the message says at which step.
    """
    steps, batch = budget.steps(experiment, pictures.published or len(pictures.train)), budget.batch(experiment)
    model = PaperModel(experiment, pictures.train.shape[1], steps, seed).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=experiment.rate, fused=True)
    every, quarters = max(1, steps // budget.looks), {steps * part // QUARTERS for part in range(QUARTERS)}
    history: list[dict[str, float]] = []
    seconds, learned, first, machines = 0.0, 0, 0, [hardware(device)]
    if resumable and (state := resumable.load()):
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        history, seconds, learned, first = (state[name] for name in ("history", "seconds", "learned", "step"))
        machines = state["machines"] + machines * (state["machines"][-1:] != machines)
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    batches = enumerate(_batches(pictures.train, batch, steps, seed, experiment.flip))
    for step, pixels in itertools.islice(batches, first, None):
        if resumable and resumable.due():
            told = {"history": history, "seconds": seconds, "learned": learned, "step": step, "machines": machines}
            resumable.save({"model": model.state_dict(), "optimiser": optimiser.state_dict()} | told)
        if step % every == 0 or step in quarters:
            model.eval()
            if step % every == 0:
                history.append({"step": float(step)} | seen(model, pictures, device, step / steps))
            if step in quarters:
                look(step, model)
            model.train()
        advance(step, steps)
        rate = experiment.rate * experiment.rate_decay ** (step * experiment.epochs // steps)
        if rate == 0:
            _average(model, pixels.to(device), step / steps)
            continue
        started = clock()
        for group in optimiser.param_groups:
            group["lr"] = rate
        x = model.to_input(pixels.to(device))  # [B, C, H, W]
        with mixed_precision(device):
            x_hat, _, passed = model(x, step / steps)
        loss = objective(x_hat, x, passed)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if not math.isfinite(float(loss.detach())):
            raise TrainingError(f"the loss is no longer a number at step {step} of {steps}")
        seconds += clock() - started
        learned += 1
    advance(steps, steps)
    model.eval()
    history.append({"step": float(steps)} | seen(model, pictures, device, 1.0))
    look(steps, model)
    return Trained(model, steps, learned, batch, seconds if len(machines) == 1 else None, history, machines)


def objective(x_hat: Tensor, x: Tensor, passed: Passed) -> Tensor:
    """The loss [] of all papers: mean squared error of pictures [B, C, H, W], and the quantizer's terms."""
    return F.mse_loss(x_hat, x) + passed.loss


@torch.no_grad()
def _average(model: PaperModel, pixels: Tensor, progress: float) -> None:
    """What is left of a step at learning rate 0, on pixels [B, C, H, W]: the moving averages of codewords."""
    if model.bottleneck.averaging:
        rows, _ = model.encode(model.to_input(pixels))
        model.bottleneck(rows, progress)


def _batches(pixels: Tensor, batch: int, steps: int, seed: int, flip: bool) -> Iterator[Tensor]:
    """`steps` batches of pixels [N, C, H, W] by the seed alone, every picture once before any comes again."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(order) < batch:
            order = torch.cat([order, torch.randperm(len(pixels), generator=generator)])
        chosen = pixels[order[:batch]]  # [B, C, H, W]
        order = order[batch:]
        if flip:
            turned = torch.rand(len(chosen), generator=generator) < 0.5  # [B]
            chosen = torch.where(turned[:, None, None, None], chosen.flip(-1), chosen)
        yield chosen

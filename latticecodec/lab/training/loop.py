"""The training loop: one function, `train`, resumable to the same result from any checkpoint.

    step n:  crops(seed, n) ─► model at random rate coordinates t ─► (bpp + lambda error) / lambda^w ─► SOAP ─► EMA

All randomness of step n comes from generators seeded with (seed, n), but for a quantizer's own, which has the same
seed in all trainings. Losses stay on the device; every LOOK steps, and where the learning rate begins to fall, their
means are fetched, and the guard judges them. Checkpoints are written then alone.
"""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..arithmetic import flushed_denormals, mixed_precision
from ..ranks import ALONE, Ranks
from .accelerate import accelerated
from .checkpoint import Training, resume, save_checkpoint, save_stable
from .data import Crops, as_input
from .error import error, measured_units
from .guard import LOOK, Guard, Tally
from .model import PhotoModel
from .optimiser import Average, make_optimiser, parameter_groups
from .options import TrainOptions
from .passes import Pass
from .progress import Progress
from .schedule import Schedule
from .shards import Packed
from .validation import Validation

RATE_WEIGHTING = 0.4  # the loss of a sample is divided by its lambda to this power


def drawn_rates(count: int, generator: torch.Generator) -> tuple[Tensor, int]:
    """Stratified rate coordinates [count], in random order, and a seed for the noise beside them."""
    t = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
    return t, int(torch.randint(2**62, (1,), generator=generator))


def weighed(
    model: PhotoModel, x: Tensor, t: Tensor, noise: torch.Generator, units: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Loss, mean bpp and mean MSE of a batch x [B, 3, S, S] in [0, 1] at rate coordinates t [B].

    The generator of noise is on x's device; `units` [5] are those of the error that the model is trained for, see
    error.py.
    """
    weight = model.config.rate_weight(t)  # [B]
    with mixed_precision(x.device):
        result = model(x, t, noise)
    lost = error(model.config.tune, result, x, t, units)  # [B]
    loss = ((result.bpp + weight * lost) / weight**RATE_WEIGHTING).mean() + result.loss
    return loss, result.bpp.mean(), result.mse.mean()


@flushed_denormals()
def train(
    model: PhotoModel,
    crops: Crops,
    held_out: Sequence[Path | Tensor | Packed],
    out: Path,
    options: TrainOptions,
    device: torch.device,
    checkpoint: Path | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    ranks: Ranks = ALONE,
) -> Training:
    """Train `model`, which has averaged weights then; writes a log, TensorBoard events and checkpoints to `out`.

    Of several processes each computes its share of a step, and the first validates and writes; all together.
    Returns what it came to. Raises TrainingError when `checkpoint`, to go on from, is not one of the same configuration
    and options, and where the loss is never a number.
    """
    model = model.to(device)
    model.join(ranks)
    average = Average(model)
    optimiser = make_optimiser(options.optimiser, parameter_groups(model), options.learning_rate, ranks)
    schedule = Schedule(options.steps, options.minutes, options.warm_up)
    training = Training(model, average, optimiser, Guard(model, average), schedule, options, ranks=ranks)
    with ranks.all_or_none():
        if checkpoint is not None:
            resume(training, checkpoint)
        elif model.config.tune == "ssimulacra2":
            training.units = measured_units(model, crops, device)
        model.plan(schedule.begun, options.steps)
        validation = Validation(training, held_out, out, device) if ranks.first else None
    crops.share(ranks.own(options.batch))
    tally = Tally(3, device)
    progress = Progress(training.step, schedule.done(training.step))
    falling, looked = schedule.falling(training.step), False
    _tick(training)
    saved = schedule.seconds

    def compute(pixels: Tensor, t: Tensor, noise: torch.Generator) -> tuple[Tensor, ...]:
        return weighed(model, as_input(pixels, device), t, noise, training.units)

    one_pass = Pass(model, ranks.parallel(model, compute), device, record=model.recorded and ranks.alone)
    logged = contextlib.closing(validation.log) if validation else contextlib.nullcontext()
    with accelerated(model, options.crop, options.batch // ranks.count, device), logged:
        while progress.done < 1:
            tally.add(*_step(training, crops, one_pass))
            if validation:
                validation.gradients.note()
            _tick(training)
            progress = progress.after(training.step, schedule)
            last, falls = progress.done == 1, not falling and schedule.falling(training.step)
            usual = training.step % LOOK == 0
            look = last or falls or usual
            due = last or training.step % options.validate_every == 0
            if look:
                progress.see(ranks.means(tally.means()))
                with ranks.all_or_none():
                    progress.went_back = training.guard.look(progress.loss, model, average, optimiser)
            if validation and (due or (usual and not looked)):
                progress.without_gradient = validation.gradients.missing()
            looked |= usual
            if validation and due:
                validation(progress)
            if falls:
                falling = True
                save_stable(training, out)
            if last:
                with ranks.all_or_none():
                    training.guard.conclude()
            if last or (look and schedule.seconds - saved > 60 * options.checkpoint_minutes):
                save_checkpoint(training, out)
                saved = schedule.seconds
            report(progress)
    average.swap(model)
    model.eval()
    return training


def _tick(training: Training) -> None:
    """Count the time since the last tick, by the clock of the first process."""
    schedule = training.schedule
    schedule.tick()
    schedule.seconds = training.ranks.of_first(schedule.seconds)


def _step(training: Training, crops: Crops, one_pass: Pass) -> tuple[Tensor, ...]:
    """One step of training; returns its loss, bpp and MSE [] each, on the device."""
    model, optimiser, options, step = training.model, training.optimiser, training.options, training.step
    learning_rate = options.learning_rate * training.guard.share * training.schedule.learning_rate(step)
    for group in optimiser.param_groups:
        group["lr"] = group["share"] * learning_rate
    generator = torch.Generator().manual_seed(options.seed * 1_000_003 + step)
    t, seed = drawn_rates(options.batch, generator)  # [B]
    values = one_pass(crops.batch(step), t[training.ranks.own(len(t))], seed)
    torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip)
    optimiser.step()
    training.average.update(model, step)
    training.step += 1
    return values

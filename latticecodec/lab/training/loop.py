"""The training loop: one function, `train`, resumable to the same result from any checkpoint.

    step n:  crops(seed, n) ─► model at random rate coordinates t ─► (bpp + lambda error) / lambda^w ─► SOAP ─► EMA

All randomness of step n comes from generators seeded with (seed, n), but for a quantizer's own, which has the same
seed in all trainings. Losses stay on the device; every LOOK steps, and where the rate begins to fall, their means are
fetched, and the guard judges them. Checkpoints are written then alone.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ..arithmetic import flushed_denormals, mixed_precision
from ..distortion import fidelity
from ..ranks import ALONE, Ranks
from .accelerate import accelerated
from .checkpoint import Training, resume, save_checkpoint, save_stable
from .data import Crops, as_input, centre_crops
from .drawn import drawn_page
from .error import error, measured_units
from .gradients import Gradients
from .guard import LOOK, Guard, Tally
from .log import Log
from .model import PhotoModel
from .optimiser import Average, make_optimiser, parameter_groups
from .options import TrainOptions
from .passes import Pass
from .schedule import Schedule
from .shards import Packed

RATE_WEIGHTING = 0.4  # the loss of a sample is divided by its lambda to this power
VALIDATION_POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # rate coordinates t
VALIDATION_SIZE = 384  # pixels a side
VALIDATION_PAGES = 8  # drawn


@dataclass
class Progress:
    """What the loop reports after every step; loss, rate and quality are means up to the last look."""

    step: int
    done: float  # 0 to 1: how much of the training
    loss: float = math.nan
    bpp: float = math.nan
    psnr: float = math.nan  # dB
    seconds: float = 0.0  # of training, over all processes
    went_back: bool = False  # the guard has just gone back to an average, at half the rate
    validation: list[tuple[float, float, float]] = field(default_factory=list)  # (t, bpp, quality), see `validate`
    pages: list[tuple[float, float, float]] = field(default_factory=list)  # the same of drawn pages
    diagnosis: dict[str, float] = field(default_factory=dict)  # of the quantizer, when just validated
    without_gradient: list[str] = field(default_factory=list)  # see gradients.py; at the first look and validations

    def after(self, step: int, schedule: Schedule) -> "Progress":
        """What is known after another step, before anyone looks: loss, rate and quality as of the last look."""
        return Progress(step, schedule.done(step), self.loss, self.bpp, self.psnr, schedule.seconds)

    def row(self, tune: str) -> dict[str, float]:
        """A line of the log, by column, of a training for `tune`."""
        row: dict[str, float] = {
            "step": self.step,
            "seconds": round(self.seconds, 1),
            "loss": round(self.loss, 5),
        }
        for t, bpp, quality in self.validation:
            row[f"bpp@{t:g}"], row[f"{tune}@{t:g}"] = round(bpp, 5), round(quality, 4)
        for t, bpp, quality in self.pages:
            row[f"pages-bpp@{t:g}"], row[f"pages-{tune}@{t:g}"] = round(bpp, 5), round(quality, 4)
        return row | self.diagnosis | {"without-gradient": len(self.without_gradient)}

    def see(self, means: list[float]) -> None:
        """Take over the means of loss, bpp and MSE of the steps since the last look."""
        self.loss, self.bpp, mse = means
        self.psnr = -10 * math.log10(mse) if mse > 0 else math.nan


def objective(
    model: PhotoModel, x: Tensor, generator: torch.Generator, units: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Loss, mean bpp and mean MSE of a batch x [B, 3, S, S] in [0, 1] at stratified random rate coordinates.

    `units` [5] are those of the error that the model is trained for, see error.py.
    """
    t, seed = drawn_rates(len(x), generator)
    return weighed(model, x, t.to(x.device), torch.Generator(x.device).manual_seed(seed), units)


def drawn_rates(count: int, generator: torch.Generator) -> tuple[Tensor, int]:
    """Stratified rate coordinates [count], in random order, and a seed for the noise beside them."""
    t = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
    return t, int(torch.randint(2**62, (1,), generator=generator))


def weighed(
    model: PhotoModel, x: Tensor, t: Tensor, noise: torch.Generator, units: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """`objective` at rate coordinates t [B], with a generator of noise on x's device."""
    weight = model.config.rate_weight(t)  # [B]
    with mixed_precision(x.device):
        result = model(x, t, noise)
    lost = error(model.config.tune, result, x, t, units)  # [B]
    loss = ((result.bpp + weight * lost) / weight**RATE_WEIGHTING).mean() + result.loss
    return loss, result.bpp.mean(), result.mse.mean()


@torch.no_grad()
def validate(model: PhotoModel, pictures: Tensor, device: torch.device) -> list[tuple[float, float, float]]:
    """(t, bpp, quality of rounded pixels), means over pictures, at five rates; pictures uint8 [N, 3, S, S].

    Quality is what the model is trained for, see `distortion.fidelity`.
    """
    rows = []
    for point in VALIDATION_POINTS:
        rates, quality = [], []
        for part in torch.split(pictures, 4):
            x = as_input(part, device)
            with mixed_precision(device):
                result = model(x, torch.full((len(x),), point, device=device))
            rates.append(result.bpp)
            quality.append(fidelity(result.x_hat.clamp(0, 1).mul(255).round(), x * 255, model.config.tune))
        rows.append((point, float(torch.cat(rates).mean()), float(torch.cat(quality).mean())))
    return rows


class Validation:
    """The look at pictures that do not train: of the averaged weights, which then are in the log.

    Args:
        training: whose model it is.
        held_out: paths, uint8 tensors [3, H, W], or image files out of shards.
        out: folder of the log.
        device: of the model.
    """

    def __init__(
        self, training: Training, held_out: Sequence[Path | Tensor | Packed], out: Path, device: torch.device
    ) -> None:
        self.training, self.device = training, device
        self.pictures = centre_crops(held_out, VALIDATION_SIZE)  # [N, 3, S, S]
        drawn = range(VALIDATION_PAGES)
        self.pages = torch.stack([drawn_page(seed, VALIDATION_SIZE, VALIDATION_SIZE) for seed in drawn])  # [P, 3, S, S]
        self.gradients = Gradients(training.model)
        self.log = Log(out, training.step)

    def __call__(self, progress: Progress) -> None:
        """Fill in what `progress` tells of a validation."""
        model, device = self.training.model, self.device
        with averaged(model, self.training.average, device):
            progress.validation = validate(model, self.pictures, device)
            progress.pages = validate(model, self.pages, device) if self.training.options.drawn else []
            progress.diagnosis = model.diagnose(self.pictures, device)
        self.log.write(progress.row(model.config.tune))


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
    optimiser = make_optimiser(options.optimiser, parameter_groups(model), options.rate, ranks)
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
    rate = options.rate * training.guard.share * training.schedule.rate(step)
    for group in optimiser.param_groups:
        group["lr"] = group["share"] * rate
    generator = torch.Generator().manual_seed(options.seed * 1_000_003 + step)
    t, seed = drawn_rates(options.batch, generator)  # [B]
    values = one_pass(crops.batch(step), t[training.ranks.own(len(t))], seed)
    torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip)
    optimiser.step()
    training.average.update(model, step)
    training.step += 1
    return values


@contextlib.contextmanager
def averaged(model: PhotoModel, average: Average, device: torch.device) -> Iterator[None]:
    """Inside, the model holds its averaged weights, is in eval mode, and compiles nothing for what it is shown."""
    as_it_is = contextlib.nullcontext() if device.type == "cpu" else torch.compiler.set_stance("force_eager")
    average.swap(model)
    model.eval()
    try:
        with as_it_is:
            yield
    finally:
        model.train()
        average.swap(model)

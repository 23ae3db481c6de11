"""The training loop: one function, `train`, resumable to the same result from any checkpoint.

    step n:  crops(seed, n) ─► model at random rate coordinates t ─► (bpp + lambda 255^2 MSE) / lambda^w ─► SOAP ─► EMA

All randomness of step n comes from generators seeded with (seed, n).
"""

import csv
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..arithmetic import flushed_denormals, mixed_precision, seeded
from ..config import PATCH, ModelConfig
from ..distortion import fidelity, structural_error
from ..errors import TrainingError
from ..networks import initialise_from_patches
from .data import Crops, centre_crops
from .diagnosis import Diagnosis, diagnose
from .fit import fit
from .models import MODELS, PhotoModel
from .optimiser import Average, learning_rate, make_optimiser, parameter_groups
from .vector import VectorModel, as_rows

RATE_WEIGHTING = 0.4  # the loss of a sample is divided by its lambda to this power
VALIDATION_POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # rate coordinates t
VALIDATION_SIZE = 384  # pixels a side


@dataclass(frozen=True)
class TrainOptions:
    """How to train; everything that a checkpoint must agree with to be resumed is in here."""

    steps: int = 7000
    batch: int = 8
    crop: int = 256  # pixels a side, a multiple of 64
    rate: float = 2e-3  # peak learning rate
    warm_up: int = 200  # steps
    optimiser: str = "soap"
    seed: int = 0
    clip: float = 1.0  # norm that gradients are clipped to
    tune: str = "psnr"  # what to train for, one of config.TUNES
    rank: int = 0  # of low-rank additions to a base, which then train in place of the weights; 0: the weights train
    freeze: str = "nothing"  # a key of vector.FREEZABLE: what of a model with codebooks does not train
    validate_every: int = 500  # steps
    checkpoint_minutes: float = 10.0


@dataclass
class Progress:
    """What the loop reports after every step."""

    step: int
    steps: int
    loss: float
    bpp: float
    psnr: float  # dB
    seconds: float  # since this process began training
    validation: list[tuple[float, float, float]] = field(default_factory=list)  # (t, bpp, dB), see `validate`
    diagnosis: Diagnosis | None = None  # of codebooks, when just validated


def new_model(config: ModelConfig, crops: Crops) -> PhotoModel:
    """A model initialised with the PCA of patches from the first batches of `crops`."""
    with seeded(crops.seed):
        model = MODELS[config.quantizer](config)
    pictures = first_pictures(crops)  # [N, 3, S, S]
    patches = pictures.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH)  # [N, 3, S/16, S/16, 16, 16]
    patches = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, PATCH, PATCH)
    initialise_from_patches(model.analysis, model.synthesis, patches)
    if isinstance(model, VectorModel):
        with torch.no_grad():
            fit(model, as_rows(model.analysis(pictures)))
    return model


def first_pictures(crops: Crops) -> Tensor:
    """The crops of the first 16 batches: float32 [N, 3, S, S] in [0, 1]."""
    return torch.cat([crops.batch(step) for step in range(16)]).float() / 255


def objective(model: PhotoModel, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Loss, mean bpp and mean MSE of a batch x [B, 3, S, S] in [0, 1] at stratified random rate coordinates."""
    count = len(x)
    t = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
    t = t.to(x.device)
    weight = model.config.rate_weight(t)  # [B]
    with mixed_precision(x.device):
        result = model(x, t, noise_generator(generator, x.device))
    error = 255**2 * result.mse if model.config.tune == "psnr" else structural_error(result.x_hat, x)  # [B]
    loss = ((result.bpp + weight * error) / weight**RATE_WEIGHTING).mean() + result.loss
    return loss, result.bpp.mean(), result.mse.mean()


def noise_generator(parent: torch.Generator, device: torch.device) -> torch.Generator:
    """A generator on `device` seeded from `parent`."""
    seed = int(torch.randint(2**62, (1,), generator=parent))
    return torch.Generator(device).manual_seed(seed)


@torch.no_grad()
def validate(model: PhotoModel, pictures: Tensor, device: torch.device) -> list[tuple[float, float, float]]:
    """(t, bpp, quality in dB of rounded pixels), means over pictures, at five rates; pictures uint8 [N, 3, S, S].

    Quality is what the model is trained for: PSNR, or -10 log10 of what is missing to an MS-SSIM of 1.
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


def as_input(pixels: Tensor, device: torch.device) -> Tensor:
    """uint8 [B, 3, S, S] -> float32 in [0, 1], channels last, on `device`."""
    return pixels.to(device).float().div(255).contiguous(memory_format=torch.channels_last)


@flushed_denormals()
def train(
    model: PhotoModel,
    crops: Crops,
    held_out: list[Path | Tensor],
    out: Path,
    options: TrainOptions,
    device: torch.device,
    resume: Path | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> PhotoModel:
    """Train `model` and return it with averaged weights; writes log.csv, TensorBoard events and checkpoint.pt to `out`.

    Raises TrainingError when `resume` is not a checkpoint of the same configuration and options.
    """
    from torch.utils.tensorboard import SummaryWriter

    model = model.to(device)
    average = Average(model)
    optimiser = make_optimiser(options.optimiser, parameter_groups(model), options.rate)
    first = _resume(resume, model, average, optimiser, options) if resume else 0
    pictures = centre_crops(held_out, VALIDATION_SIZE)
    out.mkdir(parents=True, exist_ok=True)
    _forget_rows_after(out / "log.csv", first)
    board = SummaryWriter(str(out))
    began = saved = time.monotonic()
    for step in range(first, options.steps):
        generator = torch.Generator().manual_seed(options.seed * 1_000_003 + step)
        for group in optimiser.param_groups:
            group["lr"] = group["share"] * learning_rate(step, options.steps, options.rate, options.warm_up)
        loss, bpp, mse = objective(model, as_input(crops.batch(step), device), generator)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip)
        if torch.isfinite(norm):
            optimiser.step()
        average.update(model, step)
        progress = Progress(
            step + 1,
            options.steps,
            float(loss.detach()),
            float(bpp.detach()),
            -10 * math.log10(float(mse.detach())),
            time.monotonic() - began,
        )
        last = step + 1 == options.steps
        if last or (step + 1) % options.validate_every == 0:
            progress.validation, progress.diagnosis = _with_average(
                model, average, lambda: (validate(model, pictures, device), diagnose(model, pictures, device))
            )
            _log(out / "log.csv", board, progress, model.config.tune)
        if last or time.monotonic() - saved > 60 * options.checkpoint_minutes:
            save_checkpoint(out / "checkpoint.pt", model, average, optimiser, step + 1, options)
            saved = time.monotonic()
        report(progress)
    board.close()
    average.swap(model)
    return model.eval()


def _with_average(model: PhotoModel, average: Average, call: Callable[[], Any]) -> Any:
    """Run `call` while the model holds its averaged weights, in eval mode."""
    average.swap(model)
    model.eval()
    try:
        return call()
    finally:
        model.train()
        average.swap(model)


def _forget_rows_after(path: Path, step: int) -> None:
    """Drop what a run logged after the checkpoint that it now goes on from."""
    if path.exists():
        head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text(head + "".join(row for row in rows if int(row.split(",")[0]) <= step), encoding="utf-8")


def _log(path: Path, board: Any, progress: Progress, tune: str) -> None:
    """Append a row to the CSV log and the same numbers to TensorBoard."""
    row: dict[str, float] = {
        "step": progress.step,
        "seconds": round(progress.seconds, 1),
        "loss": round(progress.loss, 5),
    }
    for t, bpp, quality in progress.validation:
        row[f"bpp@{t:g}"], row[f"{tune}@{t:g}"] = round(bpp, 5), round(quality, 4)
    if progress.diagnosis is not None:
        row |= asdict(progress.diagnosis)
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if fresh:
            writer.writeheader()
        writer.writerow(row)
    for key, value in row.items():
        if key != "step":
            board.add_scalar(key.replace("@", "/"), value, progress.step)


def save_checkpoint(
    path: Path,
    model: PhotoModel,
    average: Average,
    optimiser: torch.optim.Optimizer,
    step: int,
    options: TrainOptions,
) -> None:
    """Write all that a run needs to go on as if never stopped; the old file stays until the new one is whole."""
    state = {
        "config": _settings(model.config, "name", "reach", "weights_sha256", "prior_sha256"),
        "options": _settings(options, "validate_every", "checkpoint_minutes"),
        "step": step,
        "model": model.state_dict(),
        "average": average.state(),
        "optimiser": optimiser.state_dict(),
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def _settings(settings: ModelConfig | TrainOptions, *ignored: str) -> dict[str, Any]:
    """The fields of a dataclass that a checkpoint must agree on with the run that resumes it."""
    return {key: value for key, value in asdict(settings).items() if key not in ignored}


def _resume(
    path: Path, model: PhotoModel, average: Average, optimiser: torch.optim.Optimizer, options: TrainOptions
) -> int:
    """Restore a checkpoint; returns the step to go on from."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        config, kept = state["config"], state["options"]
    except Exception as error:  # torch raises anything from OSError to UnpicklingError here
        raise TrainingError(f"{path}: not a checkpoint of lcodec train ({type(error).__name__})") from None
    if config != _settings(model.config, "name", "reach", "weights_sha256", "prior_sha256"):
        raise TrainingError(f"{path}: belongs to another model configuration, {config}")
    if kept != _settings(options, "validate_every", "checkpoint_minutes"):
        raise TrainingError(f"{path}: was made with other options, {kept}; repeat them to resume")
    model.load_state_dict(state["model"])
    average.load(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])

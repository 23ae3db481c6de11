"""The look at pictures that do not train: how many bits, and how good, at rates over the whole range."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..arithmetic import mixed_precision
from ..distortion import fidelity
from .checkpoint import Training
from .data import as_input, centre_crops
from .drawn import drawn_page
from .gradients import Gradients
from .log import Log
from .model import PhotoModel
from .optimiser import Average
from .progress import Progress
from .shards import Packed

VALIDATION_POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # rate coordinates t
VALIDATION_SIZE = 384  # pixels a side
VALIDATION_PAGES = 8  # drawn


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

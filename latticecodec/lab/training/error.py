"""What training takes for the error of a picture beside its rate, by what it trains for; in units of 255^2 MSE.

SSIMULACRA2's error is brought to these by a unit for each rate coordinate t, measured on the model as it is before the
first step: rates stay about where lambda puts them, whatever the base and the range of rates.
"""

import torch
from torch import Tensor

from ..arithmetic import mixed_precision
from ..distortion import perceptual_error, structural_error
from ..ssimulacra2 import weighted_error
from .data import Crops, as_input
from .model import Forward, PhotoModel

UNIT_POINTS = 5  # rate coordinates at equal distances from 0 to 1, between which a unit is interpolated
UNIT_CROPS = 16  # that units are measured on, or a batch where that is more


def error(tune: str, result: Forward, x: Tensor, t: Tensor, units: Tensor | None) -> Tensor:
    """The error [B] of a batch x [B, 3, S, S] in [0, 1] at rate coordinates t [B]; `units` [5] are `measured_units`."""
    if tune == "psnr":
        return 255**2 * result.mse
    if tune == "ms-ssim":
        return structural_error(result.x_hat, x)
    assert units is not None
    return perceptual_error(result.x_hat, x, unit_at(t, units))


def unit_at(t: Tensor, units: Tensor) -> Tensor:
    """The units [B] at rate coordinates t [B] in [0, 1], out of units [5]: straight lines in the logarithm."""
    place = t * (len(units) - 1)  # [B]
    below = place.long().clamp_max(len(units) - 2)  # [B]
    logs = units.log()  # [5]
    return torch.lerp(logs[below], logs[below + 1], place - below).exp()


@torch.no_grad()
def measured_units(model: PhotoModel, crops: Crops, device: torch.device) -> Tensor:
    """255^2 MSE for one of SSIMULACRA2's error, [5], of a model on the first crops; the same for the same crops."""
    batches = [as_input(crops.batch(step), device) for step in range(-(-UNIT_CROPS // crops.size_batch))]
    units = []
    for t in torch.linspace(0, 1, UNIT_POINTS).tolist():
        squared, seen = 0.0, 0.0
        for x in batches:
            with mixed_precision(device):
                result = model(x, torch.full((len(x),), t, device=device))
            squared += 255**2 * float(result.mse.sum())
            seen += float(weighted_error(result.x_hat, x).sum())
        units.append(squared / seen)
    return torch.tensor(units, dtype=torch.float32, device=device)

"""SSIMULACRA2 (Sneyers 2022) in torch, with gradients: what people would notice, for training and encoders to aim at.

    pixels ─► linear RGB ─► XYB, at six scales ─► windows of sigma 1.5 ─► lost structure, artefacts, lost detail
           ─► norms 1 and 4 over the picture ─► weighted sum: `weighted_error` ─► `score`

Weights and constants are those of `metrics`. Agrees with the package `ssimulacra2`, which has no gradients.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..metrics import (
    ABSORBANCE,
    BIAS,
    CURVE,
    EXPONENT,
    RADIUS,
    SCALES,
    SIGMA,
    SLOPE,
    SSIMULACRA2_SIDE_MIN,
    STABILITY,
    TINY,
    WEIGHTS,
)
from .arithmetic import convolve


def weighted_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """The weighted sum of errors [B], 0 for equal pictures, of x_hat and its original x [B, 3, H, W] in [0, 1].

    Values beyond 0 and 1 count as these. Both sides must have 8 pixels; where they are too short for all scales the
    weights are the first of the list, as in the published program.
    """
    light = [_linear(picture) for picture in (x_hat, x)]  # [B, 3, H, W]
    norms: list[Tensor] = []
    while len(norms) < SCALES and min(light[0].shape[2:]) >= SSIMULACRA2_SIDE_MIN:
        norms.append(_norms(*map(_xyb, light)))  # [B, 3, 6]
        light = [F.avg_pool2d(picture, 2, ceil_mode=True) for picture in light]  # [B, 3, ceil(H / 2), ceil(W / 2)]
    weights = torch.tensor(WEIGHTS, dtype=torch.float32, device=x.device).flatten()  # [3 SCALES 6]
    found = torch.stack(norms, 2).flatten(1)  # [B, 3 S 6] of S scales
    return (found * weights[: found.shape[1]]).sum(1)


def score(error: Tensor) -> Tensor:
    """SSIMULACRA2 [B], 100 for equal pictures, of `weighted_error` [B]."""
    linear = SLOPE * error
    bent = sum(factor * linear**power for power, factor in enumerate(CURVE, 1))  # [B]
    return 100 - 10 * torch.as_tensor(bent).clamp_min(0) ** EXPONENT


def _linear(x: Tensor) -> Tensor:
    """sRGB in [0, 1] to light, [B, 3, H, W]."""
    x = x.clamp(0, 1)
    return torch.where(x <= 0.04045, x / 12.92, ((x.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4)


def _xyb(light: Tensor) -> Tensor:
    """Linear RGB to XYB, moved and stretched so that all is positive: [B, 3, H, W]."""
    matrix = torch.tensor(ABSORBANCE, dtype=torch.float32, device=light.device)[:, :, None, None]  # [3, 3, 1, 1]
    cones = convolve(light, matrix, matrix.new_full((3,), BIAS)) ** (1 / 3) - BIAS ** (1 / 3)  # [B, 3, H, W]
    long, medium, short = cones.unbind(1)
    x, y = (long - medium) / 2, (long + medium) / 2
    return torch.stack([14 * x + 0.42, y + 0.01, short - y + 0.55], 1)


def _norms(x_hat: Tensor, x: Tensor) -> Tensor:
    """Structure, artefacts and detail in norm 1, then in norm 4, [B, 3, 6], of x_hat and x [B, 3, h, w]."""
    error = x_hat - x
    mean, square = _blurred(x, x.square())
    shift, square_error, square_hat = _blurred(error, error.square(), x_hat.square())
    mean_hat, shift = mean + shift, shift.square()
    variances = (square - mean.square()) + (square_hat - mean_hat.square()) + STABILITY
    noise = (square_error - shift) / variances  # 1 - 2 covariance / variances, without the loss of digits
    structure = (shift + (1 - shift) * noise).clamp_min(0)  # 1 - (1 - shift) (1 - noise)
    edges = (1 + (x_hat - mean_hat).abs()) / (1 + (x - mean).abs()) - 1
    maps = torch.stack([structure, edges.clamp_min(0), (-edges).clamp_min(0)], 2)  # [B, 3, 3, h, w]
    fourth = (maps.square().square().mean((3, 4)) + TINY) ** 0.25
    return torch.cat([maps.mean((3, 4)), fourth], 2)


def _blurred(*maps: Tensor) -> tuple[Tensor, ...]:
    """Each of maps [B, 3, h, w] seen through the window: 0 to the sides, mirrored above and below."""
    planes = torch.cat(maps).flatten(0, 1)[None]  # [1, N, h, w]
    count = planes.shape[1]
    planes = torch.cat([planes[:, :, :RADIUS].flip(2), planes, planes[:, :, -RADIUS:].flip(2)], 2)  # [1, N, h + 10, w]
    offsets = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float32, device=planes.device)
    window = torch.softmax(-offsets.square() / (2 * SIGMA**2), 0).expand(count, 1, 1, -1)  # [N, 1, 1, 11]
    nothing = window.new_zeros(count)
    planes = convolve(F.pad(planes, (RADIUS, RADIUS)), window, nothing, groups=count)  # [1, N, h + 10, w]
    planes = convolve(planes, window.transpose(2, 3), nothing, groups=count)  # [1, N, h, w]
    return torch.split(planes.view(-1, 3, *planes.shape[2:]), len(maps[0]))  # [B, 3, h, w] each

"""What an encoder may aim at: how much a restored picture differs from its original, in bits, with gradients."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ImageError
from ..metrics import LOST_MIN, MS_SSIM_SHARE, MS_SSIM_SIDE_MIN, PERCEPTUAL_SHARE, SSIMULACRA2_SIDE_MIN

if TYPE_CHECKING:
    from torch import Tensor

MS_SSIM_UNIT = 1250.0  # 255^2 MSE that costs as much as losing all MS-SSIM: rates stay about as they were
MSE_SHARE = 0.1  # of the squared error, in training for MS-SSIM
PERCEPTUAL_MSE_SHARE = 0.15  # of the squared error, in training for SSIMULACRA2


def squared_error(x_hat: "Tensor", x: "Tensor", weight: float) -> "Tensor":
    """weight x 255^2 MSE a pixel, summed over the pixels of pictures x_hat and x [1, 3, H, W] in [0, 1]."""
    return weight * 255**2 * (x_hat - x).square().sum() / x.shape[1]


def structural(x_hat: "Tensor", x: "Tensor", weight: float) -> "Tensor":
    """1 - MS-SSIM of x_hat and x [1, 3, H, W] in [0, 1], scaled to cost half of what their squared error costs.

    The scale is taken as a constant: the gradient is that of MS-SSIM alone, at a length that fits the bits of a model
    trained for squared error. Raises ImageError where a side is below 161 pixels.
    """
    from pytorch_msssim import ms_ssim  # type: ignore[import-untyped]

    if min(x.shape[2:]) < MS_SSIM_SIDE_MIN:
        size = f"{x.shape[3]}x{x.shape[2]}"
        raise ImageError(f"a picture of {size} pixels is too small for MS-SSIM, which needs {MS_SSIM_SIDE_MIN} a side")
    lost = 1 - ms_ssim(x_hat * 255, x * 255, data_range=255)
    return _at_share(MS_SSIM_SHARE, lost, x_hat, x, weight)


def perceptual(x_hat: "Tensor", x: "Tensor", weight: float) -> "Tensor":
    """SSIMULACRA2's error of x_hat and x [1, 3, H, W] in [0, 1], scaled as in `structural`, and as much squared error.

    SSIMULACRA2 counts by its slope, a linear function of x_hat. Its fourth powers put most of that on few pixels, which
    a step would carry far beyond where it holds: the slope is cut at its root mean square. Where a side is below the 8
    pixels that SSIMULACRA2 needs it is the squared error alone.
    """
    import torch

    from .ssimulacra2 import weighted_error

    if min(x.shape[2:]) < SSIMULACRA2_SIDE_MIN:
        return squared_error(x_hat, x, weight)
    here = x_hat.detach().requires_grad_(True)  # [1, 3, H, W]
    lost = weighted_error(here, x)[0]
    (slope,) = torch.autograd.grad(lost, here)  # [1, 3, H, W]
    most = slope.square().mean().sqrt()
    linear = lost.detach() + (slope.clamp(-most, most) * (x_hat - here.detach())).sum()
    return _at_share(PERCEPTUAL_SHARE, linear, x_hat, x, weight) + PERCEPTUAL_SHARE * squared_error(x_hat, x, weight)


def _at_share(share: float, lost: "Tensor", x_hat: "Tensor", x: "Tensor", weight: float) -> "Tensor":
    """`lost` [] at a constant scale: what it costs is a share of the squared error of x_hat and x [1, 3, H, W]."""
    scale = squared_error(x_hat.detach(), x, weight) / lost.detach().clamp_min(LOST_MIN)
    return share * scale * lost


def structural_error(x_hat: "Tensor", x: "Tensor") -> "Tensor":
    """What training for MS-SSIM takes for the squared error: [B], in units of 255^2 MSE, of x_hat and x [B, 3, H, W].

    MSE_SHARE of the squared error keeps colours and mean brightness right, which MS-SSIM hardly sees.
    """
    import torch
    from pytorch_msssim import ms_ssim

    a, b = (255 * picture.contiguous(memory_format=torch.channels_last) for picture in (x_hat, x))
    lost = 1 - ms_ssim(a, b, data_range=255, size_average=False)  # [B]
    squared: Tensor = (a - b).square().mean((1, 2, 3))  # [B]
    out: Tensor = MSE_SHARE * squared + (1 - MSE_SHARE) * MS_SSIM_UNIT * lost
    return out


def perceptual_error(x_hat: "Tensor", x: "Tensor", unit: "Tensor") -> "Tensor":
    """What training for SSIMULACRA2 takes for the squared error: [B], of x_hat and x [B, 3, H, W], in its units.

    `unit` [B] is the 255^2 MSE that costs as much as one of SSIMULACRA2's error. PERCEPTUAL_MSE_SHARE of the squared
    error keeps pixels in range and colours right where SSIMULACRA2 has no gradient.
    """
    from .ssimulacra2 import weighted_error

    squared: Tensor = 255**2 * (x_hat - x).square().mean((1, 2, 3))  # [B]
    return PERCEPTUAL_MSE_SHARE * squared + (1 - PERCEPTUAL_MSE_SHARE) * unit * weighted_error(x_hat, x)


def fidelity(x_hat: "Tensor", x: "Tensor", tune: str) -> "Tensor":
    """Quality [B] of x_hat and x [B, 3, H, W] in 0..255, in what FIDELITY_UNITS says.

    PSNR, -10 log10(1 - MS-SSIM), or SSIMULACRA2.
    """
    import torch

    if tune == "ssimulacra2":
        from .ssimulacra2 import score, weighted_error

        return score(weighted_error(x_hat / 255, x / 255))
    if tune == "ms-ssim":
        from pytorch_msssim import ms_ssim

        lost = 1 - ms_ssim(x_hat, x, data_range=255, size_average=False)  # [B]
    else:
        lost = (x_hat - x).square().mean((1, 2, 3)) / 255**2
    return -10 * torch.log10(lost)


DISTORTIONS: dict[str, Callable[["Tensor", "Tensor", float], "Tensor"]] = {  # what an encoder goes down, by tune
    "psnr": squared_error,
    "ms-ssim": structural,
    "ssimulacra2": perceptual,
}
FIDELITY_UNITS = {"psnr": "dB", "ms-ssim": "dB", "ssimulacra2": "points"}

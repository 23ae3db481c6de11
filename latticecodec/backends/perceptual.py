"""Gradients of what an encoder aims at, with respect to the restored picture, for processors: numpy in, numpy out."""

from collections.abc import Callable

import numpy as np

from ..entropy.coder import Float32
from ..errors import ImageError
from ..metrics import LOST_MIN, MS_SSIM_SHARE, MS_SSIM_SIDE_MIN, PERCEPTUAL_SHARE, SSIMULACRA2_SIDE_MIN


def gradient(tune: str, x_hat: Float32, x: Float32, weight: float, threads: int = 1) -> Float32:
    """The gradient [3, H, W], with respect to x_hat, of the bits that DISTORTIONS[tune] of `lab.distortion` says.

    Args:
        tune: a key of GRADIENTS.
        x_hat: the restored picture [3, H, W], not clamped.
        x: the original [3, H, W] in [0, 1].
        weight: bits that a pixel's squared error costs, of a model at a rate.
        threads: of ONNX Runtime.

    Raises ImageError where a side is below 161 pixels, for MS-SSIM.
    """
    return GRADIENTS[tune](x_hat, x, weight, threads)


def squared(x_hat: Float32, x: Float32, weight: float, threads: int = 1) -> Float32:
    """Of the squared error, [3, H, W]."""
    return np.float32(2 * weight * 255**2 / len(x)) * (x_hat - x)


def structural(x_hat: Float32, x: Float32, weight: float, threads: int = 1) -> Float32:
    """Of MS-SSIM, [3, H, W], as long as a share of the squared error makes it."""
    from .perceptual_msssim import ms_ssim_gradient

    height, width = x.shape[1:]
    if min(height, width) < MS_SSIM_SIDE_MIN:
        size = f"{width}x{height}"
        raise ImageError(f"a picture of {size} pixels is too small for MS-SSIM, which needs {MS_SSIM_SIDE_MIN} a side")
    found, slope = ms_ssim_gradient(x_hat * 255, x * 255, threads)
    slope *= np.float32(-255 * MS_SSIM_SHARE * _scale(1 - found, x_hat, x, weight))
    return slope


def perceptual(x_hat: Float32, x: Float32, weight: float, threads: int = 1) -> Float32:
    """Of SSIMULACRA2, [3, H, W], cut at its root mean square, and of as much squared error.

    Of the squared error alone where a side is below the 8 pixels that SSIMULACRA2 needs.
    """
    from .perceptual_ssimulacra2 import weighted_error_gradient

    if min(x.shape[1:]) < SSIMULACRA2_SIDE_MIN:
        return squared(x_hat, x, weight)
    lost, slope = weighted_error_gradient(x_hat, x, threads)
    most = np.sqrt(np.square(slope).mean())
    np.clip(slope, -most, most, out=slope)
    slope *= np.float32(_scale(lost, x_hat, x, weight))
    slope += squared(x_hat, x, weight)
    slope *= np.float32(PERCEPTUAL_SHARE)
    return slope


def _scale(lost: float, x_hat: Float32, x: Float32, weight: float) -> float:
    """What turns `lost` into bits: those of the squared error of x_hat and x [3, H, W]."""
    return weight * 255**2 * float(np.square(x_hat - x).sum()) / len(x) / max(lost, LOST_MIN)


GRADIENTS: dict[str, Callable[[Float32, Float32, float, int], Float32]] = {  # by tune
    "psnr": squared,
    "ms-ssim": structural,
    "ssimulacra2": perceptual,
}

"""How far a decoded picture is from its original."""

import math

import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError

PEAK = 255  # of 8-bit pixels
IDENTICAL = 100.0  # dB, reported where not one pixel differs, so that means over pictures stay finite


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB of two uint8 arrays of one shape, over all their values together.

    10 log10(255^2 / mean squared error). For RGB [H, W, 3] that is the PSNR of the error averaged over the three
    channels, not the mean of three PSNRs. Identical arrays give 100 dB. Raises ImageError where shapes or types differ.
    """
    if a.shape != b.shape or a.dtype != np.uint8 or b.dtype != np.uint8:
        raise ImageError(f"{a.dtype} {a.shape} and {b.dtype} {b.shape}; expected uint8 arrays of one shape")
    error = float(np.square(np.subtract(a, b, dtype=np.int32)).mean())
    return 10 * math.log10(PEAK**2 / error) if error else IDENTICAL

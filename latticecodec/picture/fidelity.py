"""How near one picture is to another: PSNR."""

import math

import numpy as np

from ..errors import ImageError
from .pixels import Samples

IDENTICAL = 100.0  # dB, where not one pixel differs, so that means over pictures stay finite
ROWS = 256  # squared at a time


def psnr(a: Samples, b: Samples) -> float:
    """Peak signal-to-noise ratio in dB of two arrays of one shape and type, over all their values together.

    10 log10(P^2 / mean squared error), P = 255 for uint8 and 65535 for uint16. For RGB [H, W, 3] that is the PSNR of
    the error averaged over the three channels, not the mean of three PSNRs. Identical arrays give 100 dB. Raises
    ImageError where shapes or types differ.
    """
    if a.shape != b.shape or a.dtype != b.dtype or a.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"{a.dtype} {a.shape} and {b.dtype} {b.shape}; expected uint8 or uint16 arrays of one shape")
    peak = int(np.iinfo(a.dtype).max)
    total = 0
    for top in range(0, len(a), ROWS):
        difference = np.subtract(a[top : top + ROWS], b[top : top + ROWS], dtype=np.int64)
        total += int(np.square(difference).sum())
    return 10 * math.log10(peak**2 * a.size / total) if total else IDENTICAL

"""MS-SSIM of RGB pictures (Wang, Simoncelli and Bovik 2003), by pytorch-msssim, as most papers of the field do."""

import math
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from ...metrics import MS_SSIM_SIDE_MIN


def ms_ssim(decoded: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
    """MS-SSIM of two pictures uint8 [H, W, 3], 0 to 1, the mean over channels; NaN where a side is below 161 pixels."""
    if min(original.shape[:2]) < MS_SSIM_SIDE_MIN:
        return math.nan
    import torch
    from pytorch_msssim import ms_ssim as measure  # type: ignore[import-untyped]

    a, b = (torch.tensor(x).permute(2, 0, 1)[None].float() for x in (decoded, original))  # [1, 3, H, W]
    return float(measure(a, b, data_range=255))


def ms_ssim_build() -> str:
    """What measures it; values belong to that."""
    return f"pytorch-msssim {version('pytorch-msssim')}, torch {version('torch')}"


def decibels(value: float) -> float:
    """MS-SSIM on a scale where it can be told apart near 1: -10 log10(1 - value); NaN stays NaN."""
    return value if math.isnan(value) else -10 * math.log10(max(1e-10, 1 - value))

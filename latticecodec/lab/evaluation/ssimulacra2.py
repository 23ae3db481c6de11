"""SSIMULACRA2 (Sneyers 2022, tuned on opinions of people), by the package of that name, which is optional.

100 for the same picture, 90 hardly to be told apart, 70 high, 50 medium, 30 low quality; negative for very bad ones.
The package has true Gaussian windows where the reference implementation has fast approximations, so its scores are to
be compared with each other, not with those of other tools: for bad pictures they can lie some points apart.
"""

import importlib.util
import io
import math
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...metrics import SSIMULACRA2_SIDE_MIN

INSTALL = "pip install 'latticecodec[eval]'"


def ssimulacra2_is_installed() -> bool:
    """Whether `ssimulacra2` can be called."""
    return importlib.util.find_spec("ssimulacra2") is not None


def ssimulacra2_build() -> str:
    """What measures it; values belong to that. Raises PackageNotFoundError without the package."""
    return f"ssimulacra2 {version('ssimulacra2')}"


def ssimulacra2(decoded: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
    """SSIMULACRA2 of two pictures uint8 [H, W, 3], at most 100; NaN where a side is below 8 pixels.

    About half a second of one core for a picture of 768x512. Raises ImportError without the package.
    """
    from ssimulacra2 import compute_ssimulacra2  # type: ignore[import-untyped]

    if min(original.shape[:2]) < SSIMULACRA2_SIDE_MIN:
        return math.nan
    return float(compute_ssimulacra2(_file(original), _file(decoded)))


def _file(pixels: NDArray[np.uint8]) -> io.BytesIO:
    """Pixels [H, W, 3] as the package takes them: a file, here in memory and not compressed."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PPM")
    buffer.seek(0)
    return buffer

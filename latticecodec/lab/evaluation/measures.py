"""The measures of quality there are: one row each, which everything else reads."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import LcqError
from ...metrics import MS_SSIM_SIDE_MIN, SSIMULACRA2_SIDE_MIN
from ...picture import psnr
from .butteraugli import INSTALL as INSTALL_BUTTERAUGLI
from .butteraugli import SIDE_MIN as BUTTERAUGLI_SIDE_MIN
from .butteraugli import butteraugli, butteraugli_build, butteraugli_is_installed, likeness
from .msssim import decibels, ms_ssim, ms_ssim_build
from .ssimulacra2 import INSTALL as INSTALL_SSIMULACRA2
from .ssimulacra2 import ssimulacra2, ssimulacra2_build, ssimulacra2_is_installed


def _ours() -> str:
    """Of what is code of ours, which results belong to anyway."""
    return ""


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Measure:
    """How near a picture is to its original.

    Attributes:
        name: in CSV and JSON, of the field of `Point`, and what it is asked for by.
        title: of its values, for people.
        label: of the scale on which qualities are compared, for people.
        digits: of its values, after the point.
        function: of decoded and original pixels uint8 [H, W, 3]; NaN where a side is below `side`.
        build: the very program that measures it, since values belong to that; "" where it is code of ours.
        side: the least pixels a side that it needs.
        scale: its values where more is better and equal steps are about equally visible.
        least: on that scale: below it nobody would use a picture, so that plots and BD-rates end there.
        missing: of one that is measured where it is asked for: what is told where it is not installed.
        is_installed: whether it can be called.
    """

    name: str
    title: str
    label: str
    digits: int
    function: Callable[[NDArray[np.uint8], NDArray[np.uint8]], float]
    build: Callable[[], str]
    side: int = 1
    scale: Callable[[float], float] = float
    least: float = -math.inf
    missing: str = ""
    is_installed: Callable[[], bool] = _always


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("psnr", "PSNR, dB", "PSNR, dB", 3, psnr, _ours),
        Measure(
            "ms_ssim",
            "MS-SSIM",
            "MS-SSIM, dB",
            5,
            ms_ssim,
            ms_ssim_build,
            MS_SSIM_SIDE_MIN,
            decibels,
        ),
        Measure(
            "ssimulacra2",
            "SSIMULACRA2",
            "SSIMULACRA2",
            2,
            ssimulacra2,
            ssimulacra2_build,
            SSIMULACRA2_SIDE_MIN,
            least=10.0,
            missing=f"its package is not installed ({INSTALL_SSIMULACRA2})",
            is_installed=ssimulacra2_is_installed,
        ),
        Measure(
            "butteraugli",
            "Butteraugli",
            "Butteraugli, -ln of the 3-norm",
            3,
            butteraugli,
            butteraugli_build,
            BUTTERAUGLI_SIDE_MIN,
            likeness,
            missing=f"its program is not on the PATH ({INSTALL_BUTTERAUGLI})",
            is_installed=butteraugli_is_installed,
        ),
    )
}


def optional_measures() -> list[Measure]:
    """Those that are measured where they are asked for."""
    return [measure for measure in MEASURES.values() if measure.missing]


def chosen(names: Collection[str]) -> list[Measure]:
    """What is measured where these are asked for, installed or not; raises LcqError for a name that is none of them."""
    known = [measure.name for measure in optional_measures()]
    for name in names:
        if name not in known:
            raise LcqError(f"unknown measure {name!r}; choose from {', '.join(known)}")
    return [measure for measure in MEASURES.values() if measure.name in names or not measure.missing]

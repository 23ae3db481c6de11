"""Curves of rate and quality: what is known of a codec at several qualities, and how two of them compare."""

import math
from dataclasses import dataclass

from ...errors import LcqError
from .bdrate import bd_rate
from .measures import MEASURES


@dataclass(frozen=True)
class Point:
    """Means over all pictures at one quality; NaN where a value was not measured or a picture is too small for it.

    The fields are the columns of tables, every measure of MEASURES among them by its name.
    """

    quality: float  # on the codec's own scale
    bpp: float  # bits per pixel of the whole file
    psnr: float  # dB, of RGB
    ms_ssim: float  # of RGB, 0 to 1
    ssimulacra2: float = math.nan  # at most 100
    butteraugli: float = math.nan  # 3-norm, 0 or more: less is better
    encode_s_per_megapixel: float = math.nan  # wall clock
    decode_s_per_megapixel: float = math.nan


@dataclass(frozen=True)
class Curve:
    """One codec: its points by rising quality, and which build of it they belong to."""

    codec: str
    build: str
    points: tuple[Point, ...]
    memory: int | None = None  # bytes: peak of a process that encodes and decodes the largest picture

    def by(self, metric: str) -> list[tuple[float, float]]:
        """(bpp, quality) of the points by a key of `MEASURES`, as `bd_rate` takes them."""
        return [(point.bpp, MEASURES[metric].scale(getattr(point, metric))) for point in self.points]

    def has(self, metric: str) -> bool:
        """Whether each point has a value by a key of `MEASURES`, and a finite one: else there are no BD-rates by it."""
        return all(math.isfinite(value) for _, value in self.by(metric))


def compared(curve: Curve, anchor: Curve) -> dict[str, float | None]:
    """BD-rates in per cent of a codec against another, by the keys of `MEASURES`; negative: the first is smaller.

    None where the two have no range of quality in common, or a value is missing.
    """
    return {name: _bd_rate(anchor, curve, name) for name in MEASURES}


def _bd_rate(anchor: Curve, test: Curve, metric: str) -> float | None:
    if not (anchor.has(metric) and test.has(metric)):
        return None
    try:
        return bd_rate(anchor.by(metric), test.by(metric), MEASURES[metric].least)
    except LcqError:
        return None

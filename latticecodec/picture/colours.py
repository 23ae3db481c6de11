"""What colours mean: CICP code points, gAMA and cHRM of PNG files, and the ICC profiles that say the same."""

from collections.abc import Mapping
from typing import Any

from ..container import Cicp
from .profile import Curve, Primaries, grey_profile, rgb_profile

D65, C, DCI = (0.3127, 0.329), (0.31, 0.316), (0.314, 0.351)
BT709 = Primaries(D65, (0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
SMPTE170M = Primaries(D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07))
PRIMARIES = {  # H.273, table 2
    1: BT709,
    4: Primaries(C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: Primaries(D65, (0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),
    6: SMPTE170M,
    7: SMPTE170M,
    8: Primaries(C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: Primaries(D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    11: Primaries(DCI, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    12: Primaries(D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    22: Primaries(D65, (0.63, 0.34), (0.295, 0.605), (0.155, 0.077)),
}


def _with_toe(exponent: float, offset: float, slope: float, start: float) -> Curve:
    """The inverse of (1 + offset) light ^ (1 / exponent) - offset, with a straight part at the dark end."""
    return Curve(exponent, 1 / (1 + offset), offset / (1 + offset), 1 / slope, start)


SRGB = _with_toe(2.4, 0.055, 12.92, 0.04045)
BT709_CURVE = _with_toe(1 / 0.45, 0.099, 4.5, 0.081)
CURVES = {  # H.273, table 3, those that end at the light of white
    1: BT709_CURVE,
    4: Curve(2.2),
    5: Curve(2.8),
    6: BT709_CURVE,
    7: _with_toe(1 / 0.45, 0.1115, 4.0, 0.0913),
    8: Curve(1.0),
    13: SRGB,
    14: BT709_CURVE,
    15: BT709_CURVE,
}
GAMMA = 0.45455  # of sRGB, as PNG files say it
CHROMATICITIES = (*BT709.white, *BT709.red, *BT709.green, *BT709.blue)
NEAR = 0.001  # how far from either others may be to be taken for it
PNG = "PNG gAMA and cHRM"  # name of a profile


def profile_of_code_points(cicp: Cicp, grey: bool) -> bytes | None:
    """The ICC profile that says the same; None where there is none: of PQ, HLG, a narrow range, unknown numbers."""
    curve, primaries = CURVES.get(cicp.transfer), PRIMARIES.get(cicp.primaries)
    if curve is None or not cicp.full_range:
        return None
    if grey:
        return grey_profile(curve, cicp.name)
    return None if primaries is None else rgb_profile(primaries, curve, cicp.name)


def is_calibrated(info: Mapping[Any, object], grey: bool) -> bool:
    """Whether gAMA, or cHRM if the picture is not grey, of a PNG file count, and say anything but sRGB.

    `info` has them by Pillow's names: `gamma`; `chromaticity`, which is x and y of white, red, green and blue; and
    `srgb` where that stands in place of both.
    """
    usual = _is_usual(_gamma(info), GAMMA) and (grey or _is_usual(_points(info), *CHROMATICITIES))
    return "srgb" not in info and not usual


def profile_of_png(info: Mapping[Any, object], grey: bool) -> bytes | None:
    """The ICC profile that says what gAMA and cHRM of a calibrated file do; None where they make no colours."""
    gamma, points = _gamma(info), _points(info)
    if 0 in gamma:
        return None
    curve = Curve(1 / gamma[0]) if gamma else SRGB
    if grey:
        return grey_profile(curve, PNG)
    if _is_usual(points, *CHROMATICITIES):
        return rgb_profile(BT709, curve, PNG)
    pairs = list(zip(points[::2], points[1::2], strict=True))
    return rgb_profile(Primaries(*pairs), curve, PNG)


def _gamma(info: Mapping[Any, object]) -> tuple[float, ...]:
    """gAMA, or nothing."""
    value = info.get("gamma")
    return (value,) if isinstance(value, float) else ()


def _points(info: Mapping[Any, object]) -> tuple[float, ...]:
    """The eight numbers of cHRM, or nothing."""
    value = info.get("chromaticity")
    return value if isinstance(value, tuple) and len(value) == len(CHROMATICITIES) else ()


def _is_usual(said: tuple[float, ...], *usual: float) -> bool:
    """Whether nothing is said, or what is said of sRGB but for rounding."""
    return not said or all(abs(a - b) <= NEAR for a, b in zip(said, usual, strict=True))

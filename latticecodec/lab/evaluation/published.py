"""Curves that others have published, for comparison: published.json, facts with their sources."""

import json
import math
from functools import cache
from importlib import resources

from .curve import Curve, Point


@cache
def published() -> tuple[Curve, ...]:
    """Means over the 24 pictures of Kodak as published; they mean something beside results on those pictures alone.

    PSNR of RGB in dB; MS-SSIM where it was published, else NaN. `build` says what the codec is and where from.
    """
    text = (resources.files(__package__) / "published.json").read_text(encoding="utf-8")
    return tuple(
        Curve(
            curve["name"],
            f"{curve['what']}; {curve['source']}",
            tuple(
                Point(math.nan, bpp, psnr, math.nan if ms_ssim is None else ms_ssim)
                for bpp, psnr, ms_ssim in curve["points"]
            ),
        )
        for curve in json.loads(text)["curves"]
    )

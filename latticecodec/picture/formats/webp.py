"""WebP files."""

import re
from functools import partial

from ..pillow import save_as
from .format import Format, Kind

FORMAT = Format(
    "WebP",
    (".webp",),
    re.compile(rb"RIFF....WEBP", re.DOTALL),
    "PIL.WebPImagePlugin:WebPImageFile",
    ("WEBP",),
    writes=Kind(("webp",), partial(save_as, "WEBP", lossless=True, exact=True), alpha=True, side=16_383),
)

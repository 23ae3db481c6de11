"""BMP files."""

import re
from functools import partial

from ..pillow import save_as
from .format import Format, Kind

FORMAT = Format(
    "BMP",
    (".bmp",),
    re.compile(rb"BM"),
    "PIL.BmpImagePlugin:BmpImageFile",
    ("BMP",),
    writes=Kind(("bmp",), partial(save_as, "BMP"), metadata=False),
)

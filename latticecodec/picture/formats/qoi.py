"""QOI files."""

import re

from .format import Format

FORMAT = Format("QOI", (".qoi",), re.compile(rb"qoif"), "PIL.QoiImagePlugin:QoiImageFile", ("QOI",))

"""GIF files that do not move."""

import re

from .format import Format

FORMAT = Format("GIF", (".gif",), re.compile(rb"GIF8[79]a"), "PIL.GifImagePlugin:GifImageFile", ("GIF",))

"""The formats that pictures are read from and written to: one table, a module each.

What a file is follows from its first bytes, whatever its name says. What is not in the table is not opened, so no other
decoder of Pillow's ever sees it, among them the one that hands PostScript to a program.
"""

import re
from typing import IO

from ...container import MAGIC
from ...errors import ImageError
from . import avif, bmp, gif, heif, ico, jpeg, jpeg2000, jxl, png, ppm, psd, qoi, tiff, webp
from .format import Format

HEAD = 256  # bytes of a file that tell its format
FORMATS: tuple[Format, ...] = tuple(
    module.FORMAT for module in (png, jpeg, tiff, webp, avif, gif, bmp, ppm, jpeg2000, ico, psd, qoi, heif, jxl)
)
LOADED = Format("picture", (), re.compile(b"(?!)"), "", ())  # of PIL images that belong to no file of a known format
OWN = "LCQ"  # what Pillow calls our own files, where latticecodec.pillow has told it of them
IMAGE_SUFFIXES = frozenset(suffix for known in FORMATS for suffix in known.suffixes)
BY_PILLOW = {name: known for known in FORMATS for name in known.pillow}
KINDS = {suffix: known for known in FORMATS if known.writes is not None for suffix in known.writes.suffixes}


def identify(file: IO[bytes]) -> Format:
    """The format of an open file, which is left at its start; raises ImageError for one that is not in the table."""
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    if not head:
        raise ImageError("not an image; the file is empty")
    if head.startswith(MAGIC):
        raise ImageError("is an .lcq file already; decode it first, or give another picture")
    for known in FORMATS:
        if known.begins.match(head):
            return known
    names = ", ".join(known.name for known in FORMATS)
    raise ImageError(f"not an image of a format that is read ({names}); convert it to PNG first")

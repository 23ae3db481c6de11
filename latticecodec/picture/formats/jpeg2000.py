"""JPEG 2000 files; those of 9 to 16 bits a sample are scaled to 16."""

import re
from typing import IO

from PIL import ImageFile

from ..pixels import Pixels, not_unsigned
from . import wide
from .format import Format, whole

CODESTREAM = b"\xff\x4f\xff\x51"  # SOC and SIZ, the first markers of a JPEG 2000 codestream
FIRST_DEPTH = 42  # of a codestream: Ssiz of the first component (ISO/IEC 15444-1, A.5.1)
SIGNED = 0x80  # bit of Ssiz


def depth(data: bytes) -> int:
    """Bits a sample that a file says it has; 8 where it does not say. Raises ImageError for signed ones."""
    at = data.find(CODESTREAM) + FIRST_DEPTH
    if not FIRST_DEPTH <= at < len(data):
        return 8
    if data[at] & SIGNED:
        raise not_unsigned("signed")
    return data[at] + 1


def _anew(image: ImageFile.ImageFile, file: IO[bytes]) -> Pixels | None:
    data = whole(file)
    return wide.read(image, data, depth(data), "jpeg2k")


FORMAT = Format(
    "JPEG 2000",
    (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
    re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
    "PIL.Jpeg2KImagePlugin:Jpeg2KImageFile",
    ("JPEG2000",),
    anew=_anew,
)

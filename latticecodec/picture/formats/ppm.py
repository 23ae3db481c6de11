"""PPM, PGM and PBM files; those of more than 8 bits a sample only in binary (P5, P6)."""

import re
from typing import IO

import numpy as np
from PIL import ImageFile

from ...errors import ImageError
from ..pixels import GREY, Pixels, Samples
from .format import Format, Kind

PEAK = 65535
ROWS = 256  # of pixels, worked on at a time


def maximum(image: ImageFile.ImageFile) -> int:
    """The value of white in a PPM file that is open and not loaded."""
    decoder, _, _, settings = image.tile[0]
    if decoder == "raw":
        return PEAK if settings == "I;16B" else 255
    assert isinstance(settings, tuple)
    return int(settings[-1])


def _anew(image: ImageFile.ImageFile, file: IO[bytes]) -> Pixels | None:
    return read(image, file) if image.mode not in ("1", "F") and maximum(image) > 255 else None


def read(image: ImageFile.ImageFile, file: IO[bytes]) -> Pixels:
    """The pixels of a PPM or PGM file with a maximum above 255, scaled to 65535; raises ImageError for text files."""
    decoder, _, offset, _ = image.tile[0]
    if decoder == "ppm_plain":
        raise ImageError("is a text PPM (P2 or P3) of more than 8 bits a sample; make it binary (P5 or P6) first")
    channels, white = GREY if image.mode in ("L", "I", "I;16") else 3, maximum(image)
    shape = (image.height, image.width, channels)
    colour: Samples = np.empty(shape, np.uint16)
    file.seek(offset)
    for top in range(0, image.height, ROWS):
        rows = colour[top : top + ROWS]
        raw = file.read(2 * rows.size)
        if len(raw) < 2 * rows.size:
            raise ImageError("the file is cut short; take a whole copy of it")
        values = np.minimum(np.frombuffer(raw, ">u2"), white).astype(np.uint32)
        rows[:] = ((values * PEAK + white // 2) // white).reshape(rows.shape)
    return Pixels(colour)


def write(pixels: Pixels, file: IO[bytes]) -> None:
    """Write the colour as a binary PGM or PPM file, of 8 or 16 bits a sample."""
    magic, peak = ("P5" if pixels.colour.shape[2] == GREY else "P6"), np.iinfo(pixels.colour.dtype).max
    file.write(f"{magic}\n{pixels.width} {pixels.height}\n{peak}\n".encode())
    for top in range(0, pixels.height, ROWS):
        rows = pixels.colour[top : top + ROWS]
        file.write(rows.astype(rows.dtype.newbyteorder(">")).tobytes())


FORMAT = Format(
    "PPM",
    (".ppm", ".pgm", ".pbm", ".pnm"),
    re.compile(rb"P[1-6Ff][\s#]"),
    "PIL.PpmImagePlugin:PpmImageFile",
    ("PPM",),
    anew=_anew,
    writes=Kind(("ppm",), write, deep=True, metadata=False),
)

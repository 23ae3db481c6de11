"""Exact colours: WebP files, one after the other, see vp8l.py.

Of 16-bit colours high and low bytes are files of their own.
"""

import numpy as np

from . import vp8l
from .pixels import RGB, Samples

WHAT = "exact colours"
SMALL = 1 << 12  # pixels of a square that gets all of libwebp's effort; larger pages do not get smaller by it
THOROUGH = {"method": 6, "quality": 100}


def encode(colour: Samples) -> bytes:
    """uint8 or uint16 [H, W, C], C = 1 or 3, to bytes."""
    squares = (colour[rows, columns] for rows, columns in vp8l.squares(*colour.shape[:2]))
    return b"".join(_file(part) for square in squares for part in _parts(square))


def decode(data: bytes, height: int, width: int, channels: int, depth: int) -> Samples:
    """The inverse of `encode`: uint8 or uint16 [height, width, channels] for a depth of 8 or 16.

    Sizes are checked before anything of that size is allocated. Raises FormatError for anything else than what `encode`
    writes.
    """
    count = depth // 8  # of files a square
    squares = list(vp8l.squares(height, width))
    sizes = [(rows.stop - rows.start, columns.stop - columns.start) for rows, columns in squares for _ in range(count)]
    files = vp8l.split(data, sizes, WHAT, opaque=True)
    colour: Samples = np.zeros((height, width, channels), np.uint8 if depth == 8 else np.uint16)
    for number, (rows, columns) in enumerate(squares):
        for file in files[count * number : count * (number + 1)]:  # the high bytes first
            part = vp8l.decode(file, WHAT)[:, :, :channels]  # [h, w, C]
            colour[rows, columns] = part if depth == 8 else colour[rows, columns] << 8 | part
    return colour


def _file(plane: vp8l.Bytes8) -> bytes:
    """A WebP file of uint8 [h, w] or [h, w, 3]."""
    default = vp8l.encode(plane)
    small = plane.shape[0] * plane.shape[1] <= SMALL
    return min(default, vp8l.encode(plane, **THOROUGH), key=len) if small else default


def _parts(square: Samples) -> list[vp8l.Bytes8]:
    """A square [h, w, C] as what its WebP files hold: uint8 [h, w] or [h, w, 3]."""
    plane = square[:, :, 0] if square.shape[2] != RGB else square
    if square.dtype == np.uint8:
        return [plane]
    return [(plane >> 8).astype(np.uint8), (plane & 255).astype(np.uint8)]

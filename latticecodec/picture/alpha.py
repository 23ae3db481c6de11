"""Alpha, lossless: WebP files, one after the other, see vp8l.py.

8-bit alpha stands in red, green and blue, and is read from red; of 16-bit alpha the high byte stands in red, the low
byte in green, 0 in blue. No bytes at all are alpha that is opaque everywhere.
"""

import numpy as np

from . import vp8l
from .pixels import Samples


def encode(alpha: Samples) -> bytes:
    """uint8 or uint16 [H, W] to bytes; b"" where all of it is opaque."""
    if bool((alpha == np.iinfo(alpha.dtype).max).all()):
        return b""
    return b"".join(_file(alpha[rows, columns]) for rows, columns in vp8l.squares(*alpha.shape))


def decode(data: bytes, height: int, width: int, depth: int) -> Samples:
    """The inverse of `encode`: uint8 or uint16 [height, width] for a depth of 8 or 16.

    Sizes are checked before anything of that size is allocated. Raises FormatError for anything else than what `encode`
    writes.
    """
    dtype = np.uint8 if depth == 8 else np.uint16
    if not data:
        return np.full((height, width), np.iinfo(dtype).max, dtype)
    squares = list(vp8l.squares(height, width))
    sizes = [(rows.stop - rows.start, columns.stop - columns.start) for rows, columns in squares]
    files = vp8l.split(data, sizes, "alpha")
    alpha: Samples = np.empty((height, width), dtype)
    for file, (rows, columns) in zip(files, squares, strict=True):
        planes = vp8l.decode(file, "alpha")  # [h, w, 4]
        red, green = planes[:, :, 0], planes[:, :, 1]
        alpha[rows, columns] = red if depth == 8 else red.astype(np.uint16) << 8 | green
    return alpha


def _file(square: Samples) -> bytes:
    """A square [h, w] as a WebP file."""
    if square.dtype == np.uint16:
        planes = (square >> 8, square & 255, np.zeros_like(square))
        square = np.dstack(planes).astype(np.uint8)  # [h, w, 3]
    return vp8l.encode(square)

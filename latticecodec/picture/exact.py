"""Exact colours, and alpha with them: WebP files, one after the other, see vp8l.py.

Of 16 bits the high and the low bytes are files of their own.
"""

import numpy as np

from . import vp8l
from .pixels import RGB, Samples

WHAT = "exact colours"
SMALL = 1 << 12  # pixels of a square that gets all of libwebp's effort, ten times as long; larger pages gain nothing
THOROUGH = {"method": 6, "quality": 100}
DRAWN = 2.0  # bits a pixel of a larger one, below which it gets more: photographs take six times as long for nothing
MORE = {"quality": 100}


def encode(colour: Samples, alpha: Samples | None = None) -> bytes:
    """uint8 or uint16 [H, W, C], C = 1 or 3, to bytes, with an alpha channel [H, W] of the same type or without."""
    files = []
    for square in vp8l.squares(*colour.shape[:2]):
        files += [_file(part) for part in _parts(colour[square], None if alpha is None else alpha[square])]
    return b"".join(files)


def decode(
    data: bytes, height: int, width: int, channels: int, depth: int, may_have_alpha: bool
) -> tuple[Samples, Samples | None]:
    """The inverse of `encode`: uint8 or uint16 for a depth of 8 or 16.

    Sizes are checked before anything of that size is allocated. Raises FormatError for anything else than what `encode`
    writes, and for alpha where there may be none.

    Returns:
        Colours [height, width, channels], and alpha [height, width]; None where all files say that they are opaque.
    """
    count = depth // 8  # of files a square
    squares = list(vp8l.squares(height, width))
    sizes = [(rows.stop - rows.start, columns.stop - columns.start) for rows, columns in squares for _ in range(count)]
    files = vp8l.split(data, sizes, WHAT, opaque=not may_have_alpha)
    has_alpha = any(map(vp8l.has_alpha, files))
    colour: Samples = np.zeros((height, width, channels), np.uint8 if depth == 8 else np.uint16)
    alpha: Samples | None = np.zeros((height, width), colour.dtype) if has_alpha else None
    for number, square in enumerate(squares):
        for file in files[count * number : count * (number + 1)]:  # the high bytes first
            part = vp8l.decode(file, WHAT)  # [h, w, 4]
            _append(colour[square], part[:, :, :channels])
            if alpha is not None:
                _append(alpha[square], part[:, :, 3])
    return colour, alpha


def _append(samples: Samples, low: vp8l.Bytes8) -> None:
    """Put a byte behind those that samples have: 0 and the high one become it, it and the low one both."""
    if samples.dtype == np.uint16:
        samples <<= 8
    samples |= low


def _file(plane: vp8l.Bytes8) -> bytes:
    """A WebP file of uint8 [h, w] or [h, w, 3 or 4]."""
    default, pixels = vp8l.encode(plane), plane.shape[0] * plane.shape[1]
    if pixels > SMALL and 8 * len(default) > DRAWN * pixels:
        return default
    return min(default, vp8l.encode(plane, **(THOROUGH if pixels <= SMALL else MORE)), key=len)


def _parts(colour: Samples, alpha: Samples | None) -> list[vp8l.Bytes8]:
    """A square [h, w, C], with alpha [h, w] or without, as what its WebP files hold: uint8 [h, w] or [h, w, 3 or 4]."""
    plane = colour if colour.shape[2] == RGB else colour[:, :, 0]
    if alpha is not None:
        plane = np.dstack([np.broadcast_to(colour, (*alpha.shape, RGB)), alpha])  # [h, w, 4]
    if plane.dtype == np.uint8:
        return [plane]
    return [(plane >> 8).astype(np.uint8), (plane & 255).astype(np.uint8)]

"""Alpha, lossless: WebP files, one after the other.

The plane is cut into tiles of SIDE x SIDE samples, those at the right and bottom edge smaller; the tiles follow in C
order, each as a whole WebP file in the simple lossless form (RIFF with one VP8L chunk). 8-bit alpha stands in red,
green and blue, and is read from red; of 16-bit alpha the high byte stands in red, the low byte in green, 0 in blue. No
bytes at all are alpha that is opaque everywhere.
"""

import io
import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image

from ..errors import FormatError
from .pixels import Samples

SIDE = 2048  # samples; keeps memory small, WebP's own limit is 16,383
LOSSLESS = struct.Struct("<4sI4s4sIBI")  # RIFF, size, WEBP, VP8L, size, signature, width and height
SIGNATURE = 0x2F
OUTSIDE = 8  # bytes of the file before those that RIFF's size counts


def encode(alpha: Samples) -> bytes:
    """uint8 or uint16 [H, W] to bytes; b"" where all of it is opaque."""
    if bool((alpha == np.iinfo(alpha.dtype).max).all()):
        return b""
    file = io.BytesIO()
    for rows, columns in _tiles(*alpha.shape):
        tile = alpha[rows, columns]  # [h, w]
        if alpha.dtype == np.uint16:
            planes = (tile >> 8, tile & 255, np.zeros_like(tile))
            tile = np.dstack(planes).astype(np.uint8)  # [h, w, 3]
        Image.fromarray(tile).save(file, "WEBP", lossless=True, exact=True)
    return file.getvalue()


def decode(data: bytes, height: int, width: int, depth: int) -> Samples:
    """The inverse of `encode`: uint8 or uint16 [height, width] for a depth of 8 or 16.

    Sizes are checked before anything of that size is allocated. Raises FormatError for anything else than what `encode`
    writes.
    """
    dtype = np.uint8 if depth == 8 else np.uint16
    if not data:
        return np.full((height, width), np.iinfo(dtype).max, dtype)
    files = []
    rest = memoryview(data)
    for rows, columns in _tiles(height, width):
        length = _checked_length(rest, rows.stop - rows.start, columns.stop - columns.start)
        files.append(rest[:length])
        rest = rest[length:]
    if len(rest):
        raise FormatError(f"alpha: {len(rest)} bytes too many")
    alpha: Samples = np.empty((height, width), dtype)
    for file, (rows, columns) in zip(files, _tiles(height, width), strict=True):
        planes = _samples(file)  # [h, w, 3]
        red, green = planes[:, :, 0], planes[:, :, 1]
        alpha[rows, columns] = red if depth == 8 else red.astype(np.uint16) << 8 | green
    return alpha


def _tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of every tile."""
    for top in range(0, height, SIDE):
        for left in range(0, width, SIDE):
            yield slice(top, min(top + SIDE, height)), slice(left, min(left + SIDE, width))


def _checked_length(data: memoryview, height: int, width: int) -> int:
    """Bytes of the WebP file at the start of `data`; FormatError where it is not lossless or not of that size."""
    if len(data) < LOSSLESS.size:
        raise FormatError("alpha: ends too early")
    riff, length, webp, kind, size, signature, bits = LOSSLESS.unpack_from(data)
    if (riff, webp, kind, signature) != (b"RIFF", b"WEBP", b"VP8L", SIGNATURE) or length != 12 + size + size % 2:
        raise FormatError("alpha: is not a still lossless WebP file")
    found = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if found != (width, height):
        raise FormatError(f"alpha: a tile of {found[0]}x{found[1]} where {width}x{height} belongs")
    if len(data) < OUTSIDE + length:
        raise FormatError("alpha: ends too early")
    return OUTSIDE + int(length)


def _samples(file: memoryview) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """The pixels of a WebP file: uint8 [h, w, 3]."""
    try:
        with Image.open(io.BytesIO(file), formats=["WEBP"]) as image:
            return np.asarray(image.convert("RGB"))
    except Exception as error:  # libwebp and Pillow raise many types on damaged input
        raise FormatError(f"alpha: damaged ({error})") from None

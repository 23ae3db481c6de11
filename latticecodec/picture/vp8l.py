"""Samples without loss, as WebP files one after the other: what alpha and exact colours are made of.

A plane is cut into squares of SIDE x SIDE samples, those at the right and bottom edge smaller, in C order. Each is a
whole WebP file in the simple lossless form: RIFF with one VP8L chunk.
"""

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from ..errors import FormatError, LcqError

SIDE = 2048  # samples; keeps memory small, WebP's own limit is 16,383
LOSSLESS = struct.Struct("<4sI4s4sIBI")  # RIFF, size, WEBP, VP8L, size, signature, width and height
SIGNATURE = 0x2F
ALPHA_IS_USED = 1 << 28  # in the integer that has width and height
OUTSIDE = 8  # bytes of the file before those that RIFF's size counts

Bytes8 = np.ndarray[Any, np.dtype[np.uint8]]


def squares(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of every square."""
    for top in range(0, height, SIDE):
        for left in range(0, width, SIDE):
            yield slice(top, min(top + SIDE, height)), slice(left, min(left + SIDE, width))


def encode(plane: Bytes8, **options: int) -> bytes:
    """A WebP file of uint8 [h, w], which is red, green and blue alike, or [h, w, 3 or 4]; `options` are Pillow's."""
    file = io.BytesIO()
    Image.fromarray(plane).save(file, "WEBP", lossless=True, exact=True, **options)
    return file.getvalue()


def split(data: bytes, sizes: list[tuple[int, int]], what: str, opaque: bool = False) -> list[memoryview]:
    """The WebP files in `data`, whose heads are checked before anything of their sizes is allocated.

    Args:
        data: the files, one after the other.
        sizes: height and width of each.
        what: the name of what they hold, for errors.
        opaque: whether one that says it has alpha of its own is refused.

    Raises FormatError where they are not lossless, not of these sizes, or not all there is.
    """
    files, rest = [], memoryview(data)
    for height, width in sizes:
        length = _checked_length(rest, height, width, what, opaque)
        files.append(rest[:length])
        rest = rest[length:]
    if len(rest):
        raise FormatError(f"{what}: {len(rest)} bytes too many")
    return files


def decode(file: memoryview, what: str) -> Bytes8:
    """Red, green, blue and alpha of a WebP file, 255 where it says it is opaque: uint8 [h, w, 4].

    Raises FormatError where it is damaged, LcqError where Pillow was told to open nothing of that size.
    """
    try:
        with WebPImageFile(io.BytesIO(file)) as image:
            return np.asarray(image.convert("RGBA"))
    except MemoryError:
        raise
    except Image.DecompressionBombError:
        told = f"squares of {SIDE} x {SIDE} pixels are more than Pillow's Image.MAX_IMAGE_PIXELS allows"
        raise LcqError(f"{what}: {told}; raise that first") from None
    except Exception as error:  # libwebp and Pillow raise many types on damaged input
        raise FormatError(f"{what}: damaged ({error})") from None


def has_alpha(file: memoryview) -> bool:
    """Whether a WebP file, its head checked, says that it has alpha of its own."""
    return bool(LOSSLESS.unpack_from(file)[-1] & ALPHA_IS_USED)


def _checked_length(data: memoryview, height: int, width: int, what: str, opaque: bool) -> int:
    """Bytes of the WebP file at the start of `data`; FormatError where it is not lossless or not of that size."""
    if len(data) < LOSSLESS.size:
        raise FormatError(f"{what}: ends too early")
    riff, length, webp, kind, size, signature, bits = LOSSLESS.unpack_from(data)
    if (riff, webp, kind, signature) != (b"RIFF", b"WEBP", b"VP8L", SIGNATURE) or length != 12 + size + size % 2:
        raise FormatError(f"{what}: is not a still lossless WebP file")
    found = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if found != (width, height):
        raise FormatError(f"{what}: a tile of {found[0]}x{found[1]} where {width}x{height} belongs")
    if opaque and bits & ALPHA_IS_USED:
        raise FormatError(f"{what}: has alpha of its own")
    if len(data) < OUTSIDE + length:
        raise FormatError(f"{what}: ends too early")
    return OUTSIDE + int(length)

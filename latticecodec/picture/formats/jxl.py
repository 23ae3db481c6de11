"""JPEG XL files: pixels through imagecodecs, metadata through pillow-jxl-plugin, which is optional."""

import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

import numpy as np

from ...errors import ImageError
from .. import exif, metadata
from ..pixels import Pixels, Samples, check_size, from_array, not_unsigned
from .format import Format

CODESTREAM = b"\xff\x0a"
BOX = struct.Struct(">I4s")  # its size and kind
PART = 4  # bytes before the codestream in a box that has a part of it
RATIOS = ((1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # of width to height
HEAD = 32  # bytes of the codestream that have its size
OFFSET = 4  # bytes before the TIFF structure in a box of EXIF data, which some writers leave out


def read(file: IO[bytes]) -> Pixels:
    """The picture of an open file, turned as the file says; raises ImageError, ImportError, or what libjxl does."""
    import imagecodecs
    from pillow_jxl import Decoder

    data = file.read()
    width, height, moving = header(data)
    check_size(width, height)
    if moving:
        raise ImageError("an animation; save one frame as a still picture first")
    samples: Samples = np.asarray(imagecodecs.jpegxl_decode(data))  # [H, W] or [H, W, C]
    if samples.dtype not in (np.uint8, np.uint16):
        raise not_unsigned("floating-point")
    *_, icc, boxes = Decoder(num_threads=1)(data)
    info: dict[str, object] = {"icc_profile": icc}
    for box in boxes:
        if box.box_type == b"Exif":
            info["exif"] = box.data if box.data[:4] in exif.HEADERS else box.data[OFFSET:]
        if box.box_type == b"xml ":
            info["xmp"] = box.data
    pixels = metadata.of_info(from_array(samples), info)
    return replace(pixels, exif=exif.upright(pixels.exif))


def header(data: bytes) -> tuple[int, int, bool]:
    """Width, height, and whether a file is an animation (ISO/IEC 18181-1, annex D); raises struct.error."""
    bits = _Bits(_start(data))
    height, width = _size(bits)
    moving = False
    if not bits.take(1) and bits.take(1):  # not all as usual, and more fields
        bits.take(3)  # orientation
        if bits.take(1):
            _size(bits)  # for which it is meant
        moving = not bits.take(1) and bool(bits.take(1))  # a preview's size would stand between
    return width, height, moving


class _Bits:
    """Bits from the lowest of the first byte on."""

    def __init__(self, data: bytes) -> None:
        self.rest = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        """The next bits as a number."""
        value, self.rest = self.rest & ((1 << count) - 1), self.rest >> count
        return value


def _size(bits: _Bits) -> tuple[int, int]:
    """Height and width."""
    small = bits.take(1)
    height = _side(bits, small)
    ratio = bits.take(3)
    if not ratio:
        return height, _side(bits, small)
    over, under = RATIOS[ratio - 1]
    return height, height * over // under


def _side(bits: _Bits, small: int) -> int:
    if small:
        return 8 * (1 + bits.take(5))
    return 1 + bits.take((9, 13, 18, 30)[bits.take(2)])


def _start(data: bytes) -> bytes:
    """The first HEAD bytes behind the signature of the codestream, out of as many boxes as have them."""
    stream, least = b"", len(CODESTREAM) + HEAD
    for part in [data] if data.startswith(CODESTREAM) else _parts(data):
        stream += part[: least - len(stream)]
        if len(stream) == least:
            break
    if not stream.startswith(CODESTREAM):
        raise struct.error("no codestream")
    return stream[len(CODESTREAM) :]


def _parts(data: bytes) -> Iterator[bytes]:
    """The codestream, box by box; raises struct.error for a box that is shorter than what it has to begin with."""
    at = 0
    while at + BOX.size <= len(data):
        size, kind = BOX.unpack_from(data, at)
        begin = at + BOX.size
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, begin)
            begin += 8
        begin += PART if kind == b"jxlp" else 0
        after = at + size if size else len(data)
        if after < begin:
            raise struct.error("a box without room for its head")
        if kind in (b"jxlc", b"jxlp"):
            yield data[begin : min(after, begin + len(CODESTREAM) + HEAD)]
        at = after


FORMAT = Format(
    "JPEG XL",
    (".jxl",),
    re.compile(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"),
    "latticecodec.picture.formats.jxl:read",
    ("JXL",),
    extra="jxl",
)

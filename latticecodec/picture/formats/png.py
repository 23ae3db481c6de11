"""PNG files; those of 16 bits a sample, or whose transparent colour Pillow does not scale, go through libpng.

Pillow does not read their code points. Whoever shows a PNG file takes these before an ICC profile: both stay.
"""

import re
import struct
import zlib
from dataclasses import replace
from typing import IO

import numpy as np
from PIL import ImageFile
from PIL.PngImagePlugin import PngInfo, putchunk

from ...container import SRGB, code_points
from .. import metadata
from ..pillow import samples, save_as
from ..pixels import Pixels, Samples, from_array, to_array
from .format import Format, Kind, whole

SIGNATURE = 8  # bytes
CHUNK = struct.Struct(">I4s")  # length and kind
LENGTH_KIND_CRC = 12  # bytes of a chunk beside its body
PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}  # chunks that pixels depend on
HEADER = 33  # bytes before the second chunk: signature and IHDR
XMP_KEY = "XML:com.adobe.xmp"


def _anew(image: ImageFile.ImageFile, file: IO[bytes]) -> Pixels | None:
    """Of 16 bits, or with a transparent grey, which Pillow does not scale with the pixels, or with code points."""
    deep = ";16" in str(image.tile[0].args) or (image.mode in ("1", "L") and "transparency" in image.info)
    body = cicp_chunk(file)
    if not deep and not body:
        return None
    data = whole(file)
    image.load()  # only then has Pillow seen the metadata behind the pixels
    pixels = metadata.attach(read(data) if deep else samples(image), image, {"cicp": body})
    return replace(pixels, cicp=code_points(body)) if pixels.icc is not None and body else pixels


def cicp_chunk(file: IO[bytes]) -> bytes:
    """The body of the chunk cICP of an open file, which is left where it stood; empty where there is none."""
    at, place, body = file.tell(), SIGNATURE, b""
    while not body:
        file.seek(place)
        head = file.read(CHUNK.size)
        if len(head) < CHUNK.size:
            break
        length, kind = CHUNK.unpack(head)
        if kind == b"cICP" and length == len(SRGB):
            body = file.read(length)
        if kind in (b"IDAT", b"IEND"):
            break
        place += LENGTH_KIND_CRC + length
    file.seek(at)
    return body


def read(data: bytes) -> Pixels:
    """The pixels of a PNG file, uint8 or uint16; a transparent colour becomes alpha. Raises what imagecodecs does."""
    import imagecodecs

    array: Samples = np.asarray(imagecodecs.png_decode(_bare(data)))  # [H, W] or [H, W, 2 to 4]
    return from_array(array)


def _bare(data: bytes) -> bytes:
    """A PNG file without the chunks that pixels do not depend on, about which libpng would print lines."""
    parts, at = [data[:SIGNATURE]], SIGNATURE
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + LENGTH_KIND_CRC + length
        if data[at + 4 : at + 8] in PIXELS:
            parts.append(data[at:end])
        at = end
    return b"".join(parts)


def write(pixels: Pixels, file: IO[bytes]) -> None:
    """Write a PNG file of 8 or 16 bits a sample with all metadata."""
    if pixels.depth == 8:
        save_as("PNG", pixels, file, pnginfo=chunks(pixels))
        return
    import imagecodecs

    data = imagecodecs.png_encode(to_array(pixels))
    file.write(data[:HEADER])
    if pixels.icc is not None:
        putchunk(file, b"iCCP", b"ICC Profile\0\0" + zlib.compress(pixels.icc))
    for kind, body, *_ in chunks(pixels).chunks:
        putchunk(file, kind, body)
    if pixels.exif is not None:
        putchunk(file, b"eXIf", pixels.exif)
    file.write(memoryview(data)[HEADER:])


def chunks(pixels: Pixels) -> PngInfo:
    """Code points and XMP packet as Pillow's list of chunks; an empty list where there are none."""
    info = PngInfo()
    if pixels.cicp is not None:
        info.add(b"cICP", bytes(pixels.cicp))
    if pixels.xmp is not None:
        info.add_itxt(XMP_KEY, pixels.xmp)
    return info


FORMAT = Format(
    "PNG",
    (".png", ".apng"),
    re.compile(rb"\x89PNG\r\n\x1a\n"),
    "PIL.PngImagePlugin:PngImageFile",
    ("PNG",),
    anew=_anew,
    writes=Kind(("png",), write, deep=True, alpha=True, ranges=(0, 1)),
)

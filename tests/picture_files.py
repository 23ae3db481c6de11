"""A small file of every format that is read, made here; what reading one must leave alone."""

import importlib.util
import io
import struct
import sys
import warnings
from functools import cache
from typing import Any

import imagecodecs
import numpy as np
import torch
from picture_examples import ICC, XMP, example, exif
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngInfo

from latticecodec.picture import Pixels, save, to_array, to_pillow

PROGRAMS = {"subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"}
CHRM_P3 = (31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000)  # white, red, green, blue
started: list[str] = []  # events of PROGRAMS since the process began


def _notice(event: str, arguments: tuple[object, ...]) -> None:
    if event in PROGRAMS:
        started.append(event)


sys.addaudithook(_notice)


def world() -> tuple[object, ...]:
    """The state of the process that everybody shares: of Pillow, warnings, numpy and torch, and programs started."""
    pillow = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    of_torch = (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads())
    return (*pillow, tuple(warnings.filters), str(np.geterr()), *of_torch, len(started))


def described(channels: int = 3, depth: int = 8) -> Pixels:
    """A small picture with all metadata."""
    plain = example(channels, depth, height=16, width=24)
    return Pixels(plain.colour, plain.alpha, ICC, exif(), XMP)


def saved(kind: str, channels: int = 3, **options: Any) -> bytes:
    """A picture as Pillow writes it."""
    file = io.BytesIO()
    to_pillow(example(channels, 8, height=16, width=24)).save(file, kind, **options)
    return file.getvalue()


def written(pixels: Pixels, suffix: str) -> bytes:
    """A picture as we write it."""
    file = io.BytesIO()
    save(pixels, suffix, file)
    return file.getvalue()


def png(*chunks: tuple[bytes, bytes], channels: int = 3, icc: bytes | None = None) -> bytes:
    """A PNG file with these chunks, as other programs write it."""
    info = PngInfo()
    for kind, body in chunks:
        info.add(kind, body)
    return saved("PNG", channels, pnginfo=info, icc_profile=icc)


def avif(depth: int, primaries: int, transfer: int) -> bytes:
    """An AVIF file of 8 or 10 bits a sample with code points of BT.2020's matrix, as other programs write it."""
    samples = to_array(example(3, 8, height=16, width=24)).astype(np.uint8 if depth == 8 else np.uint16)
    settings = {"bitspersample": depth, "primaries": primaries, "transfer": transfer, "matrix": 9}
    return bytes(imagecodecs.avif_encode(samples << depth - 8, level=100, speed=10, **settings))


def psd(layers: int = 0, composite: bool = True, resources: tuple[tuple[int, bytes], ...] = ()) -> bytes:
    """A PSD file of a black 3 x 2 picture, with so many empty layers."""
    listed = ((1057, struct.pack(">I?", 1, composite)), *resources)
    blocks = b"".join(
        b"8BIM" + struct.pack(">H2xI", number, len(body)) + body + bytes(len(body) % 2) for number, body in listed
    )
    empty = struct.pack(">4iH", 0, 0, 1, 2, 1) + struct.pack(">hI", 0, 4)  # its place, and one channel of 4 bytes
    rows = layers * (empty + b"8BIMnorm" + struct.pack(">4BI", 255, 0, 0, 0, 12) + bytes(12))
    info = struct.pack(">h", layers) + rows + layers * bytes(4)
    info = struct.pack(">I", len(info)) + info if layers else b""
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 2, 3, 8, 3)
    parts = (b"", blocks, info)
    return header + b"".join(struct.pack(">I", len(part)) + part for part in parts) + b"\0\0" + bytes(3 * 2 * 3)


def moving(kind: str) -> bytes:
    """Two frames, or two pages."""
    frame = to_pillow(example(3, 8))
    file = io.BytesIO()
    frame.save(file, kind, save_all=True, append_images=[frame.rotate(180)])
    return file.getvalue()


@cache
def files() -> dict[str, bytes]:
    """Small files by the names of their formats; of HEIC and JPEG XL where they can be read."""
    deep, grey = to_array(example(3, 16)), to_pillow(example(1, 8))
    found = {
        "JPEG": written(described(), ".jpg"),
        "PNG": written(described(4), ".png"),
        "TIFF": written(described(4), ".tif"),
        "WebP": written(described(4), ".webp"),
        "AVIF": written(described(), ".avif"),
        "GIF": saved("GIF"),
        "BMP": saved("BMP"),
        "PPM": saved("PPM"),
        "JPEG 2000": saved("JPEG2000", 4),
        "ICO": saved("ICO", 4, sizes=[(16, 16), (8, 8)]),
        "PSD": psd(2, resources=((1058, exif()), (1060, XMP))),
        "QOI": saved("QOI", 4),
        "PNG, 16 bits": written(described(4, 16), ".png"),
        "TIFF, 16 bits": written(described(4, 16), ".tif"),
        "TIFF, JPEG": saved("TIFF", compression="jpeg"),
        "TIFF, big": imagecodecs.tiff_encode(deep, photometric=2, planarconfig=1, bigtiff=True),
        "PNG, gAMA and cHRM": png((b"gAMA", b"\0\0\xb1\x8e"), (b"cHRM", struct.pack(">8I", *CHRM_P3))),
        "PNG, code points": png((b"cICP", b"\x0c\x0d\0\1")),
        "PPM, 16 bits": written(described(1, 16), ".ppm"),
        "PPM, text": b"P3 2 1 255\n1 2 3 4 5 6\n",
        "PPM, bits": b"P4 9 2\n\x55\x80\xaa\0",
        "AVIF, 10 bits": imagecodecs.avif_encode(deep >> 6, level=100, bitspersample=10, speed=10),
        "AVIF, 10 bits, PQ": avif(10, 9, 16),
        "JPEG 2000, 16 bits": imagecodecs.jpeg2k_encode(deep, reversible=True),
        "JPEG, MPO": moving("MPO"),
        "PNG, moving": moving("PNG"),
        "WebP, moving": moving("WEBP"),
        "GIF, moving": moving("GIF"),
    }
    if importlib.util.find_spec("pillow_heif") is not None:
        import pillow_heif

        file = io.BytesIO()
        pillow_heif.from_pillow(grey.convert("RGB").resize((64, 64))).save(file, quality=50, exif=exif(), xmp=XMP)
        found["HEIC"] = file.getvalue()
    if importlib.util.find_spec("pillow_jxl") is not None:
        found["JPEG XL"] = imagecodecs.jpegxl_encode(to_array(example(4, 8)), lossless=True)
        found["JPEG XL, 16 bits"] = imagecodecs.jpegxl_encode(deep, lossless=True)
    return found

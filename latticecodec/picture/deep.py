"""Which open files have samples that Pillow would cut to 8 bits, and what reads them instead."""

from collections.abc import Callable
from typing import IO

from PIL import Image, ImageFile

from . import metadata, png, ppm, wide
from .pixels import Pixels


def reader(image: Image.Image) -> Callable[[], Pixels] | None:
    """What reads a file that is open in Pillow and not loaded; None where Pillow reads it right. TIFF: see tiff.py.

    The function keeps 16 bits a sample and raises ImageError, or what the library behind it does for damaged files.
    """
    if not isinstance(image, ImageFile.ImageFile) or not image.tile or image.fp is None:
        return None
    file = image.fp
    if image.format == "PNG" and _needs_libpng(image):
        return lambda: _decoded(image, file, png.read)
    if image.format in wide.FORMATS and wide.depth(_whole(file), image.format) > 8:
        return lambda: _decoded(image, file, lambda data: wide.read(data, str(image.format)))
    if image.format == "PPM" and image.mode not in ("1", "F") and ppm.maximum(image) > 255:
        return lambda: ppm.read(image, file)
    return None


def _needs_libpng(image: ImageFile.ImageFile) -> bool:
    """Whether a PNG file has 16 bits, or a transparent grey, which Pillow does not scale with the pixels."""
    return ";16" in str(image.tile[0].args) or (image.mode in ("1", "L") and "transparency" in image.info)


def _decoded(image: ImageFile.ImageFile, file: IO[bytes], decode: Callable[[bytes], Pixels]) -> Pixels:
    """The pixels that `decode` finds in the file, with the metadata that Pillow does."""
    data = _whole(file)
    image.load()  # of PNG files, only then has Pillow seen the metadata behind the pixels
    return metadata.attach(decode(data), image)


def _whole(file: IO[bytes]) -> bytes:
    """All of a file, which is left where it stood."""
    at = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(at)
    return data

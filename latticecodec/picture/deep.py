"""Which open files have samples that Pillow would cut to 8 bits, and what reads them instead."""

from collections.abc import Callable
from typing import IO

from PIL import Image, ImageFile

from . import metadata, ppm
from .pixels import Pixels


def reader(image: Image.Image) -> Callable[[], Pixels] | None:
    """What reads a file that is open in Pillow and not loaded; None where Pillow reads it right.

    The function keeps 16 bits a sample and raises ImageError, or what the library behind it does for damaged files.
    """
    if not isinstance(image, ImageFile.ImageFile) or not image.tile or image.fp is None:
        return None
    file = image.fp
    if image.format == "PNG" and _needs_libpng(image):
        return lambda: _read_png(image, file)
    if image.format == "PPM" and image.mode != "F" and ppm.maximum(image) > 255:
        return lambda: ppm.read(image, file)
    if image.format == "TIFF":
        from . import tiff

        at = file.tell()
        tags = tiff.directory(file)
        if tags is not None and tiff.is_deep(tags):
            return lambda: tiff.read(file, tags)
        file.seek(at)
    return None


def _needs_libpng(image: ImageFile.ImageFile) -> bool:
    """Whether a PNG file has 16 bits, or a transparent grey, which Pillow does not scale with the pixels."""
    return ";16" in str(image.tile[0].args) or (image.mode in ("1", "L") and "transparency" in image.info)


def _read_png(image: ImageFile.ImageFile, file: IO[bytes]) -> Pixels:
    from . import png

    at = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(at)
    image.load()  # only then has Pillow seen the metadata behind the pixels
    return metadata.attach(png.read(data), image)

"""PIL images to Pixels and back."""

from dataclasses import replace
from typing import IO

import numpy as np
from PIL import Image, ImageFile

from ..errors import ImageError
from . import deep, metadata, several, tiff
from .formats import BY_PILLOW, OWN
from .pixels import GREY, Pixels, Samples, check_size

ROWS = 256  # of pixels, copied at a time
MODES = {  # Pillow's, and what they are read as
    "1": "L", "L": "L", "RGB": "RGB", "RGBX": "RGB", "P": "RGB",
    "LA": "LA", "La": "LA", "RGBA": "RGBA", "RGBa": "RGBA", "PA": "RGBA",
}  # fmt: skip
TRANSPARENT = {"L": "LA", "RGB": "RGBA"}  # the same with a transparent colour
DEEP = ("I;16", "I;16L", "I;16B", "I;16N")


def from_pillow(image: Image.Image) -> Pixels:
    """A PIL image to Pixels; one that is not loaded yet keeps 16 bits where Pillow would cut them to 8.

    Raises ImageError for animations, CMYK, floating point and other modes, and for a file of a format that is not read
    here, unless it is loaded: loading can start programs, which is for the caller to decide.
    """
    if isinstance(image, ImageFile.ImageFile) and _waits(image):
        if image.format != OWN and image.format not in BY_PILLOW:
            raise ImageError(f"{image.format} is not a format that is read; load the picture before, or make it PNG")
        if image.format == "TIFF" and image.fp is not None:
            return from_tiff(image.fp)
    notes = several.check(image)
    reader = deep.reader(image)
    if reader is None:
        _check_mode(image)
    check_size(image.width, image.height)
    if reader is not None:
        return replace(reader(), notes=tuple(notes))
    exif = metadata.exif_of_tags(image.getexif()) if image.format == "TIFF" else None
    image.load()
    pixels = replace(metadata.attach(_samples(image), image), notes=tuple(notes))
    return replace(pixels, exif=exif) if image.format == "TIFF" else pixels


def from_tiff(file: IO[bytes]) -> Pixels:
    """The picture of an open TIFF file as it lies there; raises ImageError, or what decoders do."""
    tags = tiff.directory(file)
    tiff.check(file, tags)
    if tiff.is_deep(tags):
        return tiff.read(file, tags)
    file.seek(0)
    with tiff.Tiff(file) as image:
        _check_mode(image)
        check_size(image.width, image.height)
        image.load()
        return tiff.described(_samples(image), file, tags)


def _waits(image: ImageFile.ImageFile) -> bool:
    """Whether a file is open and its picture not decoded yet."""
    return bool(image.tile) or getattr(image, "_im", None) is None


def _check_mode(image: Image.Image) -> None:
    if image.mode == "CMYK":
        raise ImageError("the picture is CMYK; convert it to RGB first")
    if image.mode not in MODES and image.mode not in DEEP:
        raise ImageError(f"the picture is of mode {image.mode}; convert it to 8 or 16 bits of grey or RGB first")


def to_pillow(pixels: Pixels) -> Image.Image:
    """A PIL image of mode L, LA, RGB, RGBA, or I;16 for 16-bit grey without alpha, with the metadata in its `info`.

    Pillow has no other 16-bit modes: 16-bit colour, and grey with alpha, are rounded to 8 bits. `info` has
    `icc_profile`, `exif` and `xmp` where the picture has them, so that each can be given to `save` in any format.
    """
    colour = eight_bits(pixels.colour) if pixels.depth == 16 and pixels.channels > GREY else pixels.colour
    image = Image.fromarray(colour[:, :, 0] if colour.shape[2] == GREY else colour)
    if pixels.alpha is not None:
        image.putalpha(Image.fromarray(eight_bits(pixels.alpha) if pixels.depth == 16 else pixels.alpha))
    image.info.update(metadata.info_of(pixels.icc, pixels.exif, pixels.xmp))
    return image


def eight_bits(samples: Samples) -> Samples:
    """uint16 [H, ...] to uint8 of the same shape: v / 257, rounded."""
    rounded: Samples = np.empty(samples.shape, np.uint8)
    for top in range(0, len(samples), ROWS):
        band = samples[top : top + ROWS].astype(np.uint32)
        rounded[top : top + ROWS] = (band + 128) // 257
    return rounded


def _samples(image: Image.Image) -> Pixels:
    """Colour and alpha of a loaded PIL image, copied a band of rows at a time."""
    if image.mode in DEEP:
        return _grey_16(image)
    transparent = "transparency" in image.info
    mode = TRANSPARENT.get(MODES[image.mode], MODES[image.mode]) if transparent else MODES[image.mode]
    whole = image if image.mode == mode else image.convert(mode)
    channels = len(mode.removesuffix("A"))
    colour: Samples = np.empty((image.height, image.width, channels), np.uint8)
    alpha: Samples | None = np.empty(colour.shape[:2], np.uint8) if mode.endswith("A") else None
    for top in range(0, image.height, ROWS):
        rows = slice(top, min(top + ROWS, image.height))
        band = Image.new(mode, (image.width, rows.stop - top))
        band.paste(whole, (0, -top))  # crop() would ask for Pillow's own limit on pixels
        values = np.asarray(band).reshape(-1, image.width, len(mode))
        colour[rows] = values[:, :, :channels]
        if alpha is not None:
            alpha[rows] = values[:, :, channels]
    return Pixels(colour, alpha)


def _grey_16(image: Image.Image) -> Pixels:
    """The samples of a loaded image of mode I;16; a transparent colour becomes alpha."""
    grey = np.array(image, np.uint16)  # [H, W]
    key = image.info.get("transparency")
    alpha = None if key is None else np.where(grey == key, 0, 65535).astype(np.uint16)
    return Pixels(grey[:, :, None], alpha)

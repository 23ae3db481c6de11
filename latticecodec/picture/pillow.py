"""PIL images to Pixels and back."""

from dataclasses import replace

import numpy as np
from PIL import Image

from ..errors import ImageError
from . import deep, metadata
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

    Raises ImageError for animations, CMYK, floating point and other modes.
    """
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)  # MPO: a JPEG with previews
    if frames > 1 and image.format == "TIFF":
        raise ImageError(f"has {frames} pages; save one of them first")
    if frames > 1:
        raise ImageError(f"an animation of {frames} frames; save one frame as a still picture first")
    if image.mode == "CMYK":
        raise ImageError("the picture is CMYK; convert it to RGB first")
    reader = deep.reader(image)
    if reader is None and image.mode not in MODES and image.mode not in DEEP:
        raise ImageError(f"the picture is of mode {image.mode}; convert it to 8 or 16 bits of grey or RGB first")
    check_size(image.width, image.height)
    if reader is not None:
        return reader()
    if image.format == "TIFF":
        return _from_tiff(image)
    image.load()
    return metadata.attach(_samples(image), image)


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


def _from_tiff(image: Image.Image) -> Pixels:
    """A TIFF file as it lies there: Pillow turns it upright, which is undone."""
    exif = metadata.exif_of_tags(image.getexif())
    image.load()
    pixels, back = _samples(image), metadata.inverse(metadata.orientation(exif))
    alpha = None if pixels.alpha is None else metadata.turned(pixels.alpha, back)
    return replace(
        metadata.attach(replace(pixels, colour=metadata.turned(pixels.colour, back), alpha=alpha), image), exif=exif
    )


def _samples(image: Image.Image) -> Pixels:
    """Colour and alpha of a loaded PIL image, copied a band of rows at a time."""
    if image.mode in DEEP:
        return _grey_16(image)
    transparent = "transparency" in image.info
    mode = TRANSPARENT.get(MODES[image.mode], MODES[image.mode]) if transparent else MODES[image.mode]
    channels = len(mode.removesuffix("A"))
    colour: Samples = np.empty((image.height, image.width, channels), np.uint8)
    alpha: Samples | None = np.empty(colour.shape[:2], np.uint8) if mode.endswith("A") else None
    for top in range(0, image.height, ROWS):
        rows = slice(top, min(top + ROWS, image.height))
        band = image.crop((0, top, image.width, rows.stop))
        values = np.asarray(band if band.mode == mode else band.convert(mode)).reshape(-1, image.width, len(mode))
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

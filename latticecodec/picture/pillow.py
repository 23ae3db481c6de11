"""PIL images to Pixels and back; what their files are is for formats/ to know."""

from typing import IO, Any

import numpy as np
from PIL import Image, ImageFile

from ..errors import ImageError
from . import metadata
from .pixels import GREY, Pixels, Samples

ROWS = 256  # of pixels, copied at a time
MODES = {  # Pillow's, and what they are read as
    "1": "L", "L": "L", "RGB": "RGB", "RGBX": "RGB", "P": "RGB",
    "LA": "LA", "La": "LA", "RGBA": "RGBA", "RGBa": "RGBA", "PA": "RGBA",
}  # fmt: skip
TRANSPARENT = {"L": "LA", "RGB": "RGBA"}  # the same with a transparent colour
DEEP = ("I;16", "I;16L", "I;16B", "I;16N")


def waits(image: ImageFile.ImageFile) -> bool:
    """Whether a file is open and its picture not decoded yet."""
    return bool(image.tile) or getattr(image, "_im", None) is None


def check_mode(image: Image.Image) -> None:
    """Raise ImageError for CMYK, floating point and other modes that are not read."""
    if image.mode == "CMYK":
        raise ImageError("the picture is CMYK; convert it to RGB first")
    if image.mode not in MODES and image.mode not in DEEP:
        raise ImageError(f"the picture is of mode {image.mode}; convert it to 8 or 16 bits of grey or RGB first")


def to_pillow(pixels: Pixels) -> Image.Image:
    """A PIL image of mode L, LA, RGB, RGBA, or I;16 for 16-bit grey without alpha, with the metadata in its `info`.

    Pillow has no other 16-bit modes: 16-bit colour, and grey with alpha, are rounded to 8 bits. `info` has
    `icc_profile`, `exif` and `xmp` where the picture has them, so that each can be given to `save` in any format, and
    `cicp`, the four bytes of its code points.
    """
    colour = eight_bits(pixels.colour) if pixels.depth == 16 and pixels.channels > GREY else pixels.colour
    image = Image.fromarray(colour[:, :, 0] if colour.shape[2] == GREY else colour)
    if pixels.alpha is not None:
        image.putalpha(Image.fromarray(eight_bits(pixels.alpha) if pixels.depth == 16 else pixels.alpha))
    image.info.update(metadata.info_of(pixels))
    return image


def save_as(kind: str, pixels: Pixels, file: IO[bytes], exif_prefix: bytes = b"", **options: Any) -> None:
    """Write an image file with all metadata by Pillow.

    Args:
        kind: Pillow's name of the format.
        pixels: a picture that the format can hold.
        file: open for writing.
        exif_prefix: what stands before EXIF data in such files.
        options: for `Image.save`.
    """
    exif = None if pixels.exif is None else exif_prefix + pixels.exif
    found = {"icc_profile": pixels.icc, "exif": exif, "xmp": pixels.xmp}
    image = to_pillow(pixels)
    image.info.clear()  # of which Pillow would take its own choice
    image.save(file, kind, **options, **{key: value for key, value in found.items() if value is not None})


def eight_bits(deep: Samples) -> Samples:
    """uint16 [H, ...] to uint8 of the same shape: v / 257, rounded."""
    rounded: Samples = np.empty(deep.shape, np.uint8)
    for top in range(0, len(deep), ROWS):
        band = deep[top : top + ROWS].astype(np.uint32)
        rounded[top : top + ROWS] = (band + 128) // 257
    return rounded


def samples(image: Image.Image) -> Pixels:
    """Colour and alpha of a loaded PIL image without its metadata, copied a band of rows at a time."""
    if image.mode in DEEP:
        return _grey_16(image)
    mode = MODES[image.mode]
    if image.has_transparency_data:  # also of a palette's colours
        mode = TRANSPARENT.get(mode, mode)
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

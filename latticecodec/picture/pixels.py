"""What a picture is between a file and the networks: colour, alpha and metadata, as they stood in the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..container import PIXELS_MAX, SIZE_MAX, Cicp
from ..errors import ImageError

Samples = np.ndarray[Any, np.dtype[Any]]  # uint8 or uint16

GREY, GREY_ALPHA, RGB, RGBA = 1, 2, 3, 4  # channels

_max_pixels = ContextVar("max_pixels", default=PIXELS_MAX)  # of every picture that is read


@dataclass(frozen=True, eq=False)
class Pixels:
    """One picture.

    Attributes:
        colour: uint8 or uint16 [H, W, C], C = 1 (grey) or 3 (RGB), not premultiplied with alpha.
        alpha: [H, W] of the same type, 0 is transparent, or None.
        icc: the ICC profile, byte for byte, or None.
        exif: the EXIF data, byte for byte, or None: a TIFF structure, without the `Exif\\0\\0` that JPEG puts before
            it. Its orientation has not been applied.
        xmp: the XMP packet, byte for byte, or None.
        cicp: code points of what the colours mean, where no ICC profile says it; None for sRGB.
        notes: what the file held and this picture does not, one line each: other pictures, a gain map.
    """

    colour: Samples
    alpha: Samples | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    cicp: Cicp | None = None
    notes: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.colour.shape[0])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.colour.shape[1])

    @property
    def depth(self) -> int:
        """Bits a sample, 8 or 16."""
        return 8 * self.colour.dtype.itemsize

    @property
    def channels(self) -> int:
        """1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha."""
        return int(self.colour.shape[2]) + (self.alpha is not None)


def to_array(pixels: Pixels) -> Samples:
    """Colour and alpha as one array: [H, W] for grey, else [H, W, 2 to 4], uint8 or uint16."""
    if pixels.alpha is not None:
        return np.dstack([pixels.colour, pixels.alpha])  # [H, W, 2 or 4]
    return pixels.colour[:, :, 0] if pixels.channels == GREY else pixels.colour


def from_array(array: Samples) -> Pixels:
    """uint8 or uint16 [H, W] or [H, W, 1 to 4] to Pixels; raises ImageError for other arrays."""
    native = array.dtype.newbyteorder("=")
    if native not in (np.uint8, np.uint16):
        raise ImageError(f"an array of {array.dtype}; arrays must be uint8 or uint16")
    stacked = array[:, :, None] if array.ndim == 2 else array  # [H, W, 1 to 4]
    if stacked.ndim != 3 or stacked.shape[2] not in (GREY, GREY_ALPHA, RGB, RGBA):
        raise ImageError(f"pixels of shape {tuple(array.shape)}; expected [H, W] or [H, W, 1 to 4]")
    check_size(stacked.shape[1], stacked.shape[0])
    if stacked.shape[2] in (GREY_ALPHA, RGBA):
        alpha = np.ascontiguousarray(stacked[:, :, -1], native)  # [H, W]
        return Pixels(np.ascontiguousarray(stacked[:, :, :-1], native), alpha)
    return Pixels(np.ascontiguousarray(stacked, native))


@contextmanager
def at_most(max_pixels: int) -> Iterator[None]:
    """Inside, `check_size` refuses pictures of more pixels; of this thread alone."""
    token = _max_pixels.set(max_pixels)
    try:
        yield
    finally:
        _max_pixels.reset(token)


def check_size(width: int, height: int) -> None:
    """Raise ImageError for a picture that an .lcq file cannot hold, or of more pixels than asked for."""
    if not (1 <= width <= SIZE_MAX and 1 <= height <= SIZE_MAX) or width * height > PIXELS_MAX:
        raise ImageError(f"{width}x{height} pixels; each side must be 1 to {SIZE_MAX:,} and the area at most 2^28")
    if width * height > _max_pixels.get():
        raise ImageError(f"{width}x{height} pixels: over the limit of {_max_pixels.get():,} that was asked for")


def not_unsigned(kind: str) -> ImageError:
    """The error about samples of another kind than those of Pixels."""
    return ImageError(f"has {kind} samples; convert them to unsigned integers of 8 or 16 bits first")


def plain(pixels: Pixels) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """The colour uint8 [H, W, C] of an opaque 8-bit picture; raises ImageError for one with alpha or 16 bits."""
    if pixels.alpha is not None:
        raise ImageError("the picture has alpha; only opaque pictures can be used here, flatten it first")
    if pixels.depth != 8:
        raise ImageError("the picture has 16 bits a sample; only 8-bit pictures can be used here")
    return pixels.colour

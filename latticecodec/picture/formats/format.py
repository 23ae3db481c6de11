"""What makes a format: how its files are found, opened and written. Each has a module here, and a row in the table."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from PIL import Image, ImageFile

from ...container import SIZE_MAX
from ...errors import ImageError
from .. import metadata
from ..pixels import Pixels


def still(image: Image.Image) -> list[str]:
    """No notes; raises ImageError for an image file of several pictures, each of which counts."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise ImageError(f"an animation of {frames} frames; save one frame as a still picture first")
    return []


def as_pillow_has_it(image: ImageFile.ImageFile, file: IO[bytes]) -> None:
    """No pixels: Pillow's own are right."""


@dataclass(frozen=True)
class Kind:
    """How files of a format are written, and what they hold.

    Attributes:
        suffixes: that name such files, without the dot.
        write: writes a picture that has no more than such a file holds.
        deep: 16 bits a sample.
        alpha: an alpha channel.
        metadata: ICC, EXIF and XMP.
        damaged_exif: EXIF data that cannot be taken apart, or not be put together again without their orientation.
        exif_is_tags: EXIF data become tags of the file itself, where rare and damaged ones have no place.
        ranges: of the code points that such files hold, their full-range flags; empty where they hold none.
        exif_max, xmp_max: bytes of either, None for any number.
        side: pixels.
    """

    suffixes: tuple[str, ...]
    write: Callable[[Pixels, IO[bytes]], None]
    deep: bool = False
    alpha: bool = False
    metadata: bool = True
    damaged_exif: bool = True
    exif_is_tags: bool = False
    ranges: tuple[int, ...] = ()
    exif_max: int | None = None
    xmp_max: int | None = None
    side: int = SIZE_MAX


@dataclass(frozen=True)
class Format:
    """A format that is read.

    Attributes:
        name: as people call it.
        suffixes: of its files; folders are searched for them.
        begins: matches the first HEAD bytes of every such file.
        opens: `module:name` of what makes a PIL image, not loaded yet, or Pixels of such a file.
        pillow: the `format` of its PIL images.
        extra: the extra of this package that brings what decodes it, where that is optional.
        notes: what is told of the other pictures in the file of an open image; raises ImageError where it is refused.
        anew: the pixels of an image that is open and not loaded, where Pillow would cut or change them, else None.
        described: adds the metadata of a loaded image to its pixels.
        writes: how such files are written, where they are.
    """

    name: str
    suffixes: tuple[str, ...]
    begins: re.Pattern[bytes]
    opens: str
    pillow: tuple[str, ...]
    extra: str = ""
    notes: Callable[[Image.Image], list[str]] = still
    anew: Callable[[ImageFile.ImageFile, IO[bytes]], Pixels | None] = as_pillow_has_it
    described: Callable[[Pixels, Image.Image], Pixels] = metadata.attach
    writes: Kind | None = None


def boxes(*brands: str) -> re.Pattern[bytes]:
    """Files of ISO base media whose main brand, or one that a general main brand goes with, is one of these."""
    own = "|".join(brands)
    return re.compile(rf"....ftyp(?:(?:{own})|(?:mif1|msf1|miaf)....(?:....)*?(?:{own}))".encode(), re.DOTALL)


def one_of(others: str, taken: str) -> list[str]:
    """The note about a file that holds `others`, of which one was `taken`; none where it holds no others."""
    return [f"holds {others}; {taken} was taken"] if others else []


def whole(file: IO[bytes]) -> bytes:
    """All of a file, which is left where it stood."""
    at = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(at)
    return data

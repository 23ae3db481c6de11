"""AVIF files; those of 10 and 12 bits a sample are scaled to 16."""

from functools import partial
from typing import IO

from PIL import ImageFile

from ..pillow import save_as
from ..pixels import Pixels
from . import wide
from .format import Format, Kind, boxes, whole


def depth(data: bytes) -> int:
    """Bits a sample that a file says it has; 8 where it does not say."""
    at = data.find(b"av1C") + 6  # AV1 Codec ISO Media File Format Binding, 2.3.3
    flags = data[at] if 6 <= at < len(data) else 0
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def _anew(image: ImageFile.ImageFile, file: IO[bytes]) -> Pixels | None:
    data = whole(file)
    return wide.read(image, data, depth(data), "avif")


FORMAT = Format(
    "AVIF",
    (".avif", ".avifs"),
    boxes("avif", "avis"),
    "PIL.AvifImagePlugin:AvifImageFile",
    ("AVIF",),
    anew=_anew,
    writes=Kind(("avif",), partial(save_as, "AVIF", quality=100, subsampling="4:4:4"), alpha=True, damaged_exif=False),
)

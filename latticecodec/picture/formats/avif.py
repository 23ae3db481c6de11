"""AVIF files; those of 10 and 12 bits a sample are scaled to 16. Pillow neither reads nor writes their code points."""

import io
from functools import partial
from typing import IO

from PIL import ImageFile

from .. import metadata
from ..pillow import samples, save_as
from ..pixels import Pixels
from . import nclx, wide
from .format import Format, Kind, boxes, whole

SAVE = partial(save_as, "AVIF", quality=100, subsampling="4:4:4")


def depth(data: bytes) -> int:
    """Bits a sample that a file says it has; 8 where it does not say."""
    at = data.find(b"av1C") + 6  # AV1 Codec ISO Media File Format Binding, 2.3.3
    flags = data[at] if 6 <= at < len(data) else 0
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def _anew(image: ImageFile.ImageFile, file: IO[bytes]) -> Pixels | None:
    data = whole(file)
    cicp = nclx.read(data)
    besides = {} if cicp is None else {"cicp": bytes(cicp)}
    deep = wide.read(image, data, depth(data), "avif", besides)
    if deep is not None or cicp is None:
        return deep
    image.load()
    return metadata.attach(samples(image), image, besides)


def write(pixels: Pixels, file: IO[bytes]) -> None:
    """Write an AVIF file of 8 bits a sample with all metadata; an ICC profile takes the place of code points."""
    if pixels.cicp is None or pixels.icc is not None:
        SAVE(pixels, file)
        return
    whole_file = io.BytesIO()
    SAVE(pixels, whole_file)
    file.write(nclx.replaced(whole_file.getvalue(), pixels.cicp))


FORMAT = Format(
    "AVIF",
    (".avif", ".avifs"),
    boxes("avif", "avis"),
    "PIL.AvifImagePlugin:AvifImageFile",
    ("AVIF",),
    anew=_anew,
    writes=Kind(("avif",), write, alpha=True, damaged_exif=False, ranges=(1,)),
)

"""JPEG files, also several in one (MPO), of which the first is read."""

import re
from functools import partial

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from .. import exif, metadata
from ..pillow import save_as
from .format import Format, Kind, one_of

NUMBER_OF_IMAGES = 0xB001  # tag of the index of several pictures (CIPA DC-007)
ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"  # begins a segment APP2, ISO 21496-1
SEGMENT_MAX = 65_533  # bytes in a segment after its length
GAIN_MAPS = (b"http://ns.adobe.com/hdr-gain-map/", b"http://ns.apple.com/HDRGainMap/")  # namespaces of XMP


class Jpeg(JpegImageFile):
    """A JPEG file in Pillow, the first one where several are one behind the other (MPO)."""

    def _read_dpi_from_exif(self) -> None:
        """Not at all: the resolution is of no use here, and damage of EXIF data of no harm."""


def gain_map_notes(image: Image.Image) -> list[str]:
    """The note about a gain map, where there is one."""
    return ["its HDR gain map is left out, though its metadata may speak of one"] if has_gain_map(image) else []


def _notes(image: Image.Image) -> list[str]:
    return one_of("several pictures" if has_more_pictures(image) else "", "the first") + gain_map_notes(image)


def has_more_pictures(image: Image.Image) -> bool:
    """Whether the file says that others follow the first picture."""
    return (exif.number(image.info.get("mp", b""), NUMBER_OF_IMAGES) or 0) > 1


def has_gain_map(image: Image.Image) -> bool:
    """Whether one of the others makes the picture brighter on displays that can show it."""
    segments = getattr(image, "applist", [])
    iso = any(name == "APP2" and body.startswith(ISO_GAIN_MAP) for name, body in segments)
    return iso or any(name in (image.info.get("xmp") or b"") for name in GAIN_MAPS)


FORMAT = Format(
    "JPEG",
    (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    re.compile(rb"\xff\xd8\xff"),
    "latticecodec.picture.formats.jpeg:Jpeg",
    ("JPEG", "MPO"),
    notes=_notes,
    writes=Kind(
        ("jpg", "jpeg"),
        partial(save_as, "JPEG", exif_prefix=metadata.PREFIX, quality=95, subsampling="4:4:4"),
        exif_max=SEGMENT_MAX - len(metadata.PREFIX),
        xmp_max=SEGMENT_MAX - len(metadata.XMP_PREFIX),
        side=65_500,
    ),
)

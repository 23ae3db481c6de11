"""JPEG files: what stands in them beside the picture."""

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from . import exif

NUMBER_OF_IMAGES = 0xB001  # tag of the index of several pictures (CIPA DC-007)
ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"  # begins a segment APP2, ISO 21496-1
GAIN_MAPS = (b"http://ns.adobe.com/hdr-gain-map/", b"http://ns.apple.com/HDRGainMap/")  # namespaces of XMP


class Jpeg(JpegImageFile):
    """A JPEG file in Pillow, the first one where several are one behind the other (MPO)."""

    def _read_dpi_from_exif(self) -> None:
        """Not at all: the resolution is of no use here, and damage of EXIF data of no harm."""


def has_more_pictures(image: Image.Image) -> bool:
    """Whether the file says that others follow the first picture."""
    return (exif.number(image.info.get("mp", b""), NUMBER_OF_IMAGES) or 0) > 1


def has_gain_map(image: Image.Image) -> bool:
    """Whether one of the others makes the picture brighter on displays that can show it."""
    segments = getattr(image, "applist", [])
    iso = any(name == "APP2" and body.startswith(ISO_GAIN_MAP) for name, body in segments)
    return iso or any(name in (image.info.get("xmp") or b"") for name in GAIN_MAPS)

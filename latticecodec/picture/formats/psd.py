"""PSD files, of which the composite of all layers is read."""

import re
from typing import Any

from PIL import Image

from ...errors import ImageError
from .. import metadata
from ..pixels import Pixels
from .format import Format, one_of

VERSION = 1057  # image resource: 4 bytes of version, then whether there is a composite
METADATA = {1058: "exif", 1060: "xmp"}  # image resources, and Pillow's names, which passes them over


def _notes(image: Any) -> list[str]:
    for number, _, body in getattr(image, "resources", ()):
        if number == VERSION and body[4:5] == b"\0":
            raise ImageError("holds layers but no composite of them; save it with maximized compatibility first")
    return one_of(_layers(image), "their composite")


def _layers(image: Any) -> str:
    try:
        count = len(getattr(image, "layers", ()))
    except Exception:  # of damaged layers, on which the composite does not depend
        return "layers that are damaged"
    return f"{count} layers" if count > 1 else ""


def _described(pixels: Pixels, image: Image.Image) -> Pixels:
    resources = getattr(image, "resources", [])
    found = {METADATA[number]: body for number, _, body in resources if number in METADATA and body}
    return metadata.attach(pixels, image, found)


FORMAT = Format(
    "PSD",
    (".psd",),
    re.compile(rb"8BPS"),
    "PIL.PsdImagePlugin:PsdImageFile",
    ("PSD",),
    notes=_notes,
    described=_described,
)

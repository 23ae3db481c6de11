"""ICO files, of whose pictures the largest is read."""

import re

from PIL import Image

from .format import Format, one_of


def _notes(image: Image.Image) -> list[str]:
    count = len(image.info.get("sizes", ()))
    return one_of(f"{count} pictures" if count > 1 else "", "the largest")


FORMAT = Format(
    "ICO", (".ico",), re.compile(rb"\x00\x00\x01\x00"), "PIL.IcoImagePlugin:IcoImageFile", ("ICO",), notes=_notes
)

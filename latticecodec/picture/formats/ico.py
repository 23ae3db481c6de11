"""ICO files, of whose pictures the largest is read."""

import re
from typing import IO

from PIL import Image

from ..pixels import check_size
from .format import Format, one_of

PNG = b"\x89PNG\r\n\x1a\n"


def read(file: IO[bytes]) -> Image.Image:
    """The largest picture of an open file; raises ImageError for one that is too large, or what Pillow does.

    Pillow decodes it as it opens the file, whatever the list of pictures said of its size: that is asked before.
    """
    from PIL.BmpImagePlugin import DibImageFile
    from PIL.IcoImagePlugin import IcoFile, IcoImageFile
    from PIL.PngImagePlugin import PngImageFile

    at = IcoFile(file).entry[0].offset
    file.seek(at)
    is_png = file.read(len(PNG)) == PNG
    file.seek(at)
    if is_png:
        check_size(*PngImageFile(file).size)
    else:
        width, height = DibImageFile(file).size
        check_size(width, height // 2)  # the mask stands above
    file.seek(0)
    return IcoImageFile(file)


def _notes(image: Image.Image) -> list[str]:
    count = len(image.info.get("sizes", ()))
    return one_of(f"{count} pictures" if count > 1 else "", "the largest")


FORMAT = Format(
    "ICO", (".ico",), re.compile(rb"\x00\x00\x01\x00"), "latticecodec.picture.formats.ico:read", ("ICO",), notes=_notes
)

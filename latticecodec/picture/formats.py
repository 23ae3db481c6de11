"""The formats that pictures are read from: one table, by which files are opened and folders are searched.

What a file is follows from its first bytes, whatever its name says. What is not in the table is not opened, so no other
decoder of Pillow's ever sees it, among them the one that hands PostScript to a program.
"""

import re
from dataclasses import dataclass
from typing import IO

from ..container import MAGIC
from ..errors import ImageError

HEAD = 256  # bytes of a file that tell its format


@dataclass(frozen=True)
class Format:
    """A format that is read.

    Attributes:
        name: as people call it.
        suffixes: of its files; folders are searched for them.
        begins: matches the first HEAD bytes of every such file.
        opens: `module:name` of what makes a PIL image, not loaded yet, or Pixels of such a file.
        pillow: the `format` of its PIL images.
        taken: which picture of several is read; empty where such a file is refused.
        extra: the extra of this package that brings what decodes it, where that is optional.
    """

    name: str
    suffixes: tuple[str, ...]
    begins: re.Pattern[bytes]
    opens: str
    pillow: tuple[str, ...]
    taken: str = ""
    extra: str = ""


def _boxes(*brands: str) -> re.Pattern[bytes]:
    """Files of ISO base media whose main brand, or one that a general main brand goes with, is one of these."""
    own = "|".join(brands)
    return re.compile(rf"....ftyp(?:(?:{own})|(?:mif1|msf1|miaf)....(?:....)*?(?:{own}))".encode(), re.DOTALL)


FORMATS = (
    Format(
        "JPEG",
        (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
        re.compile(rb"\xff\xd8\xff"),
        "latticecodec.picture.jpeg:Jpeg",
        ("JPEG", "MPO"),
        taken="the first",
    ),
    Format("PNG", (".png", ".apng"), re.compile(rb"\x89PNG\r\n\x1a\n"), "PIL.PngImagePlugin:PngImageFile", ("PNG",)),
    Format(
        "TIFF",
        (".tif", ".tiff"),
        re.compile(rb"II[*+]\x00|MM\x00[*+]"),
        "latticecodec.picture.pillow:from_tiff",
        ("TIFF",),
    ),
    Format("WebP", (".webp",), re.compile(rb"RIFF....WEBP", re.DOTALL), "PIL.WebPImagePlugin:WebPImageFile", ("WEBP",)),
    Format("AVIF", (".avif", ".avifs"), _boxes("avif", "avis"), "PIL.AvifImagePlugin:AvifImageFile", ("AVIF",)),
    Format("GIF", (".gif",), re.compile(rb"GIF8[79]a"), "PIL.GifImagePlugin:GifImageFile", ("GIF",)),
    Format("BMP", (".bmp",), re.compile(rb"BM"), "PIL.BmpImagePlugin:BmpImageFile", ("BMP",)),
    Format(
        "PPM",
        (".ppm", ".pgm", ".pbm", ".pnm"),
        re.compile(rb"P[1-6Ff][\s#]"),
        "PIL.PpmImagePlugin:PpmImageFile",
        ("PPM",),
    ),
    Format(
        "JPEG 2000",
        (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
        re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
        "PIL.Jpeg2KImagePlugin:Jpeg2KImageFile",
        ("JPEG2000",),
    ),
    Format(
        "ICO",
        (".ico",),
        re.compile(rb"\x00\x00\x01\x00"),
        "PIL.IcoImagePlugin:IcoImageFile",
        ("ICO",),
        taken="the largest",
    ),
    Format(
        "PSD",
        (".psd",),
        re.compile(rb"8BPS"),
        "PIL.PsdImagePlugin:PsdImageFile",
        ("PSD",),
        taken="their composite",
    ),
    Format("QOI", (".qoi",), re.compile(rb"qoif"), "PIL.QoiImagePlugin:QoiImageFile", ("QOI",)),
    Format(
        "HEIC",
        (".heic", ".heif", ".hif"),
        _boxes("heic", "heix", "heim", "heis", "hevc", "hevx"),
        "latticecodec.picture.heif:read",
        ("HEIF",),
        taken="the primary one",
        extra="heif",
    ),
    Format(
        "JPEG XL",
        (".jxl",),
        re.compile(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"),
        "latticecodec.picture.jxl:read",
        ("JXL",),
        extra="jxl",
    ),
)
OWN = "LCQ"  # what Pillow calls our own files, where latticecodec.pillow has told it of them
IMAGE_SUFFIXES = frozenset(suffix for known in FORMATS for suffix in known.suffixes)
BY_PILLOW = {name: known for known in FORMATS for name in known.pillow}


def identify(file: IO[bytes]) -> Format:
    """The format of an open file, which is left at its start; raises ImageError for one that is not in the table."""
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    if not head:
        raise ImageError("not an image; the file is empty")
    if head.startswith(MAGIC):
        raise ImageError("is an .lcq file already; decode it first, or give another picture")
    for known in FORMATS:
        if known.begins.match(head):
            return known
    names = ", ".join(known.name for known in FORMATS)
    raise ImageError(f"not an image of a format that is read ({names}); convert it to PNG first")

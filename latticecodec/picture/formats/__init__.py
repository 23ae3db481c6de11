"""The formats that pictures are read from and written to: one table, a module each.

What a file is follows from its first bytes, whatever its name says. What is not in the table is not opened, so no other
decoder of Pillow's ever sees it, among them the one that hands PostScript to a program.

A module is imported when the search for a format comes to it: most pictures need the first one or two.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

from ...container import MAGIC
from ...errors import ImageError

if TYPE_CHECKING:
    from .format import Format

    FORMATS: tuple[Format, ...]
    IMAGE_SUFFIXES: frozenset[str]

HEAD = 256  # bytes of a file that tell its format
TABLE = (
    "png", "jpeg", "tiff", "webp", "avif", "gif", "bmp", "ppm", "jpeg2000", "ico", "psd", "qoi", "heif", "jxl",
)  # fmt: skip
OWN = "LCQ"  # what Pillow calls our own files, where latticecodec.pillow has told it of them


def identify(file: IO[bytes]) -> "Format":
    """The format of an open file, which is left at its start; raises ImageError for one that is not in the table."""
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    if not head:
        raise ImageError("not an image; the file is empty")
    if head.startswith(MAGIC):
        raise ImageError("is an .lcq file already; decode it first, or give another picture")
    for known in _all():
        if known.begins.match(head):
            return known
    names = ", ".join(known.name for known in _all())
    raise ImageError(f"not an image of a format that is read ({names}); convert it to PNG first")


def of_pillow(name: str) -> "Format | None":
    """The format whose PIL images have this `format`; None where it is not in the table."""
    return next((known for known in _all() if name in known.pillow), None)


def written(suffix: str) -> "Format | None":
    """The format that a suffix without its dot names for writing; None where there is none."""
    return next((known for known in _all() if known.writes is not None and suffix in known.writes.suffixes), None)


def suffixes_written() -> list[str]:
    """The suffixes, without dots, that can be written."""
    return [suffix for known in _all() if known.writes is not None for suffix in known.writes.suffixes]


def _all() -> Iterator["Format"]:
    """The table, in its order."""
    for module in TABLE:
        known: Format = import_module(f".{module}", __name__).FORMAT
        yield known


def __getattr__(name: str) -> Any:
    if name == "FORMATS":
        return tuple(_all())
    if name == "IMAGE_SUFFIXES":
        return frozenset(suffix for known in _all() for suffix in known.suffixes)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

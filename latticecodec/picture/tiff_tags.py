"""EXIF data to and from the tags of TIFF files.

In a TIFF file EXIF is not a block but tags of the file itself: they are gathered into a block, and what would tell of
the file's layout (strips, compression) is left out.
"""

import io
from typing import Any

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from .exif import ORIENTATION, number, orientation, tags
from .metadata import PREFIX
from .pixels import Pixels

RESOLUTION_UNIT, NO_UNIT, INCH, CENTIMETRE = 296, 1, 2, 3
RESOLUTION = {282, 283, RESOLUTION_UNIT}
XMP, ICC = 700, 34675
DIRECTORIES = {ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo}
CARRIED = {  # metadata in a first directory: EXIF 3.0, section 4.6.5, some of TIFF 6.0, and what Windows and Epson add
    269, 270, 271, 272, ORIENTATION, *RESOLUTION, 285, 305, 306, 315, 316, 318, 319, 33432, 34665, 34853, 18246, 18249,
    50341, *range(40091, 40096),
}  # fmt: skip
LAYOUT = {  # tags that say how the samples of a file lie there, which is no more true of another file
    *range(254, 260), 262, 266, 273, *range(277, 280), 284, 317, 320, *range(322, 326), 338, 339, 347, *range(512, 522),
    *range(529, 533),
}  # fmt: skip


class Text(str):
    """Text that Pillow writes as the very bytes it was read from; it decodes Latin-1, and would encode ASCII alone."""

    def encode(self, encoding: str = "latin-1", errors: str = "strict") -> bytes:
        """In Latin-1, whatever is asked for."""
        return super().encode("latin-1")


def exif_of_tags(directory: Image.Exif) -> bytes | None:
    """The EXIF block that stands for the tags of a TIFF file; None where none is CARRIED, or they are damaged."""
    block = Image.Exif()
    block.endian = directory.endian
    try:
        for tag in CARRIED & set(directory) - _meaningless(directory, {INCH, CENTIMETRE}):  # "no unit" is not EXIF's
            block[tag] = _value(directory, tag)
        return block.tobytes().removeprefix(PREFIX) if len(block) else None
    except Exception:  # Pillow raises many types on damaged EXIF data
        return None


def tags_of_exif(exif: bytes | None) -> dict[int, Any]:
    """The tags of a TIFF file that stand for an EXIF block: numbers to values, directories as dicts.

    They are those that are CARRIED and that Pillow reads and writes; none for a block that is None or damaged.
    """
    block = Image.Exif()
    try:
        block.load(exif or b"")
    except Exception:  # Pillow raises many types on damaged EXIF data
        return {}
    found: dict[int, Any] = {}
    for tag in sorted(CARRIED & set(block) - {ORIENTATION} - _meaningless(block, {NO_UNIT, INCH, CENTIMETRE})):
        directory = ImageFileDirectory_v2()
        try:
            directory[tag] = value = _value(block, tag)
            directory.save(io.BytesIO())
        except Exception:  # of one that is damaged, or of a type that it may not have
            continue
        if value != {}:
            found[tag] = value
    if number(exif or b"", ORIENTATION) == orientation(exif):
        found[ORIENTATION] = orientation(exif)
    return found


def _value(block: Image.Exif, tag: int) -> Any:
    """The value of a tag; a directory as a dict."""
    if tag not in DIRECTORIES:
        return _as_text(block[tag])
    found = {inner: _as_text(value) for inner, value in block.get_ifd(tag).items()}
    if ExifTags.IFD.Interop in found:
        interop = block.get_ifd(ExifTags.IFD.Interop)
        found[ExifTags.IFD.Interop] = {inner: _as_text(value) for inner, value in interop.items()}
    return found


def _as_text(value: Any) -> Any:
    return Text(value) if isinstance(value, str) else value


def _meaningless(block: Image.Exif, units: set[int]) -> set[int]:
    """Tags of an orientation that is none and of a resolution in no unit, of which libtiff would complain."""
    found = set() if block.get(ORIENTATION, 1) in range(1, 9) else {ORIENTATION}
    return found if block.get(RESOLUTION_UNIT, INCH) in units else found | RESOLUTION


def left_out(pixels: Pixels) -> list[str]:
    """What a TIFF file does not hold of a picture's EXIF data although it tells something, a line for each."""
    if pixels.exif is None:
        return []
    written, block = tags_of_exif(pixels.exif), Image.Exif()
    try:
        missing = tags(pixels.exif) - written.keys() - LAYOUT
        block.load(pixels.exif)
    except Exception:  # DamageError, and the many types of Pillow
        return [f"holds no damaged EXIF data; {'some of them ' if written else ''}left out"]
    missing -= _meaningless(block, {NO_UNIT, INCH, CENTIMETRE})
    missing -= {tag for tag, own in ((XMP, pixels.xmp), (ICC, pixels.icc)) if own is not None}
    rare, damaged = sorted(missing - CARRIED), sorted(missing & CARRIED)
    lines = [f"has no place for {_called(rare)} of EXIF; left out"] if rare else []
    return lines + [f"holds no damaged EXIF data; {_called(damaged)} left out"] * bool(damaged)


def _called(numbers: list[int]) -> str:
    return f"tag{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"

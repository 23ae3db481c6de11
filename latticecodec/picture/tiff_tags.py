"""EXIF data to and from the tags of TIFF files.

In a TIFF file EXIF is not a block but tags of the file itself: they are gathered into a block, and what would tell of
the file's layout (strips, compression) is left out.
"""

import io
from typing import Any

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from .exif import ORIENTATION, DamageError, tags
from .metadata import PREFIX

RESOLUTION_UNIT, NO_UNIT, INCH, CENTIMETRE = 296, 1, 2, 3
RESOLUTION = {282, 283, RESOLUTION_UNIT}
XMP, ICC = 700, 34675
CARRIED = {  # metadata in a first directory: EXIF 3.0, section 4.6.5, some of TIFF 6.0, and what Windows and Epson add
    269, 270, 271, 272, ORIENTATION, *RESOLUTION, 285, 305, 306, 315, 316, 318, 319, 33432, 34665, 34853, 18246, 18249,
    50341, *range(40091, 40096),
}  # fmt: skip
LAYOUT = {  # tags that say how the samples of a file lie there, which is no more true of another file
    *range(254, 260), 262, 266, 273, *range(277, 280), 284, 317, 320, *range(322, 326), 338, 339, 347, *range(512, 522),
    *range(529, 533),
}  # fmt: skip


def exif_of_tags(directory: Image.Exif) -> bytes | None:
    """The EXIF block that stands for the tags of a TIFF file; None where none is CARRIED, or they are damaged."""
    block = Image.Exif()
    try:
        block.load(directory.tobytes())
        for tag in set(block) - _told(block, {INCH, CENTIMETRE}):  # the unit "none" is not EXIF's
            del block[tag]
        return block.tobytes().removeprefix(PREFIX) if len(block) else None
    except Exception:  # Pillow raises many types on damaged EXIF data
        return None


def tags_of_exif(exif: bytes | None) -> dict[int, Any]:
    """The tags of a TIFF file that stand for an EXIF block: numbers to values, directories as dicts.

    They are those that are CARRIED; none for a block that is None, damaged, or that Pillow cannot write.
    """
    if exif is None:
        return {}
    block = Image.Exif()
    try:
        block.load(exif)
        found = {tag: block[tag] for tag in block if tag in _told(block, {NO_UNIT, INCH, CENTIMETRE})}
        for tag in {ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo} & found.keys():
            found[tag] = dict(block.get_ifd(tag))
        if ExifTags.IFD.Interop in found.get(ExifTags.IFD.Exif, {}):
            found[ExifTags.IFD.Exif][ExifTags.IFD.Interop] = dict(block.get_ifd(ExifTags.IFD.Interop))
        directory = ImageFileDirectory_v2()
        directory.update(found)
        directory.save(io.BytesIO())
    except Exception:  # Pillow raises many types on damaged EXIF data
        return {}
    return found


def _told(block: Image.Exif, units: set[int]) -> set[int]:
    """What is CARRIED, but for an orientation and a resolution that mean nothing, of which libtiff would complain."""
    nothing = set() if block.get(RESOLUTION_UNIT, INCH) in units else RESOLUTION
    if block.get(ORIENTATION, 1) not in range(1, 9):
        nothing = nothing | {ORIENTATION}
    return CARRIED - nothing


def left_out(exif: bytes) -> tuple[list[int], list[int]]:
    """The tags of an EXIF block that `tags_of_exif` leaves out although they tell something of the picture.

    Those that have no place in a TIFF file, and those that are damaged, or stand in one block with others that are.
    Raises DamageError where nothing can be read.
    """
    written = tags_of_exif(exif).keys()
    try:
        missing = tags(exif) - written - LAYOUT - {XMP, ICC, ORIENTATION} - RESOLUTION
    except DamageError:
        if not written:
            raise
        return [], []
    return sorted(missing - CARRIED), sorted(missing & CARRIED)

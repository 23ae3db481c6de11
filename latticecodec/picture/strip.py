"""Metadata that its owner does not want to give away: all of it, or the place where a picture was taken."""

import re
from bisect import bisect_left
from dataclasses import replace
from typing import Any

from ..arguments import choice
from . import exif
from .metadata import check_metadata, upright
from .pixels import Pixels

STRIPS = ("all", "gps")
NAME = rb"[\w.-]+:gps\w*"  # exif:GPSLatitude, and what makers of drones call theirs
PROPERTY = re.compile(
    rb"\s(?!xmlns:)" + NAME + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')|"  # as an attribute
    rb"<(" + NAME + rb")(?:\s[^<>]*|/)?>\s*",  # as an element, or the tag with which it opens
    re.IGNORECASE,
)
CLOSING = re.compile(rb"</(" + NAME + rb")\s*>\s*", re.IGNORECASE)
MOST = 500  # properties of one packet; the standard has 31
LEFT = re.compile(rb"(?<!xmlns):gps\w|g\0p\0s\0|\0g\0p\0s", re.IGNORECASE)  # also in UTF-16, which is not taken apart


def strip_of(what: Any) -> str | None:
    """What is to be left out, one of STRIPS, or None for nothing; raises TargetError for anything else."""
    return None if what is None else choice("strip", what, STRIPS)


def stripped(pixels: Pixels, what: str | None) -> Pixels:
    """A picture without some of its metadata.

    Args:
        pixels: the picture.
        what: "all" for EXIF and XMP, or "gps" for the place in both, leaving all else as it was; None for nothing. The
            ICC profile, without which colours would change, stays.

    A picture that loses its EXIF data is turned upright first. A block of which nobody can say that no place is left in
    it goes as a whole, and a note tells of it. Raises TargetError for another `what`, ImageError for more metadata than
    a file can hold, where it is not to go.
    """
    asked = strip_of(what)
    if asked is None:
        return pixels
    if asked == "all":
        return replace(upright(pixels), xmp=None)
    check_metadata(pixels)  # before anything takes it apart
    return _without_gps_in_xmp(_without_gps_in_exif(pixels))


def _without_gps_in_exif(pixels: Pixels) -> Pixels:
    if pixels.exif is None:
        return pixels
    try:
        return replace(pixels, exif=exif.without_gps(pixels.exif))
    except exif.DamageError:
        note = "its EXIF data is damaged and may hide a place; all of it is left out"
        return replace(upright(pixels), notes=(*pixels.notes, note))


def _without_gps_in_xmp(pixels: Pixels) -> Pixels:
    if pixels.xmp is None:
        return pixels
    few = len(LEFT.findall(pixels.xmp)) <= 2 * MOST  # an element says its name twice
    xmp = _without_properties(pixels.xmp) if few else pixels.xmp
    if LEFT.search(xmp):
        note = "its XMP hides a place in a way that cannot be taken apart; all of it is left out"
        return replace(pixels, xmp=None, notes=(*pixels.notes, note))
    return replace(pixels, xmp=xmp)


def _without_properties(xmp: bytes) -> bytes:
    """A packet without its PROPERTY; elements that do not end stay."""
    closings: dict[bytes, list[tuple[int, int]]] = {}
    for tag in CLOSING.finditer(xmp):
        closings.setdefault(tag[1].lower(), []).append(tag.span())
    kept, at = [], 0
    while found := PROPERTY.search(xmp, at):
        begin, end = found.span()
        if found[1] and not found[0].rstrip().endswith(b"/>"):
            ends = closings.get(found[1].lower(), [])
            place = bisect_left(ends, (end, 0))
            begin, end = (begin, ends[place][1]) if place < len(ends) else (end, end)
        kept.append(xmp[at:begin])
        at = end
    return b"".join([*kept, xmp[at:]])

"""Pixels to image files."""

import struct
from dataclasses import replace
from typing import IO

import numpy as np

from ..container import Cicp
from ..errors import OutputError
from . import failures, metadata, tiff_tags
from .colours import profile_of_code_points
from .formats import suffixes_written, written
from .formats.format import Format, Kind
from .pillow import ROWS, eight_bits
from .pixels import GREY_ALPHA, Pixels, Samples


def kind_of(suffix: str) -> Format:
    """The format that a suffix, with or without its dot, names; raises OutputError for one that is not written."""
    name = suffix.removeprefix(".").lower()
    known = written(name)
    if known is None:
        others = ", ".join(f".{other}" for other in suffixes_written())
        raise OutputError(f"cannot write {suffix or 'a file without suffix'}; try {others}")
    return known


def save(pixels: Pixels, suffix: str, file: IO[bytes]) -> list[str]:
    """Write a picture as an image file.

    PNG, TIFF, BMP, PPM and WebP hold the samples as they are, JPEG with quality 95, AVIF with 100, off by a few values
    at most. ICC, EXIF and XMP come out byte for byte, code points in PNG and AVIF, and
    elsewhere as an ICC profile; in TIFF the values of EXIF, whose tags are there those of the file, and in AVIF, whose
    orientation is. Where a format has no place for EXIF, the picture is turned upright.

    Args:
        pixels: the picture.
        suffix: .png, .tif, .tiff, .bmp, .ppm, .webp, .avif, .jpg or .jpeg, with or without the dot.
        file: open for writing; need not be one that can be sought in.

    Returns one line for each thing that the format cannot hold and that was left out: alpha is then flattened onto
    white, 16 bits are rounded to 8. Raises OutputError for unknown suffixes and for pictures that the format has no
    room for; an OSError of `file` passes through.
    """
    known = kind_of(suffix)
    kind = known.writes
    assert kind is not None  # of those that are not written there is no suffix
    if max(pixels.width, pixels.height) > kind.side:
        size = f"{pixels.width}x{pixels.height} pixels"
        raise OutputError(f"cannot write {known.name} of {size}, it holds {kind.side:,} a side; try .png")
    pixels, notes = _fitted(pixels, known.name, kind)
    try:
        kind.write(pixels, file)
    except (OSError, RuntimeError, ValueError, struct.error) as error:  # of Pillow and libtiff
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk
        raise OutputError(f"cannot write {known.name} of this picture; try .png{failures.hint(error)}") from None
    return notes


def _fitted(pixels: Pixels, name: str, kind: Kind) -> tuple[Pixels, list[str]]:
    """`pixels` without what `kind` cannot hold, and a line for each such thing."""
    notes = []
    if pixels.cicp is not None and pixels.cicp.full_range not in kind.ranges:
        pixels, lost = _without_code_points(pixels, pixels.cicp, name)
        notes += lost
    if not kind.metadata:
        lost = [part for part, block in (("ICC", pixels.icc), ("EXIF", pixels.exif), ("XMP", pixels.xmp)) if block]
        if lost:
            notes.append(f"{name} holds no metadata; {' and '.join(lost)} left out")
        pixels = replace(metadata.upright(pixels), icc=None, xmp=None)
    if pixels.exif is not None and kind.exif_max is not None and len(pixels.exif) > kind.exif_max:
        notes.append(f"{name} holds {kind.exif_max:,} bytes of EXIF; {len(pixels.exif):,} left out")
        pixels = metadata.upright(pixels)
    if pixels.xmp is not None and kind.xmp_max is not None and len(pixels.xmp) > kind.xmp_max:
        notes.append(f"{name} holds {kind.xmp_max:,} bytes of XMP; {len(pixels.xmp):,} left out")
        pixels = replace(pixels, xmp=None)
    if pixels.exif is not None and not kind.damaged_exif and metadata.is_damaged(pixels.exif):
        notes.append(f"{name} holds no damaged EXIF data; left out")
        pixels = metadata.upright(pixels)
    if kind.exif_is_tags:
        notes += [f"{name} {line}" for line in tiff_tags.left_out(pixels)]
    if pixels.alpha is not None and not kind.alpha:
        notes.append(f"{name} holds no alpha; flattened onto white")
        pixels = replace(pixels, colour=_on_white(pixels.colour, pixels.alpha), alpha=None)
    if pixels.depth == 16 and not kind.deep:
        notes.append(f"{name} holds 8 bits a sample; 16 bits rounded to 8")
        alpha = None if pixels.alpha is None else eight_bits(pixels.alpha)
        pixels = replace(pixels, colour=eight_bits(pixels.colour), alpha=alpha)
    return pixels, notes


def _without_code_points(pixels: Pixels, cicp: Cicp, name: str) -> tuple[Pixels, list[str]]:
    """`pixels` with an ICC profile in place of code points, or a line where there is none that says the same."""
    bare = replace(pixels, cicp=None)
    if pixels.icc is not None:
        return bare, []
    icc = profile_of_code_points(cicp, pixels.channels <= GREY_ALPHA)
    return replace(bare, icc=icc), [] if icc else [f"{name} cannot say {cicp.name}; that is left out"]


def _on_white(colour: Samples, alpha: Samples) -> Samples:
    """[H, W, C] before a white ground, by alpha [H, W]; of the same type."""
    white = np.iinfo(colour.dtype).max
    flat = np.empty_like(colour)
    for top in range(0, len(colour), ROWS):
        band = colour[top : top + ROWS].astype(np.int64)
        share = alpha[top : top + ROWS, :, None].astype(np.int64)  # [h, W, 1]
        flat[top : top + ROWS] = (band * share + white * (white - share) + white // 2) // white
    return flat

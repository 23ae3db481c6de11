"""Pixels to image files."""

import struct
from dataclasses import dataclass, replace
from typing import IO, Any

import numpy as np

from ..container import SIZE_MAX
from ..errors import OutputError
from . import failures, metadata, png, ppm, tiff
from .pillow import ROWS, eight_bits, to_pillow
from .pixels import Pixels, Samples


@dataclass(frozen=True)
class Kind:
    """What a file format can hold, and Pillow's name and options of it."""

    name: str
    options: dict[str, Any]
    deep: bool = False  # 16 bits a sample
    alpha: bool = False
    metadata: bool = True  # ICC, EXIF and XMP
    side: int = SIZE_MAX  # pixels


PNG = Kind("PNG", {}, deep=True, alpha=True)
TIFF = Kind("TIFF", {}, deep=True, alpha=True)
WEBP = Kind("WebP", {"lossless": True, "exact": True}, alpha=True, side=16_383)
JPEG = Kind("JPEG", {"quality": 95, "subsampling": "4:4:4"}, side=65_500)
AVIF = Kind("AVIF", {"quality": 100, "subsampling": "4:4:4"}, alpha=True)
BMP = Kind("BMP", {}, metadata=False)
PPM = Kind("PPM", {}, deep=True, metadata=False)
KINDS = {
    "png": PNG,
    "tif": TIFF,
    "tiff": TIFF,
    "bmp": BMP,
    "ppm": PPM,
    "webp": WEBP,
    "avif": AVIF,
    "jpg": JPEG,
    "jpeg": JPEG,
}

MARKER_MAX = 65_533  # bytes in a JPEG segment after its length
EXIF_MAX = MARKER_MAX - len(metadata.PREFIX)
XMP_MAX = MARKER_MAX - len(b"http://ns.adobe.com/xap/1.0/\0")


def kind_of(suffix: str) -> Kind:
    """The kind of file that a suffix, with or without its dot, names; raises OutputError for one not in KINDS."""
    name = suffix.removeprefix(".").lower()
    if name not in KINDS:
        known = ", ".join(f".{kind}" for kind in KINDS)
        raise OutputError(f"cannot write {suffix or 'a file without suffix'}; try {known}")
    return KINDS[name]


def save(pixels: Pixels, suffix: str, file: IO[bytes]) -> list[str]:
    """Write a picture as an image file.

    PNG, TIFF, BMP, PPM and WebP hold the samples as they are, JPEG with quality 95, AVIF with 100, off by a few values
    at most. ICC, EXIF and XMP come out byte for byte; in TIFF the values of EXIF, whose tags are there those of
    the file, and in AVIF, whose orientation is. Where a format has no place for EXIF, the picture is turned upright.

    Args:
        pixels: the picture.
        suffix: .png, .tif, .tiff, .bmp, .ppm, .webp, .avif, .jpg or .jpeg, with or without the dot.
        file: open for writing; need not be one that can be sought in.

    Returns one line for each thing that the format cannot hold and that was left out: alpha is then flattened onto
    white, 16 bits are rounded to 8. Raises OutputError for unknown suffixes and for pictures that the format has no
    room for; an OSError of `file` passes through.
    """
    kind = kind_of(suffix)
    if max(pixels.width, pixels.height) > kind.side:
        size = f"{pixels.width}x{pixels.height} pixels"
        raise OutputError(f"cannot write {kind.name} of {size}, it holds {kind.side:,} a side; try .png")
    pixels, notes = _fitted(pixels, kind)
    try:
        if kind is TIFF:
            tiff.write(pixels, file)
        elif kind is PPM:
            ppm.write(pixels, file)
        elif kind is PNG and pixels.depth == 16:
            png.write(pixels, file)
        else:
            _save_with_pillow(pixels, kind, file)
    except (OSError, RuntimeError, ValueError, struct.error) as error:  # of Pillow and libtiff
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk
        raise OutputError(f"cannot write {kind.name} of this picture; try .png{failures.hint(error)}") from None
    return notes


def _save_with_pillow(pixels: Pixels, kind: Kind, file: IO[bytes]) -> None:
    options = dict(kind.options)
    if kind.metadata:
        prefix = metadata.PREFIX if kind is JPEG else b""
        exif = None if pixels.exif is None else prefix + pixels.exif
        found = {"icc_profile": pixels.icc, "exif": exif, "xmp": pixels.xmp}
        options |= {key: value for key, value in found.items() if value is not None}
    if kind is PNG:
        options["pnginfo"] = png.xmp_chunk(pixels)
    image = to_pillow(pixels)
    image.info.clear()  # of which Pillow would take its own choice
    image.save(file, kind.name, **options)


def _fitted(pixels: Pixels, kind: Kind) -> tuple[Pixels, list[str]]:
    """`pixels` without what `kind` cannot hold, and a line for each such thing."""
    notes = []
    if not kind.metadata:
        lost = [name for name, part in (("ICC", pixels.icc), ("EXIF", pixels.exif), ("XMP", pixels.xmp)) if part]
        if lost:
            notes.append(f"{kind.name} holds no metadata; {' and '.join(lost)} left out")
        pixels = replace(metadata.upright(pixels), icc=None, xmp=None)
    if kind is JPEG and pixels.exif is not None and len(pixels.exif) > EXIF_MAX:
        notes.append(f"JPEG holds {EXIF_MAX:,} bytes of EXIF; {len(pixels.exif):,} left out")
        pixels = metadata.upright(pixels)
    if kind is JPEG and pixels.xmp is not None and len(pixels.xmp) > XMP_MAX:
        notes.append(f"JPEG holds {XMP_MAX:,} bytes of XMP; {len(pixels.xmp):,} left out")
        pixels = replace(pixels, xmp=None)
    if kind in (TIFF, AVIF) and pixels.exif is not None and not metadata.tags_of_exif(pixels.exif):
        notes.append(f"{kind.name} holds no damaged EXIF data; left out")
        pixels = replace(pixels, exif=None)
    if pixels.alpha is not None and not kind.alpha:
        notes.append(f"{kind.name} holds no alpha; flattened onto white")
        pixels = replace(pixels, colour=_on_white(pixels.colour, pixels.alpha), alpha=None)
    if pixels.depth == 16 and not kind.deep:
        notes.append(f"{kind.name} holds 8 bits a sample; 16 bits rounded to 8")
        alpha = None if pixels.alpha is None else eight_bits(pixels.alpha)
        pixels = replace(pixels, colour=eight_bits(pixels.colour), alpha=alpha)
    return pixels, notes


def _on_white(colour: Samples, alpha: Samples) -> Samples:
    """[H, W, C] before a white ground, by alpha [H, W]; of the same type."""
    white = np.iinfo(colour.dtype).max
    flat = np.empty_like(colour)
    for top in range(0, len(colour), ROWS):
        band = colour[top : top + ROWS].astype(np.int64)
        share = alpha[top : top + ROWS, :, None].astype(np.int64)  # [h, W, 1]
        flat[top : top + ROWS] = (band * share + white * (white - share) + white // 2) // white
    return flat

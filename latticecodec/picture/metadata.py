"""ICC, EXIF, XMP and code points: read from an open PIL image; turning upright.

EXIF data is a TIFF structure. JPEG puts `Exif\\0\\0` before it, PNG and WebP do not, Pillow adds or keeps it depending
on the format; Pixels have it without, and PIL images that come from here with it. In TIFF files it is no block
(tiff_tags.py).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from ..container import METADATA_MAX, SRGB, Header, code_points
from ..errors import ImageError
from .colours import is_calibrated, profile_of_code_points, profile_of_png
from .exif import ORIENTATION, orientation
from .pixels import GREY, GREY_ALPHA, Pixels, Samples

PREFIX = b"Exif\0\0"
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"  # of JPEG
NOTHING: Mapping[Any, object] = {}
RAW_PROFILES = {"icm": "icc_profile", "icc": "icc_profile", "APP1": "exif", "exif": "exif", "xmp": "xmp"}


def attach(pixels: Pixels, image: Image.Image, besides: Mapping[Any, object] = NOTHING) -> Pixels:
    """`pixels` with the metadata of the loaded image that they came from, and what was found `besides`."""
    return of_info(pixels, {**besides, **_raw_profiles(image), **image.info})


def of_info(pixels: Pixels, info: Mapping[Any, object]) -> Pixels:
    """`pixels` with the metadata that is in `info` by Pillow's names, and `cicp`, the bytes of code points.

    gAMA and cHRM of PNG files, where nothing better tells of colours, become an ICC profile.
    """
    icc, exif, xmp = (as_bytes(info.get(key)) for key in ("icc_profile", "exif", "xmp"))
    pixels = replace(pixels, exif=(exif or b"").removeprefix(PREFIX) or None, xmp=xmp)
    grey, cicp = pixels.colour.shape[2] == GREY, code_points(as_bytes(info.get("cicp")) or b"")
    if cicp is not None and icc in (None, profile_of_code_points(cicp, grey)):
        return replace(pixels, cicp=None if cicp == SRGB else cicp)
    if icc is not None or not is_calibrated(info, grey):
        return replace(pixels, icc=icc)
    icc = profile_of_png(info, grey)
    notes = () if icc else ("says a gamma or primaries that make no colours; they are taken for sRGB's",)
    return replace(pixels, icc=icc, notes=(*pixels.notes, *notes))


def _raw_profiles(image: Image.Image) -> dict[str, bytes]:
    """What old programs put into text of PNG files, by Pillow's names: a line of its kind, one of its length, hex."""
    found = {}
    for kind, key in RAW_PROFILES.items():
        text = str(image.info.get(f"Raw profile type {kind}", ""))
        try:
            _, length, digits = text.lstrip("\n").split("\n", 2)
            block = bytes.fromhex(digits)[: int(length)]
        except ValueError:  # no text, or not such a one
            continue
        if block.startswith(XMP_PREFIX):
            found["xmp"] = block.removeprefix(XMP_PREFIX)
        elif block:
            found[key] = block
    return found


def info_of(told: Pixels | Header) -> dict[str | tuple[int, int], bytes]:
    """The metadata of a picture as Pillow's `info` has it: EXIF with the prefix that JPEG files need.

    Code points are there as `cicp`, four bytes, and as the ICC profile that says the same, where there is one.
    """
    found: dict[str | tuple[int, int], bytes | None]
    icc = told.icc
    if icc is None and told.cicp is not None:
        icc = profile_of_code_points(told.cicp, told.channels <= GREY_ALPHA)
    cicp = None if told.cicp is None else bytes(told.cicp)
    found = {"icc_profile": icc, "exif": told.exif and PREFIX + told.exif, "xmp": told.xmp, "cicp": cicp}
    return {key: value for key, value in found.items() if value is not None}


def as_bytes(value: object) -> bytes | None:
    """A metadata block as Pillow gives it, text where a TIFF file declares it as such; None where it is empty."""
    block = value.encode("latin-1") if isinstance(value, str) else value  # Latin-1 is how Pillow decoded it
    return block or None if isinstance(block, bytes) else None


def is_damaged(exif: bytes) -> bool:
    """Whether an EXIF block cannot be taken apart, or not be put together again without its orientation."""
    block = Image.Exif()
    try:
        block.load(exif)
        if ORIENTATION in block:
            block.tobytes()
    except Exception:  # Pillow raises many types on damaged EXIF data
        return True
    return False


def check_metadata(pixels: Pixels) -> None:
    """Raise ImageError for more metadata than a file can hold."""
    for name, block, advice in (
        ("ICC", pixels.icc, "convert it to sRGB, without a profile"),
        ("EXIF", pixels.exif, "`strip` all leaves it out"),
        ("XMP", pixels.xmp, "`strip` all leaves it out"),
    ):
        if block is not None and len(block) > METADATA_MAX:
            told = f"the picture has {len(block):,} bytes of {name} metadata, and a file holds {METADATA_MAX:,}"
            raise ImageError(f"{told}; {advice}")


def upright(pixels: Pixels) -> Pixels:
    """`pixels` turned as their EXIF data says, and without EXIF data."""
    how = orientation(pixels.exif)
    alpha = None if pixels.alpha is None else turned(pixels.alpha, how)
    return replace(pixels, colour=turned(pixels.colour, how), alpha=alpha, exif=None)


def turned(samples: Samples, how: int) -> Samples:
    """[H, W, ...] as seen under an EXIF orientation: [H, W, ...], or [W, H, ...] from 5 on."""
    if how >= 5:
        samples = samples.swapaxes(0, 1)  # [W, H, ...]
    if how in (3, 4, 7, 8):
        samples = samples[::-1]
    if how in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return np.ascontiguousarray(samples)

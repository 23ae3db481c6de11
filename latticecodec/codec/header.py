"""The header of a picture's file: what it has of the picture, whatever way it is coded."""

from typing import Any

from ..container import Header
from ..picture import Pixels


def header_of(pixels: Pixels, **own: Any) -> Header:
    """A header with the size, the samples and the metadata of a picture; `own` are the fields that the coding gives."""
    return Header(
        pixels.width,
        pixels.height,
        pixels.channels,
        bit_depth=pixels.depth,
        icc=pixels.icc,
        exif=pixels.exif,
        xmp=pixels.xmp,
        cicp=pixels.cicp,
        **own,
    )

"""Samples of 9 to 16 bits, scaled to 16; Pillow cuts them to 8."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import ImageFile

from ...errors import ImageError
from .. import metadata
from ..pixels import Pixels, Samples, from_array

PEAK = 65535
ROWS = 256  # of pixels, scaled at a time


def read(
    image: ImageFile.ImageFile,
    data: bytes,
    bits: int,
    codec: str,
    besides: Mapping[Any, object] = metadata.NOTHING,
) -> Pixels | None:
    """The picture of a file that is open in Pillow and not loaded; None where 8 bits hold it.

    Args:
        image: the file in Pillow, which finds its metadata.
        data: all of the file.
        bits: a sample.
        codec: of imagecodecs.
        besides: metadata that Pillow does not find.

    Raises ImageError for more than 16 bits, else what imagecodecs does.
    """
    if bits <= 8:
        return None
    if bits > 16:
        raise ImageError(f"has {bits} bits a sample; convert it to 16 first")
    import imagecodecs

    image.load()
    array: Samples = np.asarray(getattr(imagecodecs, f"{codec}_decode")(data))  # [H, W] or [H, W, C]
    scale(array, bits)
    return metadata.attach(from_array(array), image, besides)


def scale(array: Samples, bits: int) -> None:
    """Samples of so many bits to 16, in place: uint16 [H, ...]."""
    peak = (1 << bits) - 1
    for top in range(0, len(array), ROWS):
        rows = array[top : top + ROWS]
        rows[:] = (rows.astype(np.uint32) * PEAK + peak // 2) // peak

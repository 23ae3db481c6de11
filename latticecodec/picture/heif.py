"""HEIC files, through pillow-heif, which is optional."""

from dataclasses import replace
from typing import IO

import numpy as np

from . import exif, metadata, wide
from .pixels import Pixels, Samples, check_size, from_array

GAIN_MAP = "hdrgainmap"  # part of the type of an auxiliary picture


def read(file: IO[bytes]) -> Pixels:
    """The primary picture of an open file, turned as the file says; raises ImportError, or what libheif does."""
    import pillow_heif

    pictures = pillow_heif.HeifFile(file, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    picture = pictures[pictures.primary_index]
    check_size(*picture.size)
    samples: Samples = np.asarray(picture)  # [H, W] or [H, W, C]
    if samples.dtype != np.uint8:
        samples = samples.copy()
        wide.scale(samples, int(picture.info["bit_depth"]))
    notes = []
    if len(pictures) > 1:
        notes.append(f"holds {len(pictures)} pictures; the primary one was taken")
    if any(GAIN_MAP in str(kind).lower() for kind in picture.info.get("aux", {})):
        notes.append("its HDR gain map is left out, though its metadata may speak of one")
    pixels = metadata.of_info(from_array(samples), picture.info)
    return replace(pixels, exif=exif.upright(pixels.exif), notes=tuple(notes))

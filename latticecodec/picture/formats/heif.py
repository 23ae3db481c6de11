"""HEIC files, through pillow-heif, which is optional."""

from dataclasses import replace
from typing import IO

import numpy as np
from PIL import Image

from .. import exif, metadata
from ..pixels import Pixels, Samples, check_size, from_array
from . import nclx, wide
from .format import Format, boxes, one_of, whole
from .jpeg import gain_map_notes

TAKEN = "the primary one"
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
    notes = one_of(f"{len(pictures)} pictures" if len(pictures) > 1 else "", TAKEN)
    if any(GAIN_MAP in str(kind).lower() for kind in picture.info.get("aux", {})):
        notes.append("its HDR gain map is left out, though its metadata may speak of one")
    cicp = nclx.read(whole(file))
    besides = {} if cicp is None else {"cicp": bytes(cicp)}
    pixels = metadata.of_info(from_array(samples), picture.info | besides)
    return replace(pixels, exif=exif.upright(pixels.exif), notes=tuple(notes))


def _notes(image: Image.Image) -> list[str]:
    count = getattr(image, "n_frames", 1)
    return one_of(f"{count} pictures" if count > 1 else "", TAKEN) + gain_map_notes(image)


FORMAT = Format(
    "HEIC",
    (".heic", ".heif", ".hif"),
    boxes("heic", "heix", "heim", "heis", "hevc", "hevx"),
    "latticecodec.picture.formats.heif:read",
    ("HEIF",),
    extra="heif",
    notes=_notes,
)

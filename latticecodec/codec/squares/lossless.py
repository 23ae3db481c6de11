"""All colours of a picture stored as they are, in a file that takes no model."""

import zlib
from dataclasses import replace

import numpy as np

from ... import container
from ...backends.backend import Report
from ...container import DIAGONAL, LATTICE, NO_MODEL, Box, Tile, mask_of
from ...picture import Pixels
from ..encoding import Encoding
from ..header import header_of
from ..tiling import EXACT_TILE, Indices, latent_box, tile_side, view
from .stored import coded_alpha, stored

QUALITY = 100.0  # what the header says


def lossless(pixels: Pixels, tile: int | None, report: Report) -> Encoding:
    """A picture as a file that is wholly exact and names no model; see `Codec.encode` for the options."""
    header = header_of(
        pixels,
        model=NO_MODEL,
        scale=0,
        quality=QUALITY,
        quantizer=LATTICE,
        family=DIAGONAL,
        tile=tile_side(tile, pixels.width, pixels.height, EXACT_TILE),
    )
    header = replace(header, exact=mask_of(header.squares.count * [True]))
    whole = Box(0, 0, pixels.width, pixels.height)
    tiles = []
    for number, box in enumerate(header.boxes()):
        plane = None if pixels.alpha is None else view(pixels.alpha, whole, box)
        tiles.append(Tile(b"", zlib.crc32(b""), *stored(view(pixels.colour, whole, box), plane, coded_alpha(plane))))
        report(number + 1, header.tiles)
    none: dict[int, Indices] = {}
    for number, window in enumerate(latent_box(box) for box in header.boxes()):
        none[number] = np.zeros((0, window.height, window.width), np.int8)
    return Encoding(container.write(header, tiles), header, none, 1, 0.0)

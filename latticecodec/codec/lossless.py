"""Colours that stay as they are: all of a picture's, without a model, or those of its exact squares."""

import zlib
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import container
from ..backends.backend import Report
from ..container import DIAGONAL, LATTICE, NO_MODEL, Box, Header, Tile, mask_of
from ..picture import Pixels, Samples
from .encoder import NEEDED, Encoding
from .statistics import packed, strips
from .stored import Stored, coded_alpha, stored
from .tiling import EXACT_TILE, Indices, latent_box, tile_side, view

QUALITY = 100.0  # what the header says


def lossless(pixels: Pixels, tile: int | None, report: Report) -> Encoding:
    """A picture as a file that is wholly exact and names no model; see `Codec.encode` for the options."""
    header = Header(
        pixels.width,
        pixels.height,
        pixels.channels,
        NO_MODEL,
        scale=0,
        quality=QUALITY,
        quantizer=LATTICE,
        family=DIAGONAL,
        bit_depth=pixels.depth,
        tile=tile_side(tile, pixels.width, pixels.height, EXACT_TILE),
        icc=pixels.icc,
        exif=pixels.exif,
        xmp=pixels.xmp,
        cicp=pixels.cicp,
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


def stored_tile(header: Header, colour: Samples, alpha: Samples | None, box: Box, apart: bytes) -> Stored:
    """What is stored of a tile; squares that are not exact are painted as the most of its exact pixels are.

    Args:
        header: of the picture, with its exact squares.
        colour: of the picture, [H, W, C].
        alpha: of the picture, [H, W], or None.
        box: where the tile lies.
        apart: its alpha as `coded_alpha` has it.
    """
    if not header.squares.any(box, exact=True):
        return Stored(apart)
    whole = Box(0, 0, header.width, header.height)
    square = view(colour, whole, box).copy()  # [h, w, C]
    is_exact = _pixels(header, box)  # [h, w]
    square[~is_exact] = _most_frequent(square, is_exact)
    return stored(square, None if alpha is None else view(alpha, whole, box), apart)


def seen_by_networks(header: Header, colour: Samples) -> Samples:
    """Colours [H, W, C] with those painted over that no square needs which is not exact, as most exact pixels are."""
    whole = Box(0, 0, header.width, header.height)
    is_exact = _pixels(header, whole)  # [H, W]
    out = colour.copy()
    flat = _most_frequent(colour, is_exact)
    for box in header.squares.within(whole, exact=True):
        view(out, whole, box)[:] = flat
    for box in header.squares.within(whole, exact=False):
        near = box.grown(NEEDED, header.width, header.height)
        view(out, whole, near)[:] = view(colour, whole, near)
    return out


def _pixels(header: Header, box: Box) -> NDArray[np.bool_]:
    """Which pixels of a box are exact, [h, w]."""
    out = np.zeros((box.height, box.width), bool)
    for piece in header.squares.within(box, exact=True):
        view(out, box, piece)[:] = True
    return out


def _most_frequent(colour: Samples, where: NDArray[np.bool_]) -> Samples:
    """The colour [C] that most pixels of [H, W, C] have, of those of [H, W]; a strip at a time, for the sake of memory.

    Of several that as many have, it is the darkest in the first channel in which they differ.
    """
    known: NDArray[Any] = np.zeros(0, np.uint64)  # [known], packed
    times: NDArray[Any] = np.zeros(0)  # [known]
    for rows in strips(len(colour)):
        found, counts = np.unique(packed(colour[rows][where[rows]]), return_counts=True)  # [n] each
        known, places = np.unique(np.concatenate([known, found]), return_inverse=True)
        times = np.bincount(places, np.concatenate([times, counts]))
    most = int(known[times.argmax()])
    shifts = range(16 * (colour.shape[2] - 1), -1, -16)
    return np.array([most >> shift & 0xFFFF for shift in shifts], colour.dtype)

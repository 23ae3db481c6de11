"""A picture of which some squares are stored: what of them is, and what the networks see in their place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...container import Box, Header
from ...picture import Samples
from ..encoder import NEEDED
from ..tiling import view
from .statistics import packed, strips
from .stored import Stored, stored


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

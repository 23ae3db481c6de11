"""What squares of a picture look like before anything is coded: drawn or photographed, and how hard to keep exact."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..container import SQUARE
from ..picture import Samples

BASE_BITS = 0.02  # of a pixel that its neighbours foretell
NEW_BITS = 2.0  # of one that they do not, beside those of the difference
EDGE = 32 / 255  # mean difference of the channels that makes an edge
PLAIN = 0.5  # part of the pixels that may be new in a square that is not photographed
FEW = 16  # colours in a square that is drawn, whatever the differences


ROWS = 16 * SQUARE  # of a strip

Squares = NDArray[np.float64]  # a number a square, [rows, columns]


@dataclass(frozen=True)
class Statistics:
    """Of the squares of a picture, [rows, columns] each.

    Attributes:
        bits: that they take without loss, a guess: right for photographs, several times too much for drawings.
        plain: whether most of their pixels are as neighbours foretell, or have one of few colours.
        drawn: whether they are plain and have sharp edges.
    """

    bits: Squares
    plain: NDArray[np.bool_]
    drawn: NDArray[np.bool_]


def statistics_of(colour: Samples) -> Statistics:
    """The statistics of [H, W, C]."""
    found = [_of_strip(colour[max(0, rows.start - 1) : rows.stop], rows.start > 0) for rows in strips(len(colour))]
    bits, plain, drawn = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Statistics(bits, plain, drawn)


def strips(height: int) -> Iterator[slice]:
    """Rows of whole squares that are looked at together, so that large pictures take little memory."""
    return (slice(top, min(top + ROWS, height)) for top in range(0, height, ROWS))


def _of_strip(colour: Samples, above: bool) -> tuple[Squares, NDArray[np.bool_], NDArray[np.bool_]]:
    """Bits, plain and drawn of [H, W, C], whose first row belongs to the strip above where there is one."""
    peak, channels = int(np.iinfo(colour.dtype).max), colour.shape[2]
    difference, colour = _differences(colour)[above:], colour[above:]  # [h, W], [h, W, C]
    table = NEW_BITS + channels * np.log2(1 + 2 * np.arange(difference.max() + 1) / channels)  # by difference
    table[0] = BASE_BITS
    bits = by_squares(table.astype(np.float32)[difference])  # [rows, columns]
    area = by_squares(np.ones(difference.shape, np.float32))
    new = by_squares(difference > 0) / area
    edges = by_squares(difference >= EDGE * peak * channels) > 0
    plain = new < PLAIN
    for row, column in np.argwhere(edges & ~plain):
        square = colour[SQUARE * row : SQUARE * (row + 1), SQUARE * column : SQUARE * (column + 1)]  # [h, w, C]
        plain[row, column] = len(np.unique(packed(square))) <= FEW
    return bits, plain, plain & edges


def by_squares(values: NDArray[Any], side: int = SQUARE) -> Squares:
    """Sums of [H, W] over squares of `side` x `side`, [rows, columns]."""
    rows = np.add.reduceat(values, np.arange(0, values.shape[0], side), axis=0, dtype=np.float64)  # [rows, W]
    sums: Squares = np.add.reduceat(rows, np.arange(0, values.shape[1], side), axis=1)
    return sums


def packed(colour: Samples) -> NDArray[np.uint64]:
    """Colours [..., C] as one integer each, [...]."""
    whole = np.zeros(colour.shape[:-1], np.uint64)
    for channel in range(colour.shape[-1]):
        whole = whole << np.uint64(16) | colour[..., channel]
    return whole


def _differences(colour: Samples) -> NDArray[np.intp]:
    """How far each pixel is from what its neighbours foretell best, of three ways: sums over the channels, [H, W]."""
    signed = colour.astype(np.int32 if colour.dtype == np.uint16 else np.int16)  # [H, W, C]
    left = np.concatenate([signed[:, :1], signed[:, :-1]], axis=1)
    top = np.concatenate([signed[:1], signed[:-1]])
    corner = np.concatenate([left[:1], left[:-1]])
    least = _distance(signed, left)  # [H, W]
    for guess in (top, left + top - corner):
        np.minimum(least, _distance(signed, guess), out=least)
    return least


def _distance(a: NDArray[np.signedinteger], b: NDArray[np.signedinteger]) -> NDArray[np.intp]:
    """Sums of absolute differences over the channels of [H, W, C]: [H, W]."""
    sums: NDArray[np.intp] = np.abs(a - b).sum(axis=2, dtype=np.intp)
    return sums

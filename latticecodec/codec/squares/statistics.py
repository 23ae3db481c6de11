"""What squares of a picture look like before anything is coded: drawn or photographed, and how hard to keep exact."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...container import SQUARE
from ...picture import Samples

BASE_BITS = 0.02  # of a pixel that its neighbours foretell
NEW_BITS = 2.0  # of one that they do not, beside those of the difference
EDGE = 32 / 255  # mean difference of the channels that makes an edge
EDGES = 0.02  # part of the pixels at edges in a square that is drawn; a line along rows or columns is foretold
PLAIN = 0.5  # part of the pixels that may be new in a square that is not photographed
FEW = {1: 16, 3: 64}  # colours in a square that is drawn, whatever the differences; by channels
MANY = {1: 64, 3: 256}  # colours of a whole picture that are no more few; by channels
SPARSE = 4  # that row and column of a square are searched for more than these before all are
ROWS = 16 * SQUARE  # of a strip

PerSquare = NDArray[np.float64]  # a number a square, [rows, columns]


@dataclass(frozen=True)
class Statistics:
    """Of the squares of a picture, [rows, columns] each.

    Attributes:
        bits: that they take without loss, a guess: right for photographs, several times too much for drawings.
        plain: whether most of their pixels are as neighbours foretell, or have one of few colours.
        drawn: whether they are plain and have sharp edges.
    """

    bits: PerSquare
    plain: NDArray[np.bool_]
    drawn: NDArray[np.bool_]


def statistics_of(colour: Samples) -> Statistics:
    """The statistics of [H, W, C]."""
    found = [_of_strip(colour[max(0, rows.start - 1) : rows.stop], rows.start > 0) for rows in strips(len(colour))]
    bits, plain, drawn = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Statistics(bits, plain, drawn)


def has_few_colours(colour: Samples) -> bool:
    """Whether [H, W, C] has at most MANY colours, as a dithered photograph has; most others show it by a few pixels."""
    most = MANY[colour.shape[2]]
    for step in (4 * SPARSE, SPARSE, 1):
        some, found = colour[::step, ::step], np.zeros(0, np.uint64)  # [h, w, C], [colours]
        for rows in strips(len(some)):
            found = np.union1d(found, packed(some[rows]))
            if len(found) > most:
                return False
    return True


def strips(height: int) -> Iterator[slice]:
    """Rows of whole squares that are looked at together, so that large pictures take little memory."""
    return (slice(top, min(top + ROWS, height)) for top in range(0, height, ROWS))


def _of_strip(colour: Samples, above: bool) -> tuple[PerSquare, NDArray[np.bool_], NDArray[np.bool_]]:
    """Bits, plain and drawn of [H, W, C], whose first row belongs to the strip above where there is one."""
    peak, channels = int(np.iinfo(colour.dtype).max), colour.shape[2]
    difference, colour = _differences(colour)[above:], colour[above:]  # [h, W], [h, W, C]
    table = NEW_BITS + channels * np.log2(1 + 2 * np.arange(difference.max() + 1) / channels)  # by difference
    table[0] = BASE_BITS
    bits = by_squares(table.astype(np.float32).take(difference))  # [rows, columns]
    area = np.outer(*(np.diff([*range(0, side, SQUARE), side]) for side in difference.shape))  # [rows, columns]
    new = by_squares(difference > 0) / area
    edges = by_squares(difference >= EDGE * peak * channels) > EDGES * area
    plain = new < PLAIN
    sparse, side = packed(colour[::SPARSE, ::SPARSE]), SQUARE // SPARSE  # [h / SPARSE, W / SPARSE]
    for row, column in np.argwhere(edges & ~plain):
        some = sparse[side * row : side * (row + 1), side * column : side * (column + 1)]
        if len(set(some.ravel().tolist())) <= FEW[channels]:
            square = colour[SQUARE * row : SQUARE * (row + 1), SQUARE * column : SQUARE * (column + 1)]  # [h, w, C]
            plain[row, column] = len(np.unique(packed(square))) <= FEW[channels]
    return bits, plain, plain & edges


def by_squares(values: NDArray[Any], side: int = SQUARE) -> PerSquare:
    """Sums of [H, W], float32 or bool, over squares of `side` x `side`, [rows, columns]."""
    tops = range(0, values.shape[0], side)
    sum_type: Any = np.uint16 if values.dtype == bool else np.float32
    rows = np.stack([values[top : top + side].sum(axis=0, dtype=sum_type) for top in tops])  # [rows, W]
    sums: PerSquare = np.add.reduceat(rows, np.arange(0, values.shape[1], side), axis=1, dtype=np.float64)
    return sums


def packed(colour: Samples) -> NDArray[np.uint64]:
    """Colours [..., C] as one integer each, [...]."""
    whole = np.zeros(colour.shape[:-1], np.uint64)
    for channel in range(colour.shape[-1]):
        whole = whole << np.uint64(16) | colour[..., channel]
    return whole


def _differences(colour: Samples) -> NDArray[Any]:
    """How far each pixel is from what its neighbours foretell best, of three ways: sums over the channels, [H, W].

    They are the pixel to the left, the one above, and left plus above minus what lies between these two.
    """
    height, width, channels = colour.shape
    signed: Any = np.int32 if colour.dtype == np.uint16 else np.int16
    sums = np.zeros((3, height, width), signed)
    for channel in range(channels):
        plane = colour[:, :, channel].astype(signed)  # [H, W]
        across = np.zeros_like(plane)
        np.subtract(plane[:, 1:], plane[:, :-1], out=across[:, 1:])
        sums[0] += np.abs(across)
        sums[1, 1:] += np.abs(plane[1:] - plane[:-1])
        sums[2, 1:] += np.abs(across[1:] - across[:-1])
    sums[2, 0] = sums[0, 0]
    sums[1, 0] = sums[0, 0]
    least: NDArray[Any] = sums.min(axis=0)
    return least

"""How the lattice points of one context step become coded residuals, and back.

The prior predicts a mean and a scale for every coordinate of a step; a `Points` chooses lattice points for unrounded
coordinates, and writes or reads points with the tables that follow from both. Coordinates are integers in units of
1 / `unit` of a lattice step.
"""

import math
from typing import Protocol

import numpy as np

from .coder import Float32, Int32, Tables, symbol_bits
from .numbers import COORDINATE_MAX
from .stream import Sink, Source
from .tables import TableIndex


class Points(Protocol):
    """One step's coordinates, from and to coded residuals."""

    unit: int
    integers_below: float  # log of the predicted sigma below which a coordinate is an integer for sure
    tables: Tables

    def choose(self, u: Float32, mean: Int32, scale: Int32, bit_weight: float = 0.0) -> Int32:
        """The coordinates [N] of points for u [N], in lattice steps.

        They are those of least squared distance + `bit_weight` x bits, of the candidates next to u; with a weight of 0
        the nearest.
        """

    def write(self, k: Int32, mean: Int32, scale: Int32, writer: Sink) -> None:
        """Write points of coordinates k [N]."""

    def read(self, mean: Int32, scale: Int32, reader: Source) -> Int32:
        """Mirror of `write`: the coordinates [N]."""


class IntegerPoints:
    """Points of the diagonal lattice: every coordinate is an integer and coded by itself."""

    unit = 1
    integers_below = math.inf

    def __init__(self, index: TableIndex) -> None:
        self.index = index
        self.tables = index.tables

    def choose(self, u: Float32, mean: Int32, scale: Int32, bit_weight: float = 0.0) -> Int32:
        """See `Points.choose`."""
        if bit_weight == 0:
            return round_half_even(u, COORDINATE_MAX)
        ids, base = self.index.look_up(mean, scale)
        return cheaper(*neighbours(u, base, ids, self.tables, bit_weight, COORDINATE_MAX))

    def write(self, k: Int32, mean: Int32, scale: Int32, writer: Sink) -> None:
        """See `Points.write`."""
        ids, base = self.index.look_up(mean, scale)
        writer.put(k - base, ids)

    def read(self, mean: Int32, scale: Int32, reader: Source) -> Int32:
        """See `Points.read`."""
        ids, base = self.index.look_up(mean, scale)
        return (reader.get(ids) + base).clip(-COORDINATE_MAX, COORDINATE_MAX)


Candidates = tuple[Int32, Float32, Float32]  # the integers below, the costs of these, the costs of those above


def neighbours(
    u: Float32, base: Int32, ids: Int32, tables: Tables, bit_weight: float, limit: int, shift: float = 0.0
) -> Candidates:
    """The two integers n next to u - shift, within -limit..limit: squared distance + bit_weight x bits of both.

    All arrays have the shape of u; `ids` are the tables of n - base.
    """
    low = np.floor(u - shift).clip(-limit, limit - 1).astype(np.int32)
    below = (u - shift - low) ** 2 + bit_weight * symbol_bits(low - base, ids, tables)
    above = (u - shift - low - 1) ** 2 + bit_weight * symbol_bits(low + 1 - base, ids, tables)
    return low, below.astype(np.float32), above.astype(np.float32)


def cheaper(low: Int32, below: Float32, above: Float32) -> Int32:
    """Of each pair of candidates the one of less cost."""
    chosen: Int32 = low + (above < below)
    return chosen


def round_half_even(u: Float32, limit: int) -> Int32:
    """The nearest integers within -limit..limit."""
    return np.rint(u).clip(-limit, limit).astype(np.int32)

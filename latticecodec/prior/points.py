"""How the lattice points of one context step become coded residuals, and back.

The prior predicts a mean and a scale for every coordinate of a step; a `Points` turns unrounded coordinates into
lattice points and writes them with the tables that follow from both, or reads them back. Coordinates are integers in
units of 1 / `unit` of a lattice step.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..coder import Int32, Tables
from .numbers import COORDINATE_MAX
from .tables import TableIndex

Float32 = NDArray[np.float32]
Put = Callable[[Int32, Int32], None]  # residuals [n], table ids [n]: append them to the stream
Get = Callable[[Int32], Int32]  # table ids [n] -> the next residuals [n] of the stream


class Points(Protocol):
    """One step's coordinates, from and to coded residuals."""

    unit: int
    tables: Tables

    def write(self, u: Float32, mean: Int32, scale: Int32, put: Put) -> Int32:
        """Quantize u [N], in lattice steps, and write the points; returns their coordinates [N]."""

    def read(self, mean: Int32, scale: Int32, get: Get) -> Int32:
        """Mirror of `write`: the coordinates [N]."""


class IntegerPoints:
    """Points of the diagonal lattice: every coordinate is an integer and coded by itself."""

    unit = 1

    def __init__(self, index: TableIndex) -> None:
        self.index = index
        self.tables = index.tables

    def write(self, u: Float32, mean: Int32, scale: Int32, put: Put) -> Int32:
        """See `Points.write`."""
        k = round_half_even(u, COORDINATE_MAX)
        ids, base = self.index.look_up(mean, scale)
        put(k - base, ids)
        return k

    def read(self, mean: Int32, scale: Int32, get: Get) -> Int32:
        """See `Points.read`."""
        ids, base = self.index.look_up(mean, scale)
        return (get(ids) + base).clip(-COORDINATE_MAX, COORDINATE_MAX)


def round_half_even(u: Float32, limit: int) -> Int32:
    """The nearest integers within -limit..limit."""
    return np.rint(u).clip(-limit, limit).astype(np.int32)

"""Which frequency table codes a symbol, from the integers that the networks put out.

There is a table for every scale index and every fraction of the mean that matters at that scale: sixteenths of a step
where sigma is below 0.7 steps, halves at 3, none above 5.6. A model's tables are made once, when it is exported, and
travel with its weights: no floating point is involved when a file is written or read.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import ModelError
from .coder import Int32, Tables
from .layers import State
from .numbers import COORDINATE_MAX, FRACTION_BITS, MEAN_MAX, SCALE_COUNT

ONE = 1 << FRACTION_BITS


@dataclass(frozen=True)
class TableIndex:
    """Look-ups from network outputs to tables.

    Attributes:
        tables: all frequency tables.
        means: int32 [2 MEAN_MAX + 1], mean in sixteenths of a step for each mean output.
        shifts: int32 [SCALE_COUNT], how many low bits of that the scale ignores.
        first: int32 [SCALE_COUNT], id of the scale's first table.
    """

    tables: Tables
    means: Int32
    shifts: Int32
    first: Int32

    @staticmethod
    def from_state(state: State) -> "TableIndex":
        """The look-ups of a model, from its tensors named `tables.*`; raises ModelError where one leads nowhere."""
        means, shifts, first = (state[f"tables.{name}"] for name in ("means", "shifts", "first"))
        tables = Tables(state["tables.frequencies"], state["tables.offsets"])
        furthest = COORDINATE_MAX * ONE
        if means.shape != (2 * MEAN_MAX + 1,) or means.min() < -furthest or means.max() > furthest:
            raise ModelError(f"prior table means: it must hold {2 * MEAN_MAX + 1} means of lattice coordinates")
        if shifts.shape != (SCALE_COUNT,) or shifts.min() < 0 or shifts.max() > FRACTION_BITS:
            raise ModelError(f"prior table shifts: it must hold {SCALE_COUNT} shifts of 0 to {FRACTION_BITS}")
        index = TableIndex(tables, means, shifts, first)
        if first.shape != (SCALE_COUNT,) or first.min() < 0 or index.last(0) >= len(tables.offsets) - 1:
            raise ModelError(f"prior table first: it must hold the first of {len(tables.offsets) - 1} tables")
        return index

    def last(self, scale: int) -> int:
        """The largest table id of scale index `scale` and those above it."""
        return int((self.first[scale:].astype(np.int64) + ((ONE - 1) >> self.shifts[scale:])).max())

    def look_up(self, mean: Int32, scale: Int32) -> tuple[Int32, Int32]:
        """Mean outputs and scale indices [N] -> table ids [N] and the integers [N] that residuals are relative to."""
        ids, base = self._all
        at = (mean + MEAN_MAX) * np.int32(SCALE_COUNT) + scale  # [N]
        return ids.take(at), base.take(at)

    @cached_property
    def _all(self) -> tuple[Int32, Int32]:
        """What `locate` says of every mean output with every scale index, scale by scale in each mean."""
        scales = np.arange(SCALE_COUNT, dtype=np.int32)
        return self.locate(np.repeat(self.means, SCALE_COUNT), np.tile(scales, len(self.means)))

    def locate(self, sixteenths: Int32, scale: Int32) -> tuple[Int32, Int32]:
        """As `look_up`, from means in sixteenths of a step; arrays of any one shape."""
        shift = self.shifts[scale]
        sixteenths = ((sixteenths + ((1 << shift) >> 1)) >> shift) << shift
        base = (sixteenths + ONE // 2) >> FRACTION_BITS
        fraction = (sixteenths + ONE // 2) & (ONE - 1)
        return self.first[scale] + (fraction >> shift), base

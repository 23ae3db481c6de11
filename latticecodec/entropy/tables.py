"""Which frequency table codes a symbol, from the integers that the networks put out.

There is a table for every scale index and every fraction of the mean that matters at that scale: sixteenths of a step
where sigma is below 0.7 steps, halves at 3, none above 5.6. A model's tables are made once, when it is exported, and
travel with its weights: no floating point is involved when a file is written or read.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ModelError
from .coder import PRECISION, Int32, Tables
from .numbers import (
    COORDINATE_MAX,
    FRACTION_BITS,
    LOG_SCALE_MIN,
    MEAN_BITS,
    MEAN_MAX,
    SCALE_BITS,
    SCALE_COUNT,
    TAIL_FROM,
    TAIL_RATIO,
    TAIL_SHARE,
    TAIL_SHARE_NARROW,
)

ONE = 1 << FRACTION_BITS
WIDEST = 1400  # half-width of the largest table


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
    def from_state(state: dict[str, Tensor]) -> "TableIndex":
        """The look-ups of a model, from its tensors named `tables.*`; raises ModelError where one leads nowhere."""
        means, shifts, first = (state[f"tables.{name}"].numpy() for name in ("means", "shifts", "first"))
        tables = Tables(state["tables.frequencies"].numpy(), state["tables.offsets"].numpy())
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
        return self.locate(self.means[mean + MEAN_MAX], scale)

    def locate(self, sixteenths: Int32, scale: Int32) -> tuple[Int32, Int32]:
        """As `look_up`, from means in sixteenths of a step; arrays of any one shape."""
        shift = self.shifts[scale]
        sixteenths = ((sixteenths + ((1 << shift) >> 1)) >> shift) << shift
        base = (sixteenths + ONE // 2) >> FRACTION_BITS
        fraction = (sixteenths + ONE // 2) & (ONE - 1)
        return self.first[scale] + (fraction >> shift), base


def fraction_shifts() -> Int32:
    """Low bits of a mean in sixteenths that each scale index ignores: one more for each doubling of sigma from 0.7."""
    log_sigma = LOG_SCALE_MIN + np.arange(SCALE_COUNT) / (1 << SCALE_BITS)
    return np.clip(np.floor((log_sigma - math.log(0.35)) / math.log(2)), 0, FRACTION_BITS).astype(np.int32)


def make_table_index() -> TableIndex:
    """Tables of a mixture of two Gaussians, the second TAIL_RATIO times as wide; its share depends on the scale."""
    shifts = fraction_shifts()
    rows: list[Int32] = []
    first: list[int] = []
    lengths: list[int] = []
    for scale in range(SCALE_COUNT):
        log_sigma = LOG_SCALE_MIN + scale / (1 << SCALE_BITS)
        sigma = math.exp(log_sigma)
        share = TAIL_SHARE if log_sigma >= TAIL_FROM else TAIL_SHARE_NARROW
        half = min(WIDEST, max(3, math.ceil(4 * sigma * TAIL_RATIO)))
        first.append(len(lengths))
        ignored = 1 << int(shifts[scale])
        for fraction in range(ONE // 2 % ignored, ONE, ignored):
            centre = (fraction - ONE // 2) / ONE
            edges = torch.arange(-half, half + 2, dtype=torch.float64) - 0.5 - centre  # [2 half + 2]
            inside = (1 - share) * _gaussian(edges, sigma) + share * _gaussian(edges, sigma * TAIL_RATIO)
            rows.append(integer_frequencies(inside))
            lengths.append(len(rows[-1]))
    means = np.sinh(np.arange(-MEAN_MAX, MEAN_MAX + 1) / (1 << MEAN_BITS)) * ONE
    tables = Tables(np.concatenate(rows), np.cumsum([0, *lengths]).astype(np.int32))
    return TableIndex(tables, np.round(means).astype(np.int32), shifts, np.array(first, dtype=np.int32))


def _gaussian(edges: Tensor, sigma: float) -> NDArray[np.float64]:
    """Mass between consecutive edges [n + 1], then the mass outside of them: [n + 1]."""
    root = 1 / (sigma * math.sqrt(2))
    mass = 0.5 * (torch.erf(edges[1:] * root) - torch.erf(edges[:-1] * root))
    outside = 0.5 * (torch.erfc(edges[-1:] * root) + torch.erfc(-edges[:1] * root))
    return torch.cat([mass, outside]).numpy()


def integer_frequencies(mass: NDArray[np.float64]) -> Int32:
    """Probabilities [n] to integers [n], each at least 1, that sum to 2^24; the largest takes up the rounding."""
    free = (1 << PRECISION) - len(mass)
    frequencies = 1 + np.floor(np.clip(mass, 0, None) / mass.sum() * free).astype(np.int64)
    frequencies[np.argmax(frequencies)] += (1 << PRECISION) - frequencies.sum()
    result: Int32 = frequencies.astype(np.int32)
    return result

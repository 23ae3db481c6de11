"""E8 points where the predicted scale is large, integers elsewhere; coordinates are doubled.

The coordinates of a context step whose scale index is at least the threshold are sorted by it (stable) and taken in
blocks of eight from the largest down; what is left over at the small end stays with the integers. A block is a point
of E8 = D8 u (D8 + 1/2) (Conway and Sloane 1982): a coset c of one bit and eight integers n with an even sum, the point
n + c / 2. The prior takes the n for independent, each with its table, the mean moved by c / 2, given that their sum is
even. That joint distribution is coded exactly, but for the rounding of probabilities to 1/128:

    1. the coset, then the parities of n_1 .. n_7, each given those before and that the eight must sum to an even
       number: with rho = P(even) - P(odd) of a coordinate, the chance that coordinates i+1..8 have an even sum is
       (1 + rho_{i+1} .. rho_8) / 2; the eighth parity follows
    2. the n, each in the half of its table that has its parity
"""

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from .coder import Float32, Int32, Tables
from .conway_sloane import nearest_e8, to_doubled
from .layers import State
from .numbers import COORDINATE_MAX, FRACTION_BITS, LOG_SCALE_MIN, MEAN_MAX, SCALE_BITS, SCALE_COUNT
from .points import cheaper, neighbours, round_half_even
from .stream import Sink, Source
from .tables import TableIndex

Int64 = NDArray[np.int64]

BLOCK = 8
LEVELS = 128  # of the probability of a bit
RHO_BITS = 12
ONE = 1 << RHO_BITS
LARGEST = COORDINATE_MAX // 2 - 1  # of an undoubled coordinate


class E8Points:
    """Points of E8 or of the integers, as the predicted scale decides; `unit` 2, coordinates are doubled.

    Args:
        index: tables of the integers.
        state: tensors `e8.threshold` [1]; `e8.frequencies` and `e8.offsets`, the added tables: 128 of single bits, then
            those of one parity; `e8.even` [tables], the id of a table's even half or -1, the odd half follows it;
            `e8.rho` [tables], P(even) - P(odd) of a table's residuals in 1/4096.
    """

    unit = 2

    def __init__(self, index: TableIndex, state: State) -> None:
        self.index = index
        self.threshold = int(state["e8.threshold"].item())
        self.integers_below = LOG_SCALE_MIN + (self.threshold - 0.5) / 2**SCALE_BITS
        self._even, self._rho = state["e8.even"], state["e8.rho"]
        self._bit = len(index.tables.offsets) - 1  # the first of the added tables
        self.tables = joined(index.tables, state["e8.frequencies"], state["e8.offsets"])
        self._check()

    def _check(self) -> None:
        """Raise ModelError where a look-up of the model leads nowhere."""
        end, reached = len(self.tables.offsets) - 1, np.arange(0)
        if not 0 <= self.threshold <= SCALE_COUNT or end < self._bit + LEVELS:
            raise ModelError(f"prior: an E8 threshold of {self.threshold} with {end - self._bit} tables of its own")
        if self.threshold < SCALE_COUNT:
            first = int(self.index.first[self.threshold :].min())
            reached = self._even[first : self.index.last(self.threshold) + 1]
        if self._even.shape != (self._bit,) or (reached < self._bit).any() or (reached >= end - 1).any():
            raise ModelError("prior table e8.even: it must hold a table for each one from the threshold up")
        if self._rho.shape != (self._bit,) or self._rho.min() <= -ONE or self._rho.max() >= ONE:
            raise ModelError(f"prior table e8.rho: it must hold a number between -{ONE} and {ONE} for each table")

    def choose(self, u: Float32, mean: Int32, scale: Int32, bit_weight: float = 0.0) -> Int32:
        """See `points.Points.choose`."""
        alone, blocks = self._split(scale)
        d = np.empty(len(u), dtype=np.int32)
        inside = u[blocks].clip(-LARGEST + 1, LARGEST - 1)  # [B, 8]
        if bit_weight == 0:
            d[alone] = 2 * round_half_even(u[alone], LARGEST)
            d[blocks] = to_doubled(nearest_e8(inside))
        else:
            ids, base = self.index.look_up(mean[alone], scale[alone])
            d[alone] = 2 * cheaper(*neighbours(u[alone], base, ids, self.index.tables, bit_weight, LARGEST))
            d[blocks] = self._cheapest(inside, mean[blocks], scale[blocks], bit_weight)
        return d

    def _cheapest(self, u: Float32, mean: Int32, scale: Int32, bit_weight: float) -> Int32:
        """Doubled coordinates [B, 8] of the points of E8 that cost least, as `Points.choose` says; u [B, 8].

        In each coset Conway and Sloane's way with costs for distances: the cheaper integer of each coordinate, and
        where their sum is odd the other one where that costs least. Points of both cosets have the probability of
        their eight integers over the same sum, so the bits of the integers decide between the cosets, too.
        """
        points, costs = [], []
        for coset in (0, 1):
            ids, base, _ = self.locate(mean, scale, coset)
            low, below, above = neighbours(u, base, ids, self.index.tables, bit_weight, LARGEST, coset / 2)
            n = cheaper(low, below, above)  # [B, 8]
            extra = np.abs(above - below)  # [B, 8] what the other integer costs more
            odd = (n.sum(1) & 1).astype(bool)  # [B]
            rows, columns = np.flatnonzero(odd), extra.argmin(1)[odd]
            n[rows, columns] = 2 * low[rows, columns] + 1 - n[rows, columns]
            points.append(2 * n + coset)
            costs.append(np.minimum(below, above).sum(1) + odd * extra.min(1))
        chosen: Int32 = np.where((costs[1] < costs[0])[:, None], points[1], points[0]).astype(np.int32)
        return chosen

    def write(self, k: Int32, mean: Int32, scale: Int32, writer: Sink) -> None:
        """See `points.Points.write`; the coordinates of every block are a point of E8."""
        alone, blocks = self._split(scale)
        ids, base = self.index.look_up(mean[alone], scale[alone])
        writer.put((k[alone] >> 1) - base, ids)
        if len(blocks):
            d = k[blocks]  # [B, 8]
            coset = d[:, 0] & 1  # [B]
            n = (d - coset[:, None]) >> 1  # [B, 8]
            parities = Parities(self, mean[blocks], scale[blocks])
            writer.put(coset, parities.coset_ids())
            parities.know_coset(coset)
            for column in range(BLOCK - 1):
                own = n[:, column] & 1  # [B]
                writer.put(own, parities.ids(column))
                parities.know(column, own)
            residual = parities.of_residuals()  # [B, 8]
            j = (n - parities.base - residual) >> 1  # [B, 8]
            writer.put(j.ravel(), (self._even[parities.tables] + residual).ravel())

    def read(self, mean: Int32, scale: Int32, reader: Source) -> Int32:
        """See `points.Points.read`."""
        alone, blocks = self._split(scale)
        k = np.empty(len(scale), dtype=np.int32)
        ids, base = self.index.look_up(mean[alone], scale[alone])
        k[alone] = 2 * (reader.get(ids) + base)
        if len(blocks):
            parities = Parities(self, mean[blocks], scale[blocks])
            coset = reader.get(parities.coset_ids()) & 1  # [B]
            parities.know_coset(coset)
            for column in range(BLOCK - 1):
                parities.know(column, reader.get(parities.ids(column)) & 1)
            residual = parities.of_residuals()  # [B, 8]
            j = reader.get((self._even[parities.tables] + residual).ravel()).reshape(-1, BLOCK)  # [B, 8]
            k[blocks] = 2 * (2 * j + residual + parities.base) + coset[:, None]
        return k.clip(-COORDINATE_MAX, COORDINATE_MAX)

    def bit_table(self, zero: Int64, one: Int64) -> Int32:
        """Table ids of bits whose values 0 and 1 have the weights given [B]."""
        level = zero * LEVELS // (zero + one)
        return (self._bit + level.clip(0, LEVELS - 1)).astype(np.int32)

    def _split(self, scale: Int32) -> tuple[Int32, Int32]:
        """Positions coded alone [A], in natural order, and the blocks [B, 8], by rising scale."""
        order = np.argsort(scale.astype(np.uint8), kind="stable").astype(np.int32)  # 8 bits: a radix sort
        alone = int((scale < self.threshold).sum())
        alone += (len(scale) - alone) % BLOCK
        return np.sort(order[:alone]), order[alone:].reshape(-1, BLOCK)

    def locate(self, mean: Int32, scale: Int32, coset: int) -> tuple[Int32, Int32, Int64]:
        """Table ids, bases and signed parity sums [B, 8] of the integers n of blocks, all in one coset."""
        sixteenths = self.index.means[mean + MEAN_MAX] - (coset << (FRACTION_BITS - 1))
        ids, base = self.index.locate(sixteenths, scale)
        rho = self._rho[ids].astype(np.int64)
        return ids, base, np.where(base & 1, -rho, rho)


class Parities:
    """The bits of blocks that come before their integers: the coset, then the parities of n_1 .. n_7.

    `coset_ids` and, for columns 0 to 6, `ids` are the tables [B] of these bits, each known from those before it.

    Args:
        points: the tables.
        mean, scale: predictions of the blocks, [B, 8] each.

    Attributes:
        tables, base: ids and bases of the integers [B, 8], once the coset is known.
    """

    def __init__(self, points: E8Points, mean: Int32, scale: Int32) -> None:
        self._points = points
        self._both = [points.locate(mean, scale, coset) for coset in (0, 1)]

    def coset_ids(self) -> Int32:
        """Table ids of the cosets [B]."""
        even, even_moved = (ONE + suffix_products(rho)[:, 0] for _, _, rho in self._both)  # [B] of all eight
        return self._points.bit_table(even, even_moved)

    def know_coset(self, coset: Int32) -> None:
        """The cosets [B]."""
        self.tables, self.base, self._rho = (
            np.where(coset[:, None] == 1, moved, own) for own, moved in zip(*self._both, strict=True)
        )
        self._ahead = suffix_products(self._rho)  # [B, 9]
        self._parity = np.zeros_like(self.tables)  # [B, 8] of the integers n
        self._sign = np.ones(len(coset), dtype=np.int64)  # [B] +1 while the sum so far is even

    def ids(self, column: int) -> Int32:
        """Table ids of the parities of a column [B]."""
        own, rest = self._rho[:, column], self._sign * self._ahead[:, column + 1]
        return self._points.bit_table((ONE + own) * (ONE + rest), (ONE - own) * (ONE - rest))

    def know(self, column: int, parity: Int32) -> None:
        """The parities of a column [B]."""
        self._parity[:, column] = parity
        self._sign *= 1 - 2 * parity

    def of_residuals(self) -> Int32:
        """Parities of the residuals of all eight columns [B, 8], the last of which makes the sum even."""
        self._parity[:, -1] = self._sign < 0
        parity: Int32 = self._parity ^ (self.base & 1)
        return parity


def suffix_products(rho: Int64) -> Int64:
    """Products of columns i to the last, [B, n + 1], the last column 1; both in units of 1 / ONE."""
    out = np.full((rho.shape[0], rho.shape[1] + 1), ONE, dtype=np.int64)
    for column in range(rho.shape[1] - 1, -1, -1):
        out[:, column] = (out[:, column + 1] * rho[:, column]) >> RHO_BITS
    return out


def joined(tables: Tables, frequencies: Int32, offsets: Int32) -> Tables:
    """`tables` with more tables behind them."""
    return Tables(
        np.concatenate([tables.frequencies, frequencies]),
        np.concatenate([tables.offsets, tables.offsets[-1] + offsets[1:]]).astype(np.int32),
    )

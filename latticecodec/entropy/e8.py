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

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ModelError
from ..lab.quantizers.conway_sloane import nearest_e8, to_doubled
from .coder import PRECISION, Float32, Int32, Tables
from .numbers import COORDINATE_MAX, FRACTION_BITS, LOG_SCALE_MIN, MEAN_MAX, SCALE_BITS, SCALE_COUNT
from .points import Get, Put, cheaper, neighbours, round_half_even
from .tables import TableIndex, integer_frequencies

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

    def __init__(self, index: TableIndex, state: dict[str, Tensor]) -> None:
        self.index = index
        self.threshold = int(state["e8.threshold"])
        self.integers_below = LOG_SCALE_MIN + (self.threshold - 0.5) / 2**SCALE_BITS
        self._even, self._rho = state["e8.even"].numpy(), state["e8.rho"].numpy()
        self._bit = len(index.tables.offsets) - 1  # the first of the added tables
        self.tables = joined(index.tables, state["e8.frequencies"].numpy(), state["e8.offsets"].numpy())
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

    def write(self, u: Float32, mean: Int32, scale: Int32, put: Put, bit_weight: float = 0.0) -> Int32:
        """See `points.Points.write`."""
        alone, blocks = self._split(scale)
        d = np.empty(len(u), dtype=np.int32)
        ids, base = self.index.look_up(mean[alone], scale[alone])
        if bit_weight > 0:
            k = cheaper(*neighbours(u[alone], base, ids, self.index.tables, bit_weight, LARGEST))
        else:
            k = round_half_even(u[alone], LARGEST)
        put(k - base, ids)
        d[alone] = 2 * k
        if len(blocks):
            inside = u[blocks].clip(-LARGEST + 1, LARGEST - 1)  # [B, 8]
            if bit_weight > 0:
                d[blocks] = self._cheapest(inside, mean[blocks], scale[blocks], bit_weight)
            else:
                d[blocks] = to_doubled(nearest_e8(torch.from_numpy(inside))).numpy()
            coset = d[blocks[:, 0]] & 1  # [B]
            n = (d[blocks] - coset[:, None]) >> 1  # [B, 8]

            def code_bit(column: int, ids: Int32) -> Int32:
                bits: Int32 = coset if column < 0 else n[:, column] & 1
                put(bits, ids)
                return bits

            ids, base, parity = self._code_parities(mean[blocks], scale[blocks], code_bit)
            put(((n - base - parity) >> 1).ravel(), (self._even[ids] + parity).ravel())
        return d

    def _cheapest(self, u: Float32, mean: Int32, scale: Int32, bit_weight: float) -> Int32:
        """Doubled coordinates [B, 8] of the points of E8 that cost least, as `Points.write` says; u [B, 8].

        In each coset Conway and Sloane's way with costs for distances: the cheaper integer of each coordinate, and
        where their sum is odd the other one where that costs least. Points of both cosets have the probability of
        their eight integers over the same sum, so the bits of the integers decide between the cosets, too.
        """
        points, costs = [], []
        for coset in (0, 1):
            ids, base, _ = self._locate(mean, scale, coset)
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

    def read(self, mean: Int32, scale: Int32, get: Get) -> Int32:
        """See `points.Points.read`."""
        alone, blocks = self._split(scale)
        d = np.empty(len(scale), dtype=np.int32)
        ids, base = self.index.look_up(mean[alone], scale[alone])
        d[alone] = 2 * (get(ids) + base)
        if len(blocks):
            coset = np.zeros(len(blocks), dtype=np.int32)

            def code_bit(column: int, ids: Int32) -> Int32:
                bits = get(ids) & 1
                if column < 0:
                    coset[:] = bits
                return bits

            ids, base, parity = self._code_parities(mean[blocks], scale[blocks], code_bit)
            j = get((self._even[ids] + parity).ravel()).reshape(-1, BLOCK)  # [B, 8]
            d[blocks] = 2 * (2 * j + parity + base) + coset[:, None]
        return d.clip(-COORDINATE_MAX, COORDINATE_MAX)

    def _code_parities(
        self, mean: Int32, scale: Int32, code_bit: Callable[[int, Int32], Int32]
    ) -> tuple[Int32, Int32, Int32]:
        """Code cosets and parities of blocks: (table ids, bases, parities of the residuals), [B, 8] each.

        `code_bit` is called for the coset with column -1 and for columns 0..6, with the table ids [B] of the bit, and
        returns the bits [B].
        """
        both = [self._locate(mean, scale, coset) for coset in (0, 1)]
        all_even = [suffix_products(rho)[:, 0] for _, _, rho in both]  # [B] of all eight
        coset = code_bit(-1, self._bit_table(ONE + all_even[0], ONE + all_even[1]))  # [B]
        ids, base, rho = (np.where(coset[:, None] == 1, b, a) for a, b in zip(*both, strict=True))  # [B, 8]
        ahead = suffix_products(rho)  # [B, 9]
        parity = np.zeros_like(ids)  # [B, 8] of the integers n
        sign = np.ones(len(ids), dtype=np.int64)  # [B] +1 while the sum so far is even
        for column in range(BLOCK - 1):
            own, rest = rho[:, column], sign * ahead[:, column + 1]
            parity[:, column] = code_bit(
                column, self._bit_table((ONE + own) * (ONE + rest), (ONE - own) * (ONE - rest))
            )
            sign *= 1 - 2 * parity[:, column]
        parity[:, -1] = sign < 0
        return ids, base, parity ^ (base & 1)

    def _bit_table(self, zero: Int64, one: Int64) -> Int32:
        """Table ids of bits whose values 0 and 1 have the weights given [B]."""
        level = zero * LEVELS // (zero + one)
        return (self._bit + level.clip(0, LEVELS - 1)).astype(np.int32)

    def _split(self, scale: Int32) -> tuple[Int32, Int32]:
        """Positions coded alone [A], in natural order, and the blocks [B, 8], by rising scale."""
        order = np.argsort(scale, kind="stable").astype(np.int32)
        alone = int((scale < self.threshold).sum())
        alone += (len(scale) - alone) % BLOCK
        return np.sort(order[:alone]), order[alone:].reshape(-1, BLOCK)

    def _locate(self, mean: Int32, scale: Int32, coset: int) -> tuple[Int32, Int32, Int64]:
        """Table ids, bases and signed parity sums [B, 8] of the integers n of blocks, all in one coset."""
        sixteenths = self.index.means[mean + MEAN_MAX] - (coset << (FRACTION_BITS - 1))
        ids, base = self.index.locate(sixteenths, scale)
        rho = self._rho[ids].astype(np.int64)
        return ids, base, np.where(base & 1, -rho, rho)


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


def e8_state(index: TableIndex, threshold: int) -> dict[str, Tensor]:
    """What `E8Points` needs beside the tables of the integers, for coordinates of scale index `threshold` and up."""
    count = len(index.tables.offsets) - 1
    rows = [bit_row((level + 0.5) / LEVELS) for level in range(LEVELS)]
    even, rho = np.full(count, -1, dtype=np.int32), np.zeros(count, dtype=np.int32)
    for table in range(int(index.first[threshold]), count):
        row = index.tables.frequencies[index.tables.offsets[table] : index.tables.offsets[table + 1]]
        half = (len(row) - 2) // 2
        balance = int((row[:-1].astype(np.int64) * (1 - 2 * (np.arange(-half, half + 1) & 1))).sum())
        rho[table] = min(max(balance >> (PRECISION - RHO_BITS), 1 - ONE), ONE - 1)
        even[table] = count + len(rows)
        rows += [one_parity(row, 0), one_parity(row, 1)]
    return {
        "e8.threshold": torch.tensor([threshold], dtype=torch.int32),
        "e8.frequencies": torch.from_numpy(np.concatenate(rows)),
        "e8.offsets": torch.from_numpy(np.cumsum([0, *(len(row) for row in rows)]).astype(np.int32)),
        "e8.even": torch.from_numpy(even),
        "e8.rho": torch.from_numpy(rho),
    }


def bit_row(zero: float) -> Int32:
    """The table of a bit that is 0 with probability `zero`: frequencies of -1, 0, 1 and the escape."""
    return integer_frequencies(np.array([0, zero, 1 - zero, 0]))


def one_parity(row: Int32, parity: int) -> Int32:
    """The table of j for residuals r = 2 j + parity, from the table of r."""
    half = (len(row) - 2) // 2
    reach = max(1, (half + parity) // 2)  # half-width of the new table
    mass = np.zeros(2 * reach + 2)
    for j in range(-reach, reach + 1):
        r = 2 * j + parity
        if -half <= r <= half:
            mass[j + reach] = row[r + half]
    mass[-1] = row[-1] / 2
    return integer_frequencies(mass)

"""The indices of a trained row as bytes: static frequency tables, counted on training pictures, and the range coder.

The tables are a part of the decoder, as the codebook is. A column of symbols has a table of its own; for adaptive
codebooks the number of the codebook chooses the table of the index. Nothing is taken from neighbours: these are the
bits of a memoryless code, an upper bound of what a context model would need.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..coder import EXCESS_BITS, PRECISION, Decoder, Encoder, Int32, Tables
from ..errors import FormatError
from .bottleneck import Bottleneck

PRIOR_COUNT = 0.5  # rows added to every count
HALF_WIDTH_MAX = 1 << 12  # of a coordinate's table; larger ones are escapes
PARTS_MAX = 1 << 20  # hashes that wait to be merged
Counts = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass
class Statistics:
    """Counts of the symbols of training pictures, gathered batch by batch.

    Attributes:
        tables: counts for each table; a lattice's are of coordinates -HALF_WIDTH_MAX to HALF_WIDTH_MAX.
        used: (64-bit hash, how often) of the rows of symbols, in parts that may share hashes.
    """

    bottleneck: Bottleneck
    tables: list[Counts] = field(default_factory=list)
    used: list[tuple[Integers, Integers]] = field(default_factory=list)

    def add(self, symbols: Tensor) -> None:
        """Count symbols [N, S]."""
        columns = symbols.cpu().numpy()
        for table, values in _by_table(self.bottleneck, columns):
            while len(self.tables) <= table:
                self.tables.append(np.zeros(self._size(len(self.tables))))
            entries = values if self.bottleneck.sizes() else _shifted(values)
            self.tables[table] += np.bincount(entries, minlength=len(self.tables[table]))
        hashes, counts = torch.unique(_hashed(symbols), return_counts=True)
        self.used.append((hashes.cpu().numpy(), counts.cpu().numpy()))
        if sum(len(part) for part, _ in self.used[1:]) > PARTS_MAX:
            self._merge()

    def _merge(self) -> Integers:
        """Make one part of all; returns how often each distinct row occurred."""
        hashes, counts = (np.concatenate(parts) for parts in zip(*self.used, strict=True))
        distinct, place = np.unique(hashes, return_inverse=True)
        sums = np.bincount(place, counts).astype(np.int64)
        self.used = [(distinct, sums)]
        return sums

    def _size(self, table: int) -> int:
        sizes = self.bottleneck.sizes()
        if not sizes:
            return 2 * HALF_WIDTH_MAX + 1
        return ([len(sizes), *sizes] if self.bottleneck.chooses else sizes)[table]

    def distinct(self) -> int:
        """Number of distinct embeddings: rows of symbols that occurred."""
        return len(self._merge())

    def perplexity(self) -> float:
        """2^H for the entropy H in bits of the rows of symbols."""
        counts = self._merge()
        shares = counts / counts.sum()
        return float(np.exp(-(shares * np.log(shares)).sum()))


def _shifted(coordinates: NDArray[np.int64]) -> NDArray[np.int64]:
    inside = coordinates[np.abs(coordinates) <= HALF_WIDTH_MAX]
    return inside + HALF_WIDTH_MAX


def _hashed(symbols: Tensor) -> Tensor:
    """A hash [N] of every row of symbols [N, S]: an inner product with random odd numbers modulo 2^64."""
    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(-(2**62), 2**62, (symbols.shape[1],), generator=generator) * 2 + 1  # [S]
    return (symbols * factors.to(symbols.device)).sum(1)  # [N]


def _by_table(bottleneck: Bottleneck, columns: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
    """(table, its symbols) of columns [N, S]."""
    if not bottleneck.chooses:
        return [(column, columns[:, column]) for column in range(columns.shape[1])]
    groups = [(1 + book, columns[columns[:, 0] == book, 1]) for book in range(len(bottleneck.sizes()))]
    return [(0, columns[:, 0]), *groups]


@dataclass(frozen=True)
class StaticCode:
    """Frequency tables of a trained row, and the two directions between symbols and bytes."""

    tables: Tables
    centres: Int32  # [tables] symbol of residual 0
    chooses: bool
    columns: int

    @staticmethod
    def fitted(statistics: Statistics) -> "StaticCode":
        """Tables from counts: count + PRIOR_COUNT, scaled to integers that sum to 2^24."""
        codebooks = bool(statistics.bottleneck.sizes())
        rows, centres = [], []
        for counts in statistics.tables:
            if codebooks:  # symbol 0 is residual -D; the entries beyond the last symbol are never used
                centre = (len(counts) + 1) // 2
                weights = np.concatenate([counts, np.zeros(2 * centre + 2 - len(counts))])
                weights[: len(counts)] += PRIOR_COUNT
            else:
                seen = np.flatnonzero(counts)
                reach = int(np.abs(seen - HALF_WIDTH_MAX).max()) if len(seen) else 0
                half = max(1, reach)
                inside = counts[HALF_WIDTH_MAX - half : HALF_WIDTH_MAX + half + 1] + PRIOR_COUNT
                weights, centre = np.append(inside, PRIOR_COUNT), 0
            rows.append(_integers(weights))
            centres.append(centre)
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int32)
        columns = 2 if statistics.bottleneck.chooses else len(rows)
        tables = Tables(np.concatenate(rows), offsets)
        return StaticCode(tables, np.array(centres, np.int32), statistics.bottleneck.chooses, columns)

    def encode(self, symbols: Tensor) -> bytes:
        """The bytes of symbols [N, S].

        Raises:
            FormatError: a coordinate is beyond what the coder holds.
        """
        if len(symbols) and int(symbols.abs().max()) >= 1 << EXCESS_BITS:
            raise FormatError(f"a lattice coordinate is beyond 2^{EXCESS_BITS}: the basis has shrunk to nothing")
        columns = symbols.cpu().numpy().astype(np.int32)
        encoder = Encoder()
        for column in range(self.columns):
            ids = self._ids(column, columns, len(columns))
            encoder.put(columns[:, column] - self.centres[ids], ids, self.tables)
        return encoder.finish()

    def decode(self, data: bytes, count: int) -> Tensor:
        """Symbols int64 [count, S] of bytes."""
        decoder = Decoder(data)
        columns = np.zeros((count, self.columns), np.int32)
        for column in range(self.columns):
            ids = self._ids(column, columns, count)
            columns[:, column] = decoder.get(ids, self.tables) + self.centres[ids]
        return torch.from_numpy(columns.astype(np.int64))  # [count, S]

    def _ids(self, column: int, columns: Int32, count: int) -> Int32:
        if column and self.chooses:
            return (1 + columns[:, 0]).astype(np.int32)
        return np.full(count, column, np.int32)


def _integers(weights: Counts) -> Int32:
    """Weights [n] -> int32 [n], each at least 1, in sum 2^24; what rounding leaves goes to the largest."""
    total = 1 << PRECISION
    integers: NDArray[np.int64] = 1 + np.floor(weights * ((total - len(weights)) / weights.sum())).astype(np.int64)
    integers[int(integers.argmax())] += total - integers.sum()
    rounded: Int32 = integers.astype(np.int32)
    return rounded

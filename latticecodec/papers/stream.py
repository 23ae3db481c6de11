"""The indices of a trained row as bytes: static frequency tables, counted on training pictures, and the range coder.

The tables are a part of the decoder, as the codebook is. Nothing is taken from neighbours: these are the bits of a
memoryless code, an upper bound of what a context model would need.

- `StaticCode`: a column of symbols has a table of its own; for adaptive codebooks the number of the codebook chooses
  the table of the index. A lattice's coordinates are coded one by one, as if they were independent.
- `PointCode`: a lattice that uses few points is coded as a codebook is, by the number of the point; points that the
  training pictures do not have are escapes to `StaticCode`.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..coder import EXCESS_BITS, PRECISION, Decoder, Encoder, Int32, Tables
from ..errors import FormatError
from .bottleneck import Bottleneck

PRIOR_COUNT = 0.5  # rows added to every count, but in sum no more than
PRIOR_SHARE = 0.02  # of the rows that were counted
POINTS_MAX = 1 << 16  # of a lattice that PointCode takes for a codebook
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
        points: of a lattice, the rows of symbols by hash; None when there are more than POINTS_MAX.
    """

    bottleneck: Bottleneck
    tables: list[Counts] = field(default_factory=list)
    used: list[tuple[Integers, Integers]] = field(default_factory=list)
    points: dict[int, Integers] | None = field(default_factory=dict)

    def add(self, symbols: Tensor) -> None:
        """Count symbols [N, S]."""
        columns = symbols.cpu().numpy()
        for table, values in _by_table(self.bottleneck, columns):
            while len(self.tables) <= table:
                self.tables.append(np.zeros(self._size(len(self.tables))))
            entries = values if self.bottleneck.sizes() else _shifted(values)
            self.tables[table] += np.bincount(entries, minlength=len(self.tables[table]))
        hashes, first, counts = np.unique(hashed(symbols).cpu().numpy(), return_index=True, return_counts=True)
        self.used.append((hashes, counts))
        if not self.bottleneck.sizes() and self.points is not None:
            self.points |= dict(zip(hashes.tolist(), columns[first], strict=True))
            self.points = self.points if len(self.points) <= POINTS_MAX else None
        if sum(len(part) for part, _ in self.used[1:]) > PARTS_MAX:
            self.merged()

    def merged(self) -> tuple[Integers, Integers]:
        """The hashes of all distinct rows of symbols, in order, and how often each occurred."""
        hashes, counts = (np.concatenate(parts) for parts in zip(*self.used, strict=True))
        distinct, place = np.unique(hashes, return_inverse=True)
        self.used = [(distinct, np.bincount(place, counts).astype(np.int64))]
        return self.used[0]

    def _size(self, table: int) -> int:
        sizes = self.bottleneck.sizes()
        if not sizes:
            return 2 * HALF_WIDTH_MAX + 1
        return ([len(sizes), *sizes] if self.bottleneck.chooses else sizes)[table]

    def distinct(self) -> int:
        """Number of distinct embeddings: rows of symbols that occurred."""
        return len(self.merged()[0])

    def perplexity(self) -> float:
        """2^H for the entropy H in bits of the rows of symbols."""
        _, counts = self.merged()
        shares = counts / counts.sum()
        return float(np.exp(-(shares * np.log(shares)).sum()))


def _shifted(coordinates: NDArray[np.int64]) -> NDArray[np.int64]:
    inside = coordinates[np.abs(coordinates) <= HALF_WIDTH_MAX]
    return inside + HALF_WIDTH_MAX


def hashed(symbols: Tensor) -> Tensor:
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


class Code(Protocol):
    """Two directions between symbols [N, S] and bytes."""

    def encode(self, symbols: Tensor) -> bytes:
        """The bytes of symbols int64 [N, S]; FormatError where the coder cannot hold them."""

    def decode(self, data: bytes, count: int) -> Tensor:
        """Symbols int64 [count, S] of bytes."""


def codes(statistics: Statistics) -> list[Code]:
    """All codes for the symbols of a model, fitted to its statistics."""
    static = StaticCode.fitted(statistics)
    few = statistics.points is not None and not statistics.bottleneck.sizes()
    return [PointCode.fitted(statistics, static), static] if few else [static]


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
            if codebooks:
                prior = min(PRIOR_COUNT, max(PRIOR_SHARE * counts.sum(), PRIOR_COUNT) / len(counts))
                weights, centre = _indices(counts + prior)
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
        encoder = Encoder()
        self.put(encoder, symbols.cpu().numpy())
        return encoder.finish()

    def put(self, encoder: Encoder, symbols: Integers) -> None:
        """Encode symbols [N, S]; raises FormatError as `encode` does."""
        if len(symbols) and int(np.abs(symbols).max()) >= 1 << EXCESS_BITS:
            raise FormatError(f"a lattice coordinate is beyond 2^{EXCESS_BITS}: the basis has shrunk to nothing")
        columns = symbols.astype(np.int32)
        for column in range(self.columns):
            ids = self._ids(column, columns, len(columns))
            encoder.put(columns[:, column] - self.centres[ids], ids, self.tables)

    def decode(self, data: bytes, count: int) -> Tensor:
        """Symbols int64 [count, S] of bytes."""
        return torch.from_numpy(self.get(Decoder(data), count).astype(np.int64))  # [count, S]

    def get(self, decoder: Decoder, count: int) -> Int32:
        """Columns [count, S]."""
        columns = np.zeros((count, self.columns), np.int32)
        for column in range(self.columns):
            ids = self._ids(column, columns, count)
            columns[:, column] = decoder.get(ids, self.tables) + self.centres[ids]
        return columns

    def _ids(self, column: int, columns: Int32, count: int) -> Int32:
        if column and self.chooses:
            return (1 + columns[:, 0]).astype(np.int32)
        return np.full(count, column, np.int32)


@dataclass(frozen=True)
class PointCode:
    """Numbers of the points of a lattice that training pictures have; the number after the last is an escape."""

    hashes: Integers  # [n] in order
    points: Integers  # [n, S]
    tables: Tables
    centre: int
    escaped: StaticCode

    @staticmethod
    def fitted(statistics: Statistics, escaped: StaticCode) -> "PointCode":
        """A table of how often each point occurred; an escape weighs as much as the points that occurred once."""
        assert statistics.points is not None
        hashes, counts = statistics.merged()
        weights, centre = _indices(np.append(counts, max(PRIOR_COUNT, float((counts == 1).sum()))))
        points = np.stack([statistics.points[value] for value in hashes.tolist()])  # [n, S]
        tables = Tables(_integers(weights), np.array([0, len(weights)], np.int32))
        return PointCode(hashes, points, tables, centre, escaped)

    def encode(self, symbols: Tensor) -> bytes:
        """See Code."""
        wanted, rows = hashed(symbols).cpu().numpy(), symbols.cpu().numpy()
        at = np.searchsorted(self.hashes, wanted).clip(max=len(self.hashes) - 1)  # [N]
        numbers = np.where((self.points[at] == rows).all(1), at, len(self.hashes)).astype(np.int32)  # [N]
        far = rows[numbers == len(self.hashes)]  # [M, S]
        encoder = Encoder()
        encoder.put(numbers - np.int32(self.centre), np.zeros(len(numbers), np.int32), self.tables)
        self.escaped.put(encoder, far)
        return encoder.finish()

    def decode(self, data: bytes, count: int) -> Tensor:
        """See Code."""
        decoder = Decoder(data)
        numbers = decoder.get(np.zeros(count, np.int32), self.tables) + self.centre  # [count]
        far = numbers == len(self.hashes)
        rows = self.points[np.where(far, 0, numbers)].copy()  # [count, S]
        rows[far] = self.escaped.get(decoder, int(far.sum()))
        return torch.from_numpy(rows.astype(np.int64))  # [count, S]


def _indices(weights: Counts) -> tuple[Counts, int]:
    """Weights of indices 0 to n - 1 in the coder's layout, and the index of its residual 0.

    Entry 0 is residual -D; the entries after the last index are never used.
    """
    centre = (len(weights) + 1) // 2
    return np.concatenate([weights, np.zeros(2 * centre + 2 - len(weights))]), centre


def _integers(weights: Counts) -> Int32:
    """Weights [n] -> int32 [n], each at least 1, in sum 2^24; what rounding leaves goes to the largest."""
    total = 1 << PRECISION
    integers: NDArray[np.int64] = 1 + np.floor(weights * ((total - len(weights)) / weights.sum())).astype(np.int64)
    integers[int(integers.argmax())] += total - integers.sum()
    rounded: Int32 = integers.astype(np.int32)
    return rounded

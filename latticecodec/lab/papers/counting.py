"""What is counted of the indices of training pictures: each symbol, each distinct embedding, and where it stands."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .bottleneck import Bottleneck

POINTS_MAX = 1 << 16  # distinct embeddings that are kept, not only counted: the first ones
FIELDS_MAX = 1 << 21  # positions whose embeddings are kept in their places
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
        points: the first POINTS_MAX distinct rows of symbols by hash, of one batch the most frequent ones.
        fields: hashes [B, h, w] of the first FIELDS_MAX positions.
    """

    bottleneck: Bottleneck
    tables: list[Counts] = field(default_factory=list)
    used: list[tuple[Integers, Integers]] = field(default_factory=list)
    points: dict[int, Integers] = field(default_factory=dict)
    fields: list[Integers] = field(default_factory=list)

    def add(self, symbols: Tensor) -> None:
        """Count symbols [B, h, w, S] of B pictures."""
        shape = symbols.shape[:3]
        symbols = symbols.flatten(0, 2)  # [B h w, S]
        columns = symbols.cpu().numpy()
        for table, values in by_table(self.bottleneck, columns):
            while len(self.tables) <= table:
                self.tables.append(np.zeros(self._size(len(self.tables))))
            entries = values if self.bottleneck.sizes() else _shifted(values)
            self.tables[table] += np.bincount(entries, minlength=len(self.tables[table]))
        places = hashed(symbols).cpu().numpy()  # [B h w]
        hashes, first, counts = np.unique(places, return_index=True, return_counts=True)
        self.used.append((hashes, counts))
        if len(self.points) < POINTS_MAX:
            often = np.argsort(-counts, kind="stable")
            rows = zip(hashes[often].tolist(), first[often], strict=True)
            new = [(value, at) for value, at in rows if value not in self.points][: POINTS_MAX - len(self.points)]
            self.points |= {value: columns[at] for value, at in new}
        if sum(field.size for field in self.fields) < FIELDS_MAX:
            self.fields.append(places.reshape(shape))
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
        return perplexity_of(self.merged()[1])


def perplexity_of(counts: Integers) -> float:
    """2^H for the entropy H in bits of what occurred so often [n], each at least once."""
    shares = counts / counts.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


@dataclass(frozen=True)
class Points:
    """The distinct embeddings that statistics have kept, numbered; the number after the last stands for all others."""

    hashes: Integers  # [n] in order
    points: Integers  # [n, S]
    counts: Integers  # [n]
    others: int  # how often any other occurred

    @staticmethod
    def of(statistics: Statistics) -> "Points":
        """Those of statistics."""
        hashes, counts = statistics.merged()
        kept = np.isin(hashes, np.fromiter(statistics.points, np.int64, len(statistics.points)))
        points = np.stack([statistics.points[value] for value in hashes[kept].tolist()])
        return Points(hashes[kept], points, counts[kept], int(counts[~kept].sum()))

    @property
    def other(self) -> int:
        """The number of all others."""
        return len(self.hashes)

    @property
    def other_count(self) -> float:
        """How often others are to be expected: new ones as often as embeddings that occurred once (Good and Turing)."""
        return max(0.5, float((self.counts == 1).sum()) + self.others)

    def numbered(self, hashes: Integers) -> NDArray[np.int32]:
        """Numbers int32 of hashes of any shape."""
        at = np.searchsorted(self.hashes, hashes).clip(max=self.other - 1)
        return np.where(self.hashes[at] == hashes, at, self.other).astype(np.int32)

    def numbers(self, symbols: Integers) -> NDArray[np.int32]:
        """Numbers int32 [N] of symbols [N, S]."""
        at = self.numbered(hashed(torch.from_numpy(symbols)).numpy())  # [N]
        same = (self.points[np.where(at == self.other, 0, at)] == symbols).all(1)  # [N]
        return np.where(same, at, self.other).astype(np.int32)

    def symbols(self, numbers: NDArray[np.int32]) -> Integers:
        """Symbols [N, S] of numbers [N]; anything for `other`."""
        found: Integers = self.points[np.where(numbers == self.other, 0, numbers)].copy()
        return found


def _shifted(coordinates: NDArray[np.int64]) -> NDArray[np.int64]:
    inside = coordinates[np.abs(coordinates) <= HALF_WIDTH_MAX]
    return inside + HALF_WIDTH_MAX


def hashed(symbols: Tensor) -> Tensor:
    """A hash [N] of every row of symbols [N, S]: an inner product with random odd numbers modulo 2^64."""
    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(-(2**62), 2**62, (symbols.shape[1],), generator=generator) * 2 + 1  # [S]
    return (symbols * factors.to(symbols.device)).sum(1)  # [N]


def by_table(bottleneck: Bottleneck, columns: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
    """(table, its symbols) of columns [N, S]."""
    if not bottleneck.chooses:
        return [(column, columns[:, column]) for column in range(columns.shape[1])]
    groups = [(1 + book, columns[columns[:, 0] == book, 1]) for book in range(len(bottleneck.sizes()))]
    return [(0, columns[:, 0]), *groups]

"""The indices of a trained row as bytes: static frequency tables, counted on training pictures, and the range coder.

The tables are a part of the decoder, as the codebook is. These codes are memoryless: nothing is taken from neighbours.
`context` has the one that does.

- `StaticCode`: a column of symbols has a table of its own; for adaptive codebooks the number of the codebook chooses
  the table of the index. A lattice's coordinates are coded one by one, as if they were independent.
- `PointCode`: a lattice that uses few points is coded as a codebook is, by the number of the point; points that the
  training pictures do not have are escapes to `StaticCode`. Adaptive codebooks may be coded by the number of a pair.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ...entropy.coder import EXCESS_BITS, Decoder, Encoder, Int32, Tables
from ...errors import FormatError
from ..nets.tables import integer_frequencies
from .counting import HALF_WIDTH_MAX, Counts, Integers, Points, Statistics

PRIOR_COUNT = 0.5  # rows added to every count, but in sum no more than
PRIOR_SHARE = 0.02  # of the rows that were counted
Shape = tuple[int, int, int]  # pictures, and rows and columns of positions in each


class Code(Protocol):
    """Two directions between the symbols of pictures and bytes."""

    def encode(self, symbols: Tensor) -> bytes:
        """The bytes of symbols int64 [B, h, w, S]; FormatError where the coder cannot hold them."""

    def decode(self, data: bytes, shape: Shape) -> Tensor:
        """Symbols int64 [B, h, w, S] of bytes; shape is (B, h, w)."""


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
                weights, centre = indices_layout(counts + prior)
            else:
                seen = np.flatnonzero(counts)
                reach = int(np.abs(seen - HALF_WIDTH_MAX).max()) if len(seen) else 0
                half = max(1, reach)
                inside = counts[HALF_WIDTH_MAX - half : HALF_WIDTH_MAX + half + 1] + PRIOR_COUNT
                weights, centre = np.append(inside, PRIOR_COUNT), 0
            rows.append(integer_frequencies(weights))
            centres.append(centre)
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int32)
        columns = 2 if statistics.bottleneck.chooses else len(rows)
        tables = Tables(np.concatenate(rows), offsets)
        return StaticCode(tables, np.array(centres, np.int32), statistics.bottleneck.chooses, columns)

    def encode(self, symbols: Tensor) -> bytes:
        """See Code."""
        encoder = Encoder()
        self.put(encoder, symbols.flatten(0, 2).cpu().numpy())
        return encoder.finish()

    def put(self, encoder: Encoder, symbols: Integers) -> None:
        """Encode symbols [N, S].

        Raises:
            FormatError: a coordinate is beyond what the coder holds.
        """
        if len(symbols) and int(np.abs(symbols).max()) >= 1 << EXCESS_BITS:
            raise FormatError(f"a lattice coordinate is beyond 2^{EXCESS_BITS}: the basis has shrunk to nothing")
        columns = symbols.astype(np.int32)
        for column in range(self.columns):
            ids = self._ids(column, columns, len(columns))
            encoder.put(columns[:, column] - self.centres[ids], ids, self.tables)

    def decode(self, data: bytes, shape: Shape) -> Tensor:
        """See Code."""
        columns = self.get(Decoder(data), math.prod(shape))  # [B h w, S]
        return torch.from_numpy(columns.astype(np.int64)).view(*shape, -1)  # [B, h, w, S]

    def get(self, decoder: Decoder, count: int) -> Int32:
        """Columns [count, S]."""
        columns = np.zeros((count, self.columns), np.int32)
        for column in range(self.columns):
            ids = self._ids(column, columns, count)
            columns[:, column] = decoder.get(ids, self.tables) + self.centres[ids]
        return columns

    def with_escapes(self, decoder: Decoder, points: Points, numbers: Int32) -> Tensor:
        """Symbols int64 [N, S] of numbers [N], those of others from the decoder."""
        rows = points.symbols(numbers)  # [N, S]
        far = numbers == points.other  # [N]
        rows[far] = self.get(decoder, int(far.sum()))
        return torch.from_numpy(rows)

    def _ids(self, column: int, columns: Int32, count: int) -> Int32:
        if column and self.chooses:
            return (1 + columns[:, 0]).astype(np.int32)
        return np.full(count, column, np.int32)


@dataclass(frozen=True)
class PointCode:
    """Numbers of the embeddings that training pictures have; others are escapes."""

    points: Points
    tables: Tables
    centre: int
    escaped: StaticCode

    @staticmethod
    def fitted(points: Points, escaped: StaticCode) -> "PointCode":
        """A table of how often each embedding occurred."""
        weights, centre = indices_layout(np.append(points.counts, points.other_count))
        tables = Tables(integer_frequencies(weights), np.array([0, len(weights)], np.int32))
        return PointCode(points, tables, centre, escaped)

    def encode(self, symbols: Tensor) -> bytes:
        """See Code."""
        rows = symbols.flatten(0, 2).cpu().numpy()  # [B h w, S]
        numbers = self.points.numbers(rows)  # [B h w]
        encoder = Encoder()
        encoder.put(numbers - np.int32(self.centre), np.zeros(len(numbers), np.int32), self.tables)
        self.escaped.put(encoder, rows[numbers == self.points.other])
        return encoder.finish()

    def decode(self, data: bytes, shape: Shape) -> Tensor:
        """See Code."""
        decoder = Decoder(data)
        numbers = decoder.get(np.zeros(math.prod(shape), np.int32), self.tables) + np.int32(self.centre)  # [B h w]
        return self.escaped.with_escapes(decoder, self.points, numbers).view(*shape, -1)  # [B, h, w, S]


def indices_layout(weights: Counts) -> tuple[Counts, int]:
    """Weights of indices 0 to n - 1 in the coder's layout, and the index of its residual 0.

    Entry 0 is residual -D; the entries after the last index are never used.
    """
    centre = (len(weights) + 1) // 2
    return np.concatenate([weights, np.zeros(2 * centre + 2 - len(weights))]), centre

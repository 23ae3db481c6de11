"""Entropy coder: integer symbols to bytes and back; the only file that imports constriction.

A table is a row of integer frequencies, each at least 1, that sum to 2^24. Symbols are coded in the order of their
table ids (stable), so that all symbols of one table are one call of the range coder. Values beyond a table's range are
coded as its escape symbol, and their excess as an Elias gamma code after all the symbols of the call.

    table of half-width D:   index 0 .. 2D is residual -D .. D,   index 2D + 1 is the escape
    excess e = |residual| - D >= 1:   bit length n of e (uniform in 1..24), its n - 1 low bits, its sign

Symbols that have a table each are coded in the order in which they come, as they are.
"""

import contextlib
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FormatError

PRECISION = 24  # log2 of the sum of a table's frequencies; constriction's own precision for categorical models
TABLES_MAX = 1 << 16
EXCESS_BITS = 24  # longest excess, so |residual| < D + 2^24

Int32 = NDArray[np.int32]
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Tables:
    """Frequency tables laid end to end.

    Attributes:
        frequencies: int32 [sum of lengths], each at least 1.
        offsets: int32 [tables + 1], start of each table; lengths are even and at least 4.
    """

    frequencies: Int32
    offsets: Int32

    def __post_init__(self) -> None:
        lengths = np.diff(self.offsets)
        if (
            self.offsets[0] != 0
            or self.offsets[-1] != len(self.frequencies)
            or len(lengths) > TABLES_MAX
            or (lengths < 4).any()
            or (lengths % 2).any()
        ):
            raise FormatError("frequency tables: offsets do not fit")
        sums = np.add.reduceat(self.frequencies.astype(np.int64), self.offsets[:-1])
        if (self.frequencies < 1).any() or (sums != 1 << PRECISION).any():
            raise FormatError(f"frequency tables: frequencies must be at least 1 and sum to 2^{PRECISION}")

    @cached_property
    def half_widths(self) -> Int32:
        """D of each table: int32 [tables]."""
        return ((np.diff(self.offsets) - 2) // 2).astype(np.int32)

    @cached_property
    def costs(self) -> Float32:
        """Bits of every table entry, like `frequencies`."""
        return (PRECISION - np.log2(self.frequencies)).astype(np.float32)

    @cached_property
    def _models(self) -> dict[int, Any]:
        return {}

    def model(self, table: int) -> Any:
        """constriction's model of one table.

        With frequencies f summing to 2^24 the model is given f - 1 as exact doubles: constriction hands out one unit to
        each symbol first and scales the rest by (2^24 - n) / sum(f - 1) = 1 exactly, so its table is f.
        """
        import constriction

        if table not in self._models:
            row = self.frequencies[self.offsets[table] : self.offsets[table + 1]]
            weights = (row - 1).astype(np.float64)
            self._models[table] = constriction.stream.model.Categorical(weights, perfect=False)
        return self._models[table]


def symbol_bits(residuals: Int32, ids: Int32, tables: Tables) -> Float32:
    """Bits of each residual under its table: float32 of the shape of `residuals` and `ids`."""
    half = tables.half_widths.take(ids)
    symbols = residuals + half
    escaped = (symbols < 0) | (symbols > 2 * half)
    np.copyto(symbols, 2 * half + 1, where=escaped)
    symbols += tables.offsets.take(ids)
    bits: Float32 = tables.costs.take(symbols)
    if escaped.any():
        excess = (np.abs(residuals) - half)[escaped]
        bits[escaped] += (np.log2(EXCESS_BITS) + np.floor(np.log2(excess)) + 1).astype(np.float32)
    return bits


def row_bits(symbols: Int32, frequencies: Int32) -> float:
    """Bits that symbols [N] carry under frequencies [N, K]: what `Encoder.put_rows` will add, to about 0.01 %."""
    own = np.take_along_axis(frequencies, symbols[:, None], axis=1)  # [N, 1]
    return float((PRECISION - np.log2(own)).sum())


def _row_weights(frequencies: Int32) -> NDArray[np.float64]:
    """A table a row [N, K] for constriction, as in `Tables.model`; it reads memory in C order, whatever the strides."""
    return np.subtract(frequencies, 1, dtype=np.float64, order="C")


def _by_table(ids: Int32) -> tuple[NDArray[np.intp], list[tuple[int, int, int]]]:
    """A stable order that groups equal ids, and (id, start, end) of every group in it."""
    order = np.argsort(ids.astype(np.uint16), kind="stable")  # 16 bits: a radix sort
    counts = np.bincount(ids)
    present = np.flatnonzero(counts)
    ends = np.cumsum(counts[present])
    return order, [(int(i), int(e - counts[i]), int(e)) for i, e in zip(present, ends, strict=True)]


def _spread(groups: list[tuple[int, int, int]], *of_tables: Int32) -> list[Int32]:
    """What each table has, for every symbol in the order of coding: int32 [N] each."""
    ids, starts, ends = np.array(groups, np.intp).reshape(-1, 3).T
    return [np.repeat(values[ids], ends - starts) for values in of_tables]


class Encoder:
    """Writes symbols; `finish` returns the bytes."""

    def __init__(self) -> None:
        import constriction

        self._uniform = constriction.stream.model.Uniform
        self._row = constriction.stream.model.Categorical(perfect=False)
        self._coder = constriction.stream.queue.RangeEncoder()

    def put(self, residuals: Int32, ids: Int32, tables: Tables) -> float:
        """Append residuals [N], residual i with table ids[i]; the bits that they carry, to about 0.01 %."""
        order, groups = _by_table(ids)
        half, first = _spread(groups, tables.half_widths, tables.offsets)  # [N] in the order of coding, as all below
        symbols = residuals[order] + half
        beyond = np.flatnonzero((symbols < 0) | (symbols > 2 * half))
        symbols[beyond] = 2 * half[beyond] + 1
        for table, start, end in groups:
            self._coder.encode(symbols[start:end], tables.model(table))
        bits = float(tables.costs.take(symbols + first).sum(dtype=np.float64))
        for i in beyond[order[beyond].argsort()]:
            value = int(residuals[order[i]])
            excess = abs(value) - int(half[i])
            self._put_excess(excess, value < 0)
            bits += math.log2(EXCESS_BITS) + excess.bit_length()
        return bits

    def _put_excess(self, excess: int, negative: bool) -> None:
        bits = excess.bit_length()
        if bits > EXCESS_BITS:
            raise FormatError(f"a coordinate is {excess} beyond its table; the format ends at 2^{EXCESS_BITS}")
        self._coder.encode(bits - 1, self._uniform(EXCESS_BITS))
        if bits > 1:
            self._coder.encode(excess - (1 << (bits - 1)), self._uniform(1 << (bits - 1)))
        self._coder.encode(int(negative), self._uniform(2))

    def put_rows(self, symbols: Int32, frequencies: Int32) -> None:
        """Append symbols [N] of 0..K-1, symbol i with the table frequencies[i] of [N, K], K at least 2."""
        self._coder.encode(symbols, self._row, _row_weights(frequencies))

    def finish(self) -> bytes:
        """The stream: little-endian 32-bit words without the zero bytes at the end."""
        words = self._coder.get_compressed()
        return bytes(words.astype("<u4").tobytes()).rstrip(b"\0")


@contextlib.contextmanager
def _damage_reported() -> Iterator[None]:
    """FormatError where constriction's range decoder reports an impossible state."""
    try:
        yield
    except AssertionError:
        raise FormatError("the entropy-coded data is damaged: the range decoder reached an impossible state") from None


class Decoder:
    """Reads symbols back in the order in which they were put."""

    def __init__(self, data: bytes) -> None:
        import constriction

        self._uniform = constriction.stream.model.Uniform
        self._row = constriction.stream.model.Categorical(perfect=False)
        words = np.frombuffer(data + b"\0" * (-len(data) % 4), dtype="<u4")
        if sys.byteorder == "big":
            words = words.astype(np.uint32)
        self._coder = constriction.stream.queue.RangeDecoder(words)

    def get(self, ids: Int32, tables: Tables) -> Int32:
        """The next residuals [N], residual i with table ids[i].

        Raises FormatError where the stream cannot have come from `Encoder`.
        """
        order, groups = _by_table(ids)
        (half,) = _spread(groups, tables.half_widths)  # [N] in the order of coding, as symbols are
        symbols, residuals = np.empty((2, len(ids)), dtype=np.int32)
        with _damage_reported():
            for table, start, end in groups:
                symbols[start:end] = self._coder.decode(tables.model(table), end - start)
            residuals[order] = symbols - half
            beyond = np.flatnonzero(symbols == 2 * half + 1)
            for i in beyond[order[beyond].argsort()]:
                residuals[order[i]] = self._get_excess(int(half[i]))
        return residuals

    def get_rows(self, frequencies: Int32) -> Int32:
        """Mirror of `Encoder.put_rows`: the next symbols [N], each with its table of frequencies [N, K].

        Raises FormatError where the stream cannot have come from `Encoder`.
        """
        with _damage_reported():
            symbols: Int32 = self._coder.decode(self._row, _row_weights(frequencies))
        return symbols

    def _get_excess(self, half: int) -> int:
        bits = int(self._coder.decode(self._uniform(EXCESS_BITS))) + 1
        low = int(self._coder.decode(self._uniform(1 << (bits - 1)))) if bits > 1 else 0
        negative = bool(self._coder.decode(self._uniform(2)))
        value = half + (1 << (bits - 1)) + low
        return -value if negative else value

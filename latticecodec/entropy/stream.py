"""What symbols go to and come from: the stream of a payload, with a model's tables, and a hash for known answers."""

import hashlib
from typing import Protocol

from .coder import Decoder, Encoder, Int32, Tables, row_bits


class Sink(Protocol):
    """Takes symbols in coding order."""

    def put(self, residuals: Int32, ids: Int32) -> None:
        """Residuals [N], each with the table of its id [N]."""


class Source(Protocol):
    """Gives them back in the same order."""

    def get(self, ids: Int32) -> Int32:
        """The next residuals [N], each with the table of its id [N]."""


class Writer:
    """Symbols to bytes; adds up their information content.

    Attributes:
        bits: what was put so far, in bits.
    """

    def __init__(self, tables: Tables) -> None:
        self.bits = 0.0
        self._coder, self._tables = Encoder(), tables

    def put(self, residuals: Int32, ids: Int32) -> None:
        """See `Sink.put`."""
        self.bits += self._coder.put(residuals, ids, self._tables)

    def put_rows(self, symbols: Int32, frequencies: Int32) -> None:
        """Symbols [N], each with its own row of frequencies [N, K]."""
        self._coder.put_rows(symbols, frequencies)
        self.bits += row_bits(symbols, frequencies)

    def finish(self) -> bytes:
        """All bytes."""
        return self._coder.finish()


class Reader:
    """Mirror of `Writer`; raises FormatError where the bytes cannot have come from one."""

    def __init__(self, payload: bytes, tables: Tables) -> None:
        self._coder, self._tables = Decoder(payload), tables

    def get(self, ids: Int32) -> Int32:
        """See `Source.get`."""
        return self._coder.get(ids, self._tables)

    def get_rows(self, frequencies: Int32) -> Int32:
        """The next symbols [N], each with its own row of frequencies [N, K]."""
        return self._coder.get_rows(frequencies)


class Digest:
    """A sink that hashes what it gets, the same on every machine."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def put(self, residuals: Int32, ids: Int32) -> None:
        """See `Sink.put`."""
        self._hash.update(residuals.astype("<i4").tobytes() + ids.astype("<i4").tobytes())

    def put_rows(self, symbols: Int32, frequencies: Int32) -> None:
        """See `Writer.put_rows`."""
        self.put(symbols, frequencies)

    def hexdigest(self) -> str:
        """SHA-256 of all so far."""
        return self._hash.hexdigest()

"""A stream that counts bits."""

from ..entropy.coder import Encoder, Int32, Tables, estimate_bits, row_bits


class Stream:
    """An encoder that adds up the information content of what it writes."""

    def __init__(self, tables: Tables) -> None:
        self.bits = 0.0
        self._coder, self._tables = Encoder(), tables

    def put(self, residuals: Int32, ids: Int32) -> None:
        """Residuals [N], each with the table of its id [N]."""
        self._coder.put(residuals, ids, self._tables)
        self.bits += estimate_bits(residuals, ids, self._tables)

    def put_rows(self, symbols: Int32, frequencies: Int32) -> None:
        """Symbols [N], each with its own row of frequencies [N, K]."""
        self._coder.put_rows(symbols, frequencies)
        self.bits += row_bits(symbols, frequencies)

    def finish(self) -> bytes:
        """All bytes."""
        return self._coder.finish()

"""Tables of all shapes for the tests of the entropy coder, and symbols for them."""

import numpy as np

from latticecodec.entropy.coder import EXCESS_BITS, PRECISION, Encoder, Int32, Tables

TOTAL = 1 << PRECISION
LARGEST_EXCESS = (1 << EXCESS_BITS) - 1


def make_tables(*rows: list[int]) -> Tables:
    offsets = np.cumsum([0, *(len(row) for row in rows)])
    return Tables(np.array([f for row in rows for f in row], dtype=np.int32), offsets.astype(np.int32))


def peaked_row(half: int, share: int) -> list[int]:
    """A table of half-width `half`, in integers: from -half on, each residual gets 1/share of what is left."""
    row = [1] * (2 * half + 2)
    free = TOTAL - len(row)
    for i in range(2 * half + 1):
        row[i] += free // share
        free -= free // share
    row[half] += free
    return row


EVEN = [TOTAL // 4] * 4
SHARP = [1, TOTAL - 3, 1, 1]
TABLES = make_tables(EVEN, SHARP, peaked_row(5, 6), peaked_row(40, 30), peaked_row(700, 300))
HALF_WIDTHS = [1, 1, 5, 40, 700]


def random_symbols(seed: int, count: int, spread: float) -> tuple[Int32, Int32]:
    """Residuals and table ids; residuals have heavy tails, so that some are escapes."""
    generator = np.random.default_rng(seed)
    ids = generator.integers(0, len(HALF_WIDTHS), count).astype(np.int32)
    residuals = generator.standard_t(2, count) * spread
    return np.clip(np.round(residuals), -30_000, 30_000).astype(np.int32), ids


def encoded(residuals: Int32, ids: Int32, tables: Tables = TABLES) -> bytes:
    encoder = Encoder()
    encoder.put(residuals, ids, tables)
    return encoder.finish()


def symbols_drawn_from(tables: Tables, count: int, seed: int) -> tuple[Int32, Int32]:
    """Residuals that follow their tables, never an escape."""
    generator = np.random.default_rng(seed)
    ids = generator.integers(0, len(HALF_WIDTHS), count).astype(np.int32)
    residuals = np.empty(count, dtype=np.int32)
    for i, table in enumerate(ids):
        row = tables.frequencies[tables.offsets[table] : tables.offsets[table + 1] - 1].astype(np.int64)
        residuals[i] = np.searchsorted(np.cumsum(row), generator.integers(0, row.sum()), side="right")
    return residuals - tables.half_widths[ids], ids

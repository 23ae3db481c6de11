"""The entropy coder: exact tables, what comes back, what it takes, harmless garbage."""

import contextlib

import numpy as np
import pytest
from coder_tables import (
    EVEN,
    HALF_WIDTHS,
    LARGEST_EXCESS,
    TABLES,
    TOTAL,
    encoded,
    make_tables,
    random_symbols,
    symbols_drawn_from,
)

from latticecodec import FormatError
from latticecodec.entropy.coder import Decoder, Encoder, Int32, Tables, row_bits, symbol_bits

# ---- tables ---------------------------------------------------------------------------------------------------------


def test_half_widths_and_costs() -> None:
    assert TABLES.half_widths.tolist() == HALF_WIDTHS
    assert TABLES.costs[:4].tolist() == [2.0, 2.0, 2.0, 2.0]
    assert TABLES.costs[4] == 24.0


@pytest.mark.parametrize(
    "row",
    [
        [TOTAL // 4] * 3 + [TOTAL // 4 - 1],  # sum too small
        [TOTAL // 4] * 3 + [TOTAL // 4 + 1],  # sum too large
        [0, TOTAL - 2, 1, 1],  # a zero
        [-1, TOTAL - 1, 1, 1],  # a negative
    ],
)
def test_frequencies_are_checked(row: list[int]) -> None:
    with pytest.raises(FormatError, match="at least 1 and sum to 2"):
        make_tables(EVEN, row)


@pytest.mark.parametrize("offsets", [[1, 4], [0, 3], [0, 5], [0, 2, 4], [0, 4, 4], [0, 8, 4]])
def test_offsets_are_checked(offsets: list[int]) -> None:
    with pytest.raises(FormatError, match="offsets"):
        Tables(np.array(EVEN, dtype=np.int32), np.array(offsets, dtype=np.int32))


def test_odd_length_is_refused() -> None:
    with pytest.raises(FormatError, match="offsets"):
        make_tables([TOTAL - 4, 1, 1, 1, 1])


# ---- round trip -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spread", [0.2, 3.0, 60.0, 3000.0])
@pytest.mark.parametrize("count", [1, 2, 50, 2000])
def test_symbols_come_back(count: int, spread: float) -> None:
    residuals, ids = random_symbols(count, count, spread)
    np.testing.assert_array_equal(residuals, Decoder(encoded(residuals, ids)).get(ids, TABLES))


def test_several_calls_share_one_stream() -> None:
    encoder = Encoder()
    calls = [random_symbols(seed, 40 * seed, 20.0) for seed in range(5)]  # the first is empty
    for residuals, ids in calls:
        encoder.put(residuals, ids, TABLES)
    decoder = Decoder(encoder.finish())
    for residuals, ids in calls:
        np.testing.assert_array_equal(residuals, decoder.get(ids, TABLES))


def test_nothing_is_no_bytes() -> None:
    nothing = np.zeros(0, dtype=np.int32)
    assert encoded(nothing, nothing) == b""
    decoded = Decoder(b"").get(nothing, TABLES)
    assert decoded.shape == (0,)
    assert decoded.dtype == np.int32


def test_each_edge_of_a_table_and_the_extremes_beyond() -> None:
    for table, half in enumerate(HALF_WIDTHS):
        beyond = [1, 2, 3, 4, 7, 8, 255, 256, LARGEST_EXCESS - 1, LARGEST_EXCESS]
        magnitudes = [0, 1, half - 1, half, *(half + excess for excess in beyond)]
        residuals = np.array([s * m for m in magnitudes for s in (1, -1)], dtype=np.int32)
        ids = np.full(len(residuals), table, dtype=np.int32)
        np.testing.assert_array_equal(residuals, Decoder(encoded(residuals, ids)).get(ids, TABLES))


@pytest.mark.parametrize("sign", [1, -1])
def test_excess_beyond_the_format_is_refused(sign: int) -> None:
    residuals = np.array([sign * (1 + LARGEST_EXCESS + 1)], dtype=np.int32)
    with pytest.raises(FormatError, match=r"a coordinate is \d+ beyond its table; the format ends at 2\^24"):
        encoded(residuals, np.zeros(1, dtype=np.int32))


def test_zero_bytes_at_the_end_carry_nothing() -> None:
    residuals, ids = random_symbols(1, 300, 5.0)
    data = encoded(residuals, ids)
    assert data[-1] != 0
    np.testing.assert_array_equal(residuals, Decoder(data + bytes(9)).get(ids, TABLES))


# ---- size -----------------------------------------------------------------------------------------------------------


def test_estimate_is_what_the_stream_takes() -> None:
    for residuals, ids in (symbols_drawn_from(TABLES, 20_000, 0), random_symbols(0, 20_000, 8.0)):
        bits = 8 * len(encoded(residuals, ids))
        told = Encoder().put(residuals, ids, TABLES)
        assert abs(bits - told) <= 0.001 * bits + 64
        assert told == pytest.approx(float(symbol_bits(residuals, ids, TABLES).sum(dtype=np.float64)))


# ---- a table for each symbol ----------------------------------------------------------------------------------------


def random_rows(seed: int, count: int, codes: int) -> tuple[Int32, Int32]:
    """Symbols [count] and frequencies [count, codes], from flat to nearly certain; the last symbol is not drawn."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(1, 1 + generator.choice([2, 100, TOTAL // codes], (count, 1)), (count, codes))
    rows[np.arange(count), generator.integers(0, codes, count)] += TOTAL - rows.sum(1)
    return generator.integers(0, codes - 1, count).astype(np.int32), rows.astype(np.int32)


@pytest.mark.parametrize(("count", "codes"), [(0, 5), (1, 2), (30, 6), (500, 64)])
def test_rows_come_back_among_other_symbols(count: int, codes: int) -> None:
    symbols, rows = random_rows(count, count, codes)
    residuals, ids = random_symbols(1, 50, 3.0)
    encoder = Encoder()
    encoder.put(residuals, ids, TABLES)
    encoder.put_rows(symbols, rows)
    encoder.put(residuals, ids, TABLES)
    decoder = Decoder(encoder.finish())
    np.testing.assert_array_equal(residuals, decoder.get(ids, TABLES))
    decoded = decoder.get_rows(rows)
    np.testing.assert_array_equal(symbols, decoded)
    assert decoded.dtype == np.int32
    np.testing.assert_array_equal(residuals, decoder.get(ids, TABLES))


@pytest.mark.parametrize("codes", [4, 16, 256])
def test_rows_are_the_same_bytes_as_single_tables(codes: int) -> None:
    """And so the bytes of FORMAT.md; whatever the order of the array in memory."""
    symbols, rows = random_rows(codes, 100, codes)
    tables = make_tables(*rows.tolist())
    expected = encoded(symbols - tables.half_widths, np.arange(100, dtype=np.int32), tables)
    for order in ("C", "F"):
        encoder = Encoder()
        encoder.put_rows(symbols, np.array(rows, order=order))
        assert encoder.finish() == expected


def test_row_bits_are_what_the_stream_takes() -> None:
    symbols, rows = random_rows(9, 5000, 32)
    encoder = Encoder()
    encoder.put_rows(symbols, rows)
    bits = 8 * len(encoder.finish())
    assert abs(bits - row_bits(symbols, rows)) <= 0.001 * bits + 64


# ---- garbage --------------------------------------------------------------------------------------------------------


def test_garbage_is_an_error_or_integers() -> None:
    generator = np.random.default_rng(0)
    for trial in range(200):
        data = generator.bytes(int(generator.integers(0, 60)))
        ids = generator.integers(0, len(HALF_WIDTHS), int(generator.integers(0, 200))).astype(np.int32)
        decoder = Decoder(b"\xff" * (trial % 9) + data)
        with contextlib.suppress(FormatError):
            for _ in range(3):
                decoded = decoder.get(ids, TABLES)
                assert decoded.shape == ids.shape
                assert decoded.dtype == np.int32


def test_impossible_state_is_an_error() -> None:
    with pytest.raises(FormatError, match="impossible state"):
        Decoder(b"\xff" * 8).get(np.zeros(5, dtype=np.int32), TABLES)
    with pytest.raises(FormatError, match="impossible state"):
        Decoder(b"\xff" * 8).get_rows(np.array([EVEN] * 5, dtype=np.int32))

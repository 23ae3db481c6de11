"""The bytes of the entropy coder: pinned, and those of a second implementation in plain integers."""

import numpy as np
import pytest
from coder_tables import TABLES, TOTAL, encoded, peaked_row, random_symbols, symbols_drawn_from

from latticecodec.entropy.coder import EXCESS_BITS, Decoder, Encoder, Int32, Tables


class PlainEncoder:
    """The range coder of FORMAT.md, section 8, in unbounded integers: what a second implementer would write."""

    def __init__(self) -> None:
        self.low, self.range, self.words = 0, (1 << 64) - 1, 0

    def symbol(self, left: int, freq: int) -> None:
        unit = self.range >> 24
        self.low += unit * left
        self.range = unit * freq
        if self.range < 1 << 32:
            self.low, self.range, self.words = self.low << 32, self.range << 32, self.words + 1

    def uniform(self, value: int, count: int) -> None:
        share = TOTAL // count
        self.symbol(share * value, share if value < count - 1 else TOTAL - share * (count - 1))

    def put(self, residuals: Int32, ids: Int32, tables: Tables) -> None:
        excesses = []
        for i in sorted(range(len(ids)), key=lambda i: (ids[i], i)):
            row = tables.frequencies[tables.offsets[ids[i]] : tables.offsets[ids[i] + 1]].tolist()
            half = len(row) // 2 - 1
            residual = int(residuals[i])
            index = residual + half if abs(residual) <= half else len(row) - 1
            self.symbol(sum(row[:index]), row[index])
            if abs(residual) > half:
                excesses.append((i, abs(residual) - half, int(residual < 0)))
        for _, excess, negative in sorted(excesses):
            bits = excess.bit_length()
            self.uniform(bits - 1, 24)
            if bits > 1:
                self.uniform(excess - (1 << (bits - 1)), 1 << (bits - 1))
            self.uniform(negative, 2)

    def finish(self) -> bytes:
        if self.range == (1 << 64) - 1:
            return b""
        point = (self.low + (1 << 32) - 1) >> 32
        words = [(point >> (32 * i)) & 0xFFFFFFFF for i in reversed(range(self.words + 1))]
        return b"".join(word.to_bytes(4, "little") for word in words).rstrip(b"\0")


class PlainDecoder:
    """The decoder of FORMAT.md, section 8.1; one table, no escapes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.low, self.range, self.point = data, 0, (1 << 64) - 1, 0
        for _ in range(2):
            self.point = self.point << 32 | self._word()

    def _word(self) -> int:
        word, self.data = self.data[:4], self.data[4:]
        return int.from_bytes(word, "little")

    def symbol(self, row: list[int]) -> int:
        unit = self.range >> 24
        quantile = ((self.point - self.low) % (1 << 64)) // unit
        index = left = 0
        while quantile >= left + row[index]:
            left += row[index]
            index += 1
        self.low = (self.low + unit * left) % (1 << 64)
        self.range = unit * row[index]
        if self.range < 1 << 32:
            self.low = (self.low << 32) % (1 << 64)
            self.range <<= 32
            self.point = (self.point << 32) % (1 << 64) | self._word()
        return index


@pytest.mark.parametrize("seed", range(20))
def test_plain_integers_give_the_same_bytes(seed: int) -> None:
    """So the library's tables are exactly ours, and FORMAT.md defines the stream in full."""
    plain, encoder = PlainEncoder(), Encoder()
    for call in range(3):
        residuals, ids = random_symbols(100 * seed + call, 3 * seed, 0.3 * 1.5**seed)
        plain.put(residuals, ids, TABLES)
        encoder.put(residuals, ids, TABLES)
    assert plain.finish() == encoder.finish()


def test_plain_integers_decode() -> None:
    residuals, _ = symbols_drawn_from(TABLES, 500, 3)
    residuals = residuals.clip(-5, 5)
    plain = PlainDecoder(encoded(residuals, np.full(500, 2, dtype=np.int32)))
    row = peaked_row(5, 6)
    assert [plain.symbol(row) - 5 for _ in range(500)] == residuals.tolist()


def test_carries_and_certain_symbols() -> None:
    """Long runs of the first and of the last symbol keep the coder's interval at the edge of a word."""
    for table, symbol in ((0, -1), (0, 1), (1, 0), (1, 1), (1, -1), (2, 5)):
        residuals = np.full(1000, symbol, dtype=np.int32)
        residuals[::97] = 0
        ids = np.full(1000, table, dtype=np.int32)
        plain = PlainEncoder()
        plain.put(residuals, ids, TABLES)
        data = encoded(residuals, ids)
        assert plain.finish() == data
        np.testing.assert_array_equal(residuals, Decoder(data).get(ids, TABLES))


def linear_congruential(count: int) -> list[int]:
    """Numbers 0 .. 2^15 - 1 in integers alone (the generator of the C standard)."""
    state, numbers = 1, []
    for _ in range(count):
        state = (1103515245 * state + 12345) % (1 << 31)
        numbers.append(state >> 16)
    return numbers


GOLDEN = (
    "fffffffdffff3ffaff0000ffffffffffffffffffffffffffffffffffffffffff33ffffff29cb0415fffffffd5fc6c6fe8e52"
    "6ef7939f3018b5df8bfa7412989910b16950c5662933c71b72887b5264bf0e021789"
)


def golden_symbols() -> tuple[Int32, Int32]:
    numbers = linear_congruential(80)
    ids = np.array([n % 5 for n in numbers[:40]], dtype=np.int32)
    residuals = np.array([n % 25 - 12 for n in numbers[40:]], dtype=np.int32)
    return residuals, ids


def test_golden_bytes() -> None:
    """Frozen: a change of these bytes is a new major version of the format, whatever library caused it."""
    residuals, ids = golden_symbols()
    assert encoded(residuals, ids).hex() == GOLDEN
    np.testing.assert_array_equal(residuals, Decoder(bytes.fromhex(GOLDEN)).get(ids, TABLES))


GOLDEN_EXTREMES = (
    "ffffffffffffbff3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "fffffffffffff16d5c00657371877f5f76221bacf684eae95958ec92a7555ae601c8a8e8ebe372a9220a2791600558235afc"
    "4d236bcdb9f9baf90d339d71496c1d509df33fd61af3d465232676dffd88e2ddff58d35c7af96cd1cb5fad37a1c2131f1c17"
    "f06f5daa0d000e0fb08ede7be83bfa79ca903ee4fb9d584acc3860cae3fbc79ad929fb1f0cff01a68cd18f4eca52ca78c329"
    "8dbbf3fd1f3fda7f8ad2aa8de88b17a15c04016302477e1300b8af94831d30fca6226ed8d10bf46c0ecc9cda68482e5a7059"
    "119583ef2c3d21f99fff7de9fdfe"
)
GOLDEN_ROWS = (
    "fffffffdffff3ffaff0000ffffffffffffffffffffffffffffffffffffffffff33ffffff29cb0415fffffffd5fc6c6fe8e52"
    "6ef7939f3018b5df8bfa7412989910b16950c5662933c71b72887b5264bf1d2e818ec10fe037bae0087a62c2c3b5df6a0ecf"
    "352083646f44941e6341f5ab2505205dedf3ca3cdda8d080acbf0cd4e7496923c1fbc477db73f46f444f4b5833a611c7d306"
    "3b1effffffffffffffffffffffffffffffffffffffffffffffffffffffffbafaffff886470b5fffffff66a8cf1f7389e7ecd"
    "a3685d6e03a31a472a698d6c0a8b6a48f1073cc4d887dbac6731b8ac7499d215"
)


def test_golden_bytes_of_escapes() -> None:
    """The shortest and the longest of every number of bits, in a table with little room for them and an even one."""
    excesses = [excess for bits in range(1, EXCESS_BITS + 1) for excess in (1 << (bits - 1), (1 << bits) - 1)]
    residuals = np.array([sign * (1 + excess) for excess in excesses for sign in (1, -1)], dtype=np.int32)
    ids = (np.arange(len(residuals)) // 2 % 2).astype(np.int32)
    assert encoded(residuals, ids).hex() == GOLDEN_EXTREMES
    np.testing.assert_array_equal(residuals, Decoder(bytes.fromhex(GOLDEN_EXTREMES)).get(ids, TABLES))


def test_golden_bytes_of_rows() -> None:
    """As codebooks are coded: each symbol with frequencies of its own, between symbols with tables."""
    numbers = linear_congruential(40 * 16 + 40)
    rows = np.array(numbers[40:], dtype=np.int32).reshape(40, 16) ** 2 // 1024 + 1
    rows[:, 5] += TOTAL - rows.sum(1)
    symbols = np.array([n % 16 for n in numbers[:40]], dtype=np.int32)
    residuals, ids = golden_symbols()
    encoder = Encoder()
    encoder.put(residuals, ids, TABLES)
    encoder.put_rows(symbols, rows)
    encoder.put_rows(symbols[::-1], rows)
    encoder.put(residuals, ids, TABLES)
    assert encoder.finish().hex() == GOLDEN_ROWS
    decoder = Decoder(bytes.fromhex(GOLDEN_ROWS))
    np.testing.assert_array_equal(residuals, decoder.get(ids, TABLES))
    np.testing.assert_array_equal(symbols, decoder.get_rows(rows))
    np.testing.assert_array_equal(symbols[::-1], decoder.get_rows(rows))
    np.testing.assert_array_equal(residuals, decoder.get(ids, TABLES))


def test_order_is_by_table_then_natural() -> None:
    ids = np.array([2, 0, 2, 0], dtype=np.int32)
    residuals = np.array([3, 1, -4, -1], dtype=np.int32)
    grouped = Encoder()
    grouped.put(np.array([1, -1], dtype=np.int32), np.array([0, 0], dtype=np.int32), TABLES)
    grouped.put(np.array([3, -4], dtype=np.int32), np.array([2, 2], dtype=np.int32), TABLES)
    assert grouped.finish() == encoded(residuals, ids)

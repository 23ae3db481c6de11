"""FORMAT.md is true: its example is what container.write makes, its limits are those of the code, and it is enough to
decode a file: `PlainReader` is a second implementation of sections 7 to 9, without torch and constriction."""

import ast
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from latticecodec import Codec, container
from latticecodec.coder import EXCESS_BITS, PRECISION, Decoder, Encoder, Tables
from latticecodec.container import Header, Tile
from latticecodec.prior.numbers import (
    ACTIVATION_MAX,
    COORDINATE_MAX,
    EXPONENT_MAX,
    EXPONENT_MIN,
    LEVELS,
    LOG_SCALE_MIN,
    MEAN_MAX,
    SCALE_COUNT,
    WEIGHT_MAX,
)
from latticecodec.prior.steps import POSITION_RANK

TEXT = (Path(__file__).parent.parent / "FORMAT.md").read_text(encoding="utf-8")
EXAMPLE = TEXT[TEXT.index("## 11. Example") :]
DUMP = bytes.fromhex("".join(re.findall(r"^[0-9a-f]{4}  ([0-9a-f ]+)$", EXAMPLE, re.MULTILINE)))


def rows(text: str) -> list[list[str]]:
    """The cells of every table row of a piece of Markdown."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]


def section(title: str) -> str:
    """A section of the document, from its heading to the next one."""
    start = TEXT.index(f"# {title}\n")
    end = re.compile(r"^#", re.MULTILINE).search(TEXT, start + 2)
    return TEXT[start : end.start() if end else None]


def number(cell: str) -> int:
    """`65,535` or `2^28`."""
    base, _, power = cell.replace(",", "").partition("^")
    return int(base) ** int(power or 1)


def example_fields() -> dict[str, tuple[bytes, str]]:
    """Field name to its bytes and the value the document gives."""
    found = {}
    for row in rows(EXAMPLE):
        if row[0].isdigit():
            found[row[2]] = (bytes.fromhex(row[1].strip("`")), row[3])
    return found


def value(field: str) -> Any:
    """The value the document gives for a field of the example: an integer, or a tuple of them."""
    return ast.literal_eval(example_fields()[field][1])


def documented() -> tuple[Header, Tile]:
    """The example as the values in the document's table say."""
    fields = example_fields()
    quantizer, family = value("quantizer, family")
    _, channels = value("bytes a sample, channels")
    header = Header(
        width=value("width"),
        height=value("height"),
        channels=channels,
        model=fields["model"][0],
        scale=value("scale"),
        quality=value("quality") / container.QUALITY_UNIT,
        quantizer=quantizer,
        family=family,
        basis=value("basis"),
        version=(value("major"), value("minor")),
    )
    return header, Tile(fields["payload"][0], value("index CRC"))


def test_dump_is_what_write_makes() -> None:
    header, tile = documented()
    assert container.write(header, [tile]) == DUMP


def test_read_gives_the_documented_values() -> None:
    header, tile = documented()
    assert (header, [tile]) == container.read(DUMP)
    assert header == container.read_header(DUMP)


def test_table_beside_the_dump_covers_every_byte() -> None:
    position = 0
    for row in rows(EXAMPLE):
        if row[0].isdigit():
            data = bytes.fromhex(row[1].strip("`"))
            assert position == int(row[0])
            assert data == DUMP[position : position + len(data)], row[2]
            position += len(data)
    assert position == len(DUMP) == int(re.search(r"A file of (\d+) bytes", EXAMPLE)[1])


def test_documented_checksums_are_crc_32() -> None:
    _, tile = documented()
    head = DUMP[: value("header length")]
    assert value("header CRC") == zlib.crc32(head)
    assert value("payload CRC") == zlib.crc32(tile.payload)
    assert zlib.crc32(b"123456789") == 0xCBF43926
    assert "0xCBF43926" in TEXT


def test_documented_payload_is_the_documented_residuals() -> None:
    numbers = [ast.literal_eval(f"[{text}]") for text in re.findall(r"`(-?\d+(?:, -?\d+)+)`", EXAMPLE)]
    residuals, frequencies = (np.array(row, dtype=np.int32) for row in numbers[:2])
    tables = Tables(frequencies, np.array([0, len(frequencies)], dtype=np.int32))
    ids = np.zeros(len(residuals), dtype=np.int32)
    encoder = Encoder()
    encoder.put(residuals, ids, tables)
    _, tile = documented()
    assert tile.payload == encoder.finish()
    assert residuals.tolist() == Decoder(tile.payload).get(ids, tables).tolist()
    assert tile.indices_crc == zlib.crc32(residuals.astype("<i4").tobytes())


def test_limits_are_those_of_the_code() -> None:
    stated = {row[0]: number(row[1]) for row in rows(section("3. Limits")) if row[1][:1].isdigit()}
    assert stated == {
        "side": container.SIZE_MAX,
        "area": container.PIXELS_MAX,
        "expansion": container.PIXELS_PER_BYTE,
        "header length": container.HEADER_MAX,
        "quality": container.QUALITY_MAX,
        "coordinate": COORDINATE_MAX,
        "excess": 1 << EXCESS_BITS,
    }


def test_fixed_part_has_no_gaps() -> None:
    layout = [(int(row[0]), int(row[1])) for row in rows(section("2.1 Fixed part")) if row[0].isdigit()]
    assert len(layout) == 11
    position = 0
    for offset, size in layout:
        assert position == offset
        position += size
    assert position == container._FIXED.size == 32


def test_ids_are_those_of_the_code() -> None:
    text = section("2.1 Fixed part") + section("2.2 Extensions")
    assert "Quantizer 1 is the lattice, its family 1 the diagonal basis" in text
    assert container.QUANTIZER_NAMES == {(1, 1): ("lattice", "diagonal")}
    assert "Type 1, whole basis" in text
    assert container.BASIS == 1
    assert "0 to 127 must be understood, 128 to 255 may be ignored" in text
    assert container.MAY_IGNORE == 128


def test_numbers_of_the_prior_are_those_of_the_code() -> None:
    stated = {row[0]: row[1:] for row in rows(section("9.2 Numbers"))}
    assert stated["activation"][0] == f"0 to {ACTIVATION_MAX}"
    assert stated["symbol input"][0] == stated["weight"][0] == f"-{WEIGHT_MAX} to {WEIGHT_MAX}"
    assert stated["weight"][1].endswith(f"{EXPONENT_MIN} to {EXPONENT_MAX}")
    assert stated["mean output"][0] == f"-{MEAN_MAX} to {MEAN_MAX}"
    assert stated["scale output"] == [
        f"0 to {SCALE_COUNT - 1}",
        f"1/8 of log(sigma), from log(sigma) = {LOG_SCALE_MIN}",
    ]
    assert f"0, {LEVELS - 1})" in section("9.1 Level")
    assert f"rank = {[list(row) for row in POSITION_RANK]}" in TEXT
    assert f"sum to 2^{PRECISION}" in TEXT


# ---- a second implementation ----------------------------------------------------------------------------------------


class PlainReader:
    """The payload of a file to the index tensor, in plain integers; sections of FORMAT.md in brackets."""

    def __init__(self, data: bytes, model: Path) -> None:
        header, (tile,) = container.read(data)
        self.payload = tile.payload
        self.low, self.range = 0, (1 << 64) - 1
        self.point = self._word() << 32 | self._word()
        state = load_file(model / "model.safetensors")
        self.state = {k.removeprefix("prior."): v.astype(np.int64) for k, v in state.items() if k.startswith("prior.")}
        self.level = self._level(-header.scale, json.loads((model / "config.json").read_text())["octaves"])
        self.height, self.width = -(-header.height // 16), -(-header.width // 16)

    @staticmethod
    def _level(fineness: int, octaves: float) -> int:  # [9.1]
        span = round(1024 * octaves)
        return min(max((2 * fineness * 63 + span) // (2 * span), 0), 63)

    def indices(self) -> np.ndarray:  # [7]
        h, w = self.height, self.width
        mean, scale = self.state["z"][:, self.level]  # [Z] each
        rows, columns = -(-h // 4), -(-w // 4)
        every = np.ones((len(mean), rows, columns), dtype=bool)
        z = self._group(every, *(np.broadcast_to(part[:, None, None], every.shape) for part in (mean, scale)))[every]
        features = self._features(z.reshape(every.shape))[:, :h, :w]
        channels = len(self.state["context.leave.bias"]) // 2
        c, y, x = np.indices((channels, h, w))
        steps = np.array([[0, 2], [3, 1]])[y % 2, x % 2] ^ (c % 4)
        k = np.zeros((channels, h, w), dtype=np.int64)
        for step in range(4):
            k += self._group(steps == step, *self._predictions(np.where(steps < step, k, 0), features, step))
        return k

    def _group(self, own: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:  # [7], [9.4]
        """The symbols of a group at their places, 0 elsewhere."""
        mean, scale = mean[own], scale[own]
        n = self.state["tables.shifts"][scale]
        m = self.state["tables.means"][mean + 511]
        m = ((m + (2**n >> 1)) >> n) << n
        ids = self.state["tables.first"][scale] + (((m + 8) & 15) >> n)
        values, escapes = (m + 8) >> 4, []  # values start as the bases
        for i in np.argsort(ids, kind="stable"):
            start, end = self.state["tables.offsets"][ids[i] : ids[i] + 2]
            half = (end - start) // 2 - 1
            index = self._symbol(self.state["tables.frequencies"][start:end])
            if index == 2 * half + 1:
                escapes.append((i, half))
            else:
                values[i] += index - half
        for i, half in sorted(escapes):  # [8.3]
            bits = self._uniform(24) + 1
            excess = (1 << (bits - 1)) + (self._uniform(1 << (bits - 1)) if bits > 1 else 0)
            values[i] += -(half + excess) if self._uniform(2) else half + excess
        placed = np.zeros(own.shape, dtype=np.int64)
        placed[own] = values.clip(-32767, 32767)
        return placed

    def _word(self) -> int:  # [8.1]
        word, self.payload = self.payload[:4], self.payload[4:]
        return int.from_bytes(word, "little")

    def _quantile(self) -> int:
        return (self.point - self.low) % (1 << 64) // (self.range >> 24)

    def _advance(self, left: int, frequency: int) -> None:
        unit = self.range >> 24
        self.low, self.range = (self.low + unit * left) % (1 << 64), unit * frequency
        if self.range < 1 << 32:
            self.low, self.range = (self.low << 32) % (1 << 64), self.range << 32
            self.point = (self.point << 32) % (1 << 64) + self._word()

    def _symbol(self, frequencies: np.ndarray) -> int:
        ends = np.cumsum(frequencies)
        index = int(np.searchsorted(ends, self._quantile(), side="right"))
        self._advance(int(ends[index] - frequencies[index]), int(frequencies[index]))
        return index

    def _uniform(self, count: int) -> int:  # [8.2]
        share = (1 << 24) // count
        value = min(self._quantile() // share, count - 1)
        self._advance(share * value, share if value < count - 1 else (1 << 24) - share * value)
        return value

    def _symbol_inputs(self, v: np.ndarray) -> np.ndarray:  # [9.2]
        compand = self.state["compand"]
        return np.sign(v) * compand[np.minimum(abs(v), len(compand) - 1)]

    def _pointwise(self, name: str, x: np.ndarray) -> np.ndarray:
        bias = self.state[f"{name}.bias"]
        bias = bias[self.level] if bias.ndim == 2 else bias
        return np.tensordot(self.state[f"{name}.weight"], x, 1) + bias[:, None, None]

    def _depthwise(self, name: str, x: np.ndarray) -> np.ndarray:
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        sums = np.zeros_like(x) + self.state[f"{name}.bias"][:, None, None]
        for i, j in np.ndindex(3, 3):
            weight = self.state[f"{name}.weight"][:, 3 * i + j, None, None]
            sums += weight * padded[:, i : i + x.shape[1], j : j + x.shape[2]]
        return sums

    def _round(self, name: str, sums: np.ndarray, offset: int = 0) -> np.ndarray:
        n = self.state[f"{name}.exponent"][:, None, None] + offset
        return (sums + 2 ** (n - 1)) >> n

    def _activate(self, name: str, sums: np.ndarray) -> np.ndarray:
        return self._round(name, sums).clip(0, 255)

    def _block(self, name: str, x: np.ndarray) -> np.ndarray:
        t = self._activate(f"{name}.inner", self._pointwise(f"{name}.inner", x))
        t = self._activate(f"{name}.spatial", self._depthwise(f"{name}.spatial", t))
        kept = x << self.state[f"{name}.outer.exponent"][:, None, None]
        return self._activate(f"{name}.outer", self._pointwise(f"{name}.outer", t) + kept)

    def _features(self, z: np.ndarray) -> np.ndarray:  # [9.3]
        x = self._activate("hyper.enter", self._pointwise("hyper.enter", self._symbol_inputs(z)))
        x = self._block("hyper.block", shuffle(x))
        return shuffle(self._activate("hyper.leave", self._pointwise("hyper.leave", x)))

    def _predictions(self, known: np.ndarray, features: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
        adaptor = f"context.adaptors.{step}"
        x = np.concatenate([self._symbol_inputs(known), features])
        x = self._activate(adaptor, self._pointwise(adaptor, x))
        for i in range(sum(f"context.blocks.{i}.inner.bias" in self.state for i in range(100))):
            x = self._block(f"context.blocks.{i}", x)
        sums = self._pointwise("context.leave", x)
        mean = self._round("context.leave", sums, -1).clip(-511, 511)
        scale = self._round("context.leave", sums, 2).clip(0, 63)
        return mean[: len(known)], scale[len(known) :]


def shuffle(x: np.ndarray) -> np.ndarray:
    """Channel 4 c + 2 i + j at (y, x) goes to channel c at (2 y + i, 2 x + j)."""
    channels, height, width = x.shape
    result = np.empty((channels // 4, 2 * height, 2 * width), dtype=x.dtype)
    for i, j in np.ndindex(2, 2):
        result[:, i::2, j::2] = x[2 * i + j :: 4]
    return result


@pytest.mark.parametrize(("size", "quality"), [((33, 70), 0), ((80, 48), 60), ((90, 90), 100), ((1, 1), 50)])
def test_the_document_is_enough_to_decode(
    tiny: Codec, tiny_model: Path, photo: Image.Image, size: tuple[int, int], quality: float
) -> None:
    data = tiny.encode(photo.resize(size), quality=quality)
    indices = PlainReader(data, tiny_model).indices()
    np.testing.assert_array_equal(tiny.decode_indices(data), indices)
    _, (tile,) = container.read(data)
    assert tile.indices_crc == zlib.crc32(indices.astype("<i4").tobytes())

"""FORMAT.md is true: its example is what container.write makes, its limits are those of the code, and it is enough to
decode a file: plain_reader.py, a second implementation of sections 7 to 9 on top of plain_container.py, does it."""

import ast
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from plain_reader import PlainReader
from prior_example import told

from latticecodec import Codec, container, load
from latticecodec.codec import EncodeOptions
from latticecodec.config import PATCH, ModelConfig
from latticecodec.container import Header, Tile
from latticecodec.container.file import FIXED
from latticecodec.container.header import TILE_UNIT
from latticecodec.entropy.categorical import ROWS
from latticecodec.entropy.coder import EXCESS_BITS, PRECISION, Decoder, Encoder, Tables
from latticecodec.entropy.numbers import (
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
from latticecodec.entropy.steps import POSITION_RANK
from latticecodec.kinds import KINDS
from latticecodec.picture import alpha, exact, vp8l

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "FORMAT.md").read_text(encoding="utf-8")
EXAMPLE = TEXT[TEXT.index("## 11. Example") : TEXT.index("## 12. Example")]
SECOND = TEXT[TEXT.index("## 12. Example") : TEXT.index("## 13. Example")]
THIRD = TEXT[TEXT.index("## 13. Example") : TEXT.index("## 14. Examples")]
FOURTH = TEXT[TEXT.index("## 14. Examples") :]


def dump_of(example: str) -> bytes:
    """The bytes of an example's hex dump."""
    return bytes.fromhex("".join(re.findall(r"^[0-9a-f]{4}  ([0-9a-f ]+)$", example, re.MULTILINE)))


DUMP = dump_of(EXAMPLE)


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


@pytest.mark.parametrize("example", [EXAMPLE, SECOND, THIRD])
def test_table_beside_the_dump_covers_every_byte(example: str) -> None:
    position, dump = 0, dump_of(example)
    for row in rows(example):
        if row[0].isdigit():
            data = bytes.fromhex(row[1].strip("`"))
            assert position == int(row[0])
            assert data == dump[position : position + len(data)], row[2]
            position += len(data)
    assert position == len(dump) == int(re.search(r"A file of (\d+) bytes", example)[1])


def test_second_example_is_what_its_table_says() -> None:
    """Tiles, alpha, 16 bits and metadata."""
    header, tiles = container.read(dump_of(SECOND))
    assert container.write(header, tiles) == dump_of(SECOND)
    assert (header.width, header.height, header.channels, header.bit_depth) == (70, 2, 2, 16)
    assert (header.tile, header.tune, header.version) == (64, "ms-ssim", (1, 1))
    assert header.exif == b"II*\0\x08\0\0\0\0\0"
    (opaque, clear), (_, of_section_11) = tiles, documented()
    assert {tile.payload for tile in tiles} == {of_section_11.payload}
    assert opaque.alpha == b""
    upper, lower = (ast.literal_eval(f"[{text}]") for text in re.findall(r"`(\d+(?:, \d+)+)`", SECOND))
    assert alpha.decode(clear.alpha, 2, 6, 16).tolist() == [upper, lower]


def test_third_example_is_what_its_table_says() -> None:
    """Exact colours of grey."""
    header, (tile,) = container.read(dump_of(THIRD))
    assert container.write(header, [tile]) == dump_of(THIRD)
    assert (header.width, header.height, header.channels, header.version) == (70, 2, 1, (1, 2))
    assert list(header.squares.within(header.box(0), exact=True)) == [container.Box(64, 0, 6, 2)]
    assert tile.payload == documented()[1].payload
    rows = [ast.literal_eval(f"[{text}]") for text in re.findall(r"`(\d+(?:, \d+)+)`", THIRD)]
    colour, own_alpha = exact.decode(tile.exact, 2, 70, 1, 8, may_have_alpha=False)
    assert (colour[:, 64:, 0].tolist(), own_alpha) == (rows, None)


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
        "exact expansion": container.EXACT_PIXELS_PER_BYTE,
        "tiles": container.TILES_MAX,
        "header length": container.HEADER_MAX,
        "extensions": container.EXTENSIONS_MAX,
        "metadata": container.METADATA_MAX,
        "basis": container.BASIS_MAX,
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
    assert position == FIXED.size == 32


def test_ids_are_those_of_the_code() -> None:
    text = section("2.1 Fixed part") + section("2.2 Extensions")
    assert "Quantizer 1 is the lattice. Its family 1 is the diagonal basis, its family 3" in text
    ids = {"lattice": (1, 1), "lattice-e8": (1, 3), "vq": (2, 1), "adaptive": (3, 1), "rotation": (4, 1)}
    assert {name: kind.format_id for name, kind in KINDS.items()} == ids
    assert set(ids.values()) == container.QUANTIZERS
    assert "Quantizer 15 is for experiments" in text
    assert "Type 1, whole basis" in text
    assert container.BASIS == 1
    assert "Type 2, tiles" in text
    assert "Type 3, exact squares" in text
    assert container.EXACT == 3
    assert f"squares of {container.SQUARE} x {container.SQUARE} pixels" in TEXT
    assert "Type 128, tune" in text
    assert "Types 129, 130 and 131, metadata" in text
    assert (container.TILES, container.TUNE) == (2, 128)
    assert (container.ICC, container.EXIF, container.XMP) == (129, 130, 131)
    assert "Type 132, code points" in text
    assert container.CICP == 132
    assert "1, 13, 0, 1, which is sRGB" in text
    assert container.SRGB == (1, 13, 0, 1)
    assert f"squares of {vp8l.SIDE:,} samples a side" in TEXT
    assert "0 to 127 must be understood, 128 to 255 may be ignored" in text
    assert container.MAY_IGNORE == 128


def test_legal_ranges_of_extensions_are_those_of_the_code() -> None:
    """That the code takes what is legal and refuses the rest, test_plain_container.py shows."""
    stated = {row[0]: row[2:] for row in rows(section("2.2 Extensions")) if len(row) == 5}
    side_max = container.SIZE_MAX // TILE_UNIT * TILE_UNIT
    assert stated["1"][0] == f"2 to {2 * container.BASIS_MAX:,}, even"
    assert stated["2"][1] == f"u16, a multiple of {TILE_UNIT} from {TILE_UNIT} to {side_max:,}"
    for kind in (container.ICC, container.EXIF, container.XMP):
        assert number(stated[str(kind)][0].removeprefix("0 to ")) == container.METADATA_MAX


def test_damage_spreads_as_far_as_stated() -> None:
    folders = [path.parent for path in (ROOT / "models").glob("*/config.json")]
    assert len(folders) >= 5
    reach = max(ModelConfig.read(folder / "config.json").synthesis_reach for folder in folders)
    assert f"up to {reach} latent positions,\n{PATCH * reach} pixels, around it" in section("4. Errors")


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
    assert f"cut into blocks of {ROWS:,}" in section("9.6 Codebooks")
    assert PlainReader.BLOCK == ROWS


@pytest.mark.parametrize(("size", "quality"), [((33, 70), 0), ((80, 48), 60), ((90, 90), 100), ((1, 1), 50)])
def test_the_document_is_enough_to_decode(
    tiny: Codec, tiny_model: Path, photo: Image.Image, size: tuple[int, int], quality: float
) -> None:
    data = tiny.encode_detailed(photo.resize(size), EncodeOptions(quality=quality, exact=False)).data
    indices = PlainReader(data, tiny_model).indices()
    np.testing.assert_array_equal(tiny.decode_indices(data), indices)
    _, (tile,) = container.read(data)
    assert tile.indices_crc == zlib.crc32(indices.astype("<i4").tobytes())


def test_the_document_is_enough_to_decode_e8(tiny_e8: Path, photo: Image.Image) -> None:
    codec = load(tiny_e8, device="cpu")
    data = codec.encode(photo.resize((90, 70)), quality=80)
    indices = PlainReader(data, tiny_e8).indices()
    assert (indices % 2).any()
    np.testing.assert_array_equal(codec.decode_indices(data), indices)


def test_the_examples_of_the_prior_are_what_a_reader_meets() -> None:
    """Inputs, sums, activations, table ids and values, in the order in which plain_reader.py meets them."""
    files = [("lattice-middle", "lattice"), ("lattice-e8-middle", "lattice-e8"), ("vq-middle", "vq")]
    for (name, model), example in zip(files, re.split(r"^\*\*", FOURTH, flags=re.MULTILINE)[1:], strict=True):
        assert example.startswith(f"{name}.lcq**")
        shown = [tuple(row) for row in rows(example)[2:]]
        met = told(name, model)
        starts = [at for at in range(len(met)) if met[at : at + len(shown)] == shown]
        assert len(shown) > 3
        assert starts, name

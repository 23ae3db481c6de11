"""FORMAT.md is enough for the container: plain_container.py, which knows nothing else, agrees with container.read about
every file of the conformance set, sound or not, and about files that are damaged at random."""

import ast
import hashlib
import json
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plain_container
import plain_exact
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lcq_parts import Parts, Record, parts

from latticecodec import FormatError, container
from latticecodec.picture import alpha

FOLDER = Path(__file__).parent / "conformance"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
TUNES = {None: "psnr", b"\0": "psnr", b"\1": "ms-ssim", b"\2": "ssimulacra2"}
SOUND = {  # refused by the model, the range decoder, the index CRC or WebP: the container is whole
    *("alpha-damaged", "basis-short", "basis-vq", "impossible-state", "index-crc", "index-crc-e8", "index-crc-vq"),
    *("model", "other-quantizer", "tiles-swapped"),
    *("exact-range-coded", "exact-index-crc", "exact-no-model"),
}


def named(row: dict[str, Any]) -> str:
    return Path(row["file"]).stem


FILES = {named(row): (FOLDER / row["file"]).read_bytes() for row in MANIFEST["files"]}


def read_plain(data: bytes) -> plain_container.File:
    """With the second reader of exact colours, which is that of all else where there are none."""
    return plain_exact.read(data)[0]


def facts(file: plain_container.File) -> dict[str, Any]:
    """What the manifest has under "header"."""
    same = ("width", "height", "channels", "bit_depth", "quantizer", "family", "scale")
    return {name: getattr(file, name) for name in same} | {
        "quality": file.quality / 256,
        "tune": TUNES.get(file.tune, "other"),
        "tile": file.side,
        "tiles": len(file.tiles),
        "version": list(file.version),
        **({} if file.cicp is None else {"cicp": list(file.cicp)}),
    }


def assert_same(file: plain_container.File, data: bytes) -> None:
    """All of a file is what container.read finds."""
    header, tiles = container.read(data)
    found = facts(file)
    assert found.pop("version") == list(header.version)
    found["cicp"] = file.cicp
    assert found == {name: getattr(header, name) for name in found}
    assert (file.model, file.basis) == (header.model, header.basis)
    assert [file.metadata.get(name) for name in ("icc", "exif", "xmp")] == [header.icc, header.exif, header.xmp]
    assert len(tiles) == len(file.tiles)
    for mine, tile, box in zip(file.tiles, tiles, header.boxes(), strict=True):
        assert (mine.payload, mine.alpha, mine.index_crc) == (tile.payload, tile.alpha, tile.indices_crc)
        assert (mine.left, mine.top, mine.width, mine.height) == (box.left, box.top, box.width, box.height)


def kind(read: Callable[[bytes], Any], data: bytes) -> str:
    """The name of the error that a reader gives, "" without one."""
    try:
        read(data)
    except (FormatError, plain_container.FormatError) as error:
        return type(error).__name__
    return ""


def test_it_knows_only_the_standard_library() -> None:
    """All its imports are of the standard library, and it has but one class for each error of section 4."""
    tree = ast.parse(Path(plain_container.__file__).read_text())
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"dataclasses", "struct", "zlib"} <= sys.stdlib_module_names
    for name in ("ChecksumError", "VersionError", "LimitError"):
        assert getattr(plain_container, name).__bases__ == (plain_container.FormatError,)


@pytest.mark.parametrize("row", MANIFEST["files"], ids=named)
def test_what_must_be_read(row: dict[str, Any]) -> None:
    data = FILES[named(row)]
    file = read_plain(data)
    assert facts(file) == row["header"]
    hashes = {name: hashlib.sha256(body).hexdigest() for name, body in file.metadata.items()}
    assert hashes == row["metadata_sha256"]
    sha256 = next(model["sha256"] for model in MANIFEST["models"] if model["name"] == row["model"])
    assert file.model.hex() == ("0" * 16 if row["indices"][0] == 0 else sha256[:16])
    assert_same(file, data)
    for tile in file.tiles:
        webp = plain_container.webp_files(tile)
        assert b"".join(webp) == tile.alpha
        assert len(webp) == bool(tile.alpha)


@pytest.mark.parametrize("row", MANIFEST["invalid"], ids=named)
def test_what_must_be_refused(row: dict[str, Any]) -> None:
    data = (FOLDER / row["file"]).read_bytes()

    def read_all(data: bytes) -> None:
        file, exact = plain_exact.read(data)
        for tile in file.tiles:
            plain_container.webp_files(tile)
        for tile, found in zip(file.tiles, exact, strict=bool(exact)):
            plain_exact.webp_files(tile, found, file.bit_depth // 8)

    assert kind(read_plain, data) == kind(container.read, data)
    assert kind(read_all, data) == ("" if named(row) in SOUND else row["error"])


def test_extensions_that_are_stepped_over() -> None:
    assert plain_container.read(FILES["extension-unknown"]).skipped
    assert plain_container.read(FILES["minor-newer"]).version == (1, 9)


@pytest.mark.parametrize(
    ("records", "error"),
    [
        ([(129, b""), (130, b""), (131, b"")], ""),
        ([(130, b""), (130, b"")], "FormatError"),
        ([(131, bytes((1 << 24) + 1))], "LimitError"),
        ([(128, b"\1"), (128, b"\0")], ""),
        ([(128, b"\0"), (128, b"\1")], ""),
        ([(128, b"\1"), (128, b"\7")], ""),
        ([(200, b"once"), (200, b"twice"), (133, b"")], ""),
        ([(132, b"\x0c\x0d\0\1")], ""),
        ([(132, b"\x0c\x0d\0\1"), (132, b"\x09\x10\0\0")], ""),
        ([(132, b"\x0c\x0d\0\1"), (132, b"")], ""),
        ([(132, b"\x0c\x0d\0\2")], ""),
        ([(132, b"\x0c\x0d\x01\1")], ""),
        ([(132, b"\2\2\0\1")], ""),
        ([(132, b"\2\x0d\0\1\0")], ""),
        ([(132, b"\2\x0d\0\1"), (129, b"")], ""),
        ([(1, struct.pack("<2h", -32_768, 32_767))], ""),
        ([(1, bytes(8_192))], ""),
        ([(1, bytes(8_193))], "LimitError"),  # odd as well: the limit comes first
        ([(1, b"")], "FormatError"),
        ([(1, b"\0\0"), (1, b"\0\0")], "FormatError"),
        ([(200, b""), (1, b"\0\0"), (128, b"\1")], ""),
        ([(2, struct.pack("<H", 65_472))], ""),  # one tile, larger than the picture
        ([(2, struct.pack("<H", 65_535))], "FormatError"),
        ([(2, b"\0\0")], "FormatError"),
        ([(2, b"\x40\0\0")], "FormatError"),
        ([(2, b"\x40\0"), (2, b"\x40\0")], "FormatError"),
        ([(200, b""), (2, b"\x40\0")], "FormatError"),
        ([(0, b"")], "VersionError"),
        ([(4, b""), (1, b"")], "VersionError"),  # record by record
        ([(1, b""), (4, b"")], "FormatError"),
        (256 * [(200, b"")], ""),
        ([*(256 * [(200, b"")]), (4, b"")], "LimitError"),
    ],
)
def test_legal_ranges_of_extensions(records: list[tuple[int, bytes]], error: str) -> None:
    file = parts(FILES["size-16x16"])
    data = replace(file, records=tuple(Record(*record) for record in records)).data()
    assert kind(container.read, data) == kind(plain_container.read, data) == error
    if not error:
        assert_same(plain_container.read(data), data)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"width": 0, "samples": 0x15}, "LimitError"),
        ({"width": 65_535, "height": 65_535, "samples": 0x15}, "LimitError"),
        ({"samples": 0x15, "quality": 25_601}, "VersionError"),
        ({"quantizer": 0x12, "quality": 25_601}, "VersionError"),
        ({"quality": 25_601, "width": 65_473, "height": 4_097}, "FormatError"),
        ({"width": 65_473, "height": 4_097}, "LimitError"),  # 66,560 tiles: the table's room is looked at later
        ({"width": 6_400}, "FormatError"),
    ],
)
def test_order_of_the_fields(fields: dict[str, int], error: str) -> None:
    file = parts(FILES["tiles-exact"])
    for name, value in fields.items():
        file = file.with_field(name, value)
    data = file.data()
    assert kind(container.read, data) == kind(plain_container.read, data) == error


@pytest.mark.parametrize(("channels", "cost"), [(3, 12), (4, 16)])
def test_what_a_tile_costs(channels: int, cost: int) -> None:
    header = container.Header(256, 64, channels, bytes(8), 0, 50.0)
    tile = container.Tile(b"payload", 0)
    one = container.write(header, [replace(tile, payload=bytes(100))])
    four = container.write(replace(header, tile=64), 4 * [tile])
    assert len(one) - 100 == 36 + cost
    assert len(four) - 4 * 7 == 36 + 7 + 4 * cost


def test_alpha_of_many_squares() -> None:
    """A tile of 2,049 x 1 samples has two WebP files, and none may be missing, left over or of another size."""
    coded = alpha.encode(np.arange(2_049, dtype=np.uint8)[None] % 250)
    tile = plain_container.Tile(0, 0, 2_049, 1, 0, 0, coded)
    first, second = plain_container.webp_files(tile)
    assert first + second == coded
    for wrong in (first, coded + b"\0", second + first, coded[:-1], coded[:20], b"\0"):
        with pytest.raises(plain_container.FormatError):
            plain_container.webp_files(replace(tile, alpha=wrong))
        with pytest.raises(FormatError):
            alpha.decode(wrong, 1, 2_049, 8)


@pytest.mark.parametrize("name", ["tiles-alpha", "metadata", "basis"])
def test_truncation_and_flipped_bits(name: str) -> None:
    data = FILES[name]
    for end in range(len(data)):
        assert kind(container.read, data[:end]) == kind(plain_container.read, data[:end]) != ""
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        assert kind(container.read, flipped) == kind(plain_container.read, flipped) != ""


def mutated(file: Parts, edits: list[tuple[int, bytes]]) -> bytes:
    """Bytes of the header replaced, its CRC right."""
    data = file.data()
    (end,) = struct.unpack_from("<I", data, 10)
    for at, put in edits:
        at %= end
        data = data[:at] + put[: end - at] + data[at + len(put[: end - at]) :]
    crc = struct.pack("<I", zlib.crc32(data[:end]))
    return data[:end] + crc + data[end + 4 :]


RECORDS = st.tuples(st.sampled_from([0, 1, 2, 4, 127, 128, 129, 130, 131, 132, 255]), st.binary(max_size=4))
RECORDS |= st.tuples(st.just(132), st.tuples(*4 * [st.sampled_from([0, 1, 2, 9, 16])]).map(bytes))


@given(
    st.sampled_from(["tiles-alpha", "metadata", "basis", "rgba-16", "extension-unknown"]),
    st.lists(RECORDS, max_size=3),
    st.lists(st.tuples(st.integers(14, 2_000), st.binary(min_size=1, max_size=4)), max_size=3),
)
@settings(max_examples=1_000, derandomize=True, deadline=None)
def test_headers_changed_at_random(name: str, records: list[tuple[int, bytes]], edits: list[tuple[int, bytes]]) -> None:
    """With a header CRC that is right, both readers give the same kind of error, or the same file."""
    file = parts(FILES[name])
    data = mutated(replace(file, records=file.records + tuple(Record(*record) for record in records)), edits)
    found = kind(plain_container.read, data)
    assert found == kind(container.read, data)
    if not found:
        assert_same(plain_container.read(data), data)

"""The container: what is written comes back, what is damaged or hostile is an error of the FormatError tree."""

import contextlib
import dataclasses
import mmap
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from container_files import (
    EVERYTHING,
    FULL,
    FULL_TILES,
    HEADER,
    HEIGHT,
    MINOR,
    QUALITY,
    QUANTIZER,
    SAMPLES,
    SMALL,
    TILE,
    WIDTH,
    WITH_BASIS,
    extension,
    repaired,
    with_extensions,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from latticecodec import ChecksumError, FormatError, LimitError, VersionError
from latticecodec.container import (
    PIXELS_MAX,
    SIZE_MAX,
    TILES,
    TILES_MAX,
    Cicp,
    Header,
    Reader,
    Tile,
    read,
    read_header,
    write,
)


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        dataclasses.replace(HEADER, channels=1),
        dataclasses.replace(HEADER, width=1, height=1, scale=32767, quality=0.0),
        dataclasses.replace(HEADER, width=SIZE_MAX, height=1, scale=-32768, quality=100.0),
        dataclasses.replace(HEADER, quality=33.25),
        dataclasses.replace(HEADER, basis=(0,)),
        dataclasses.replace(HEADER, basis=tuple(range(-4096, 4096, 2))),
        dataclasses.replace(HEADER, cicp=Cicp(12, 13), version=(1, 2)),
        dataclasses.replace(HEADER, version=(1, 255)),
    ],
)
def test_header_and_tile_come_back(header: Header) -> None:
    data = write(header, [TILE])
    assert (header, [TILE]) == read(data)
    assert header == read_header(data)
    assert header == read_header(data[: -len(TILE.payload)])  # the payload need not be there
    assert header.bit_depth == 8


def test_everything_comes_back() -> None:
    assert read(EVERYTHING) == (FULL, FULL_TILES)
    assert [(box.left, box.top, box.width, box.height) for box in FULL.boxes()] == [
        *((0, 0, 64, 64), (64, 0, 64, 64), (128, 0, 64, 64), (192, 0, 8, 64)),
        *((0, 64, 64, 6), (64, 64, 64, 6), (128, 64, 64, 6), (192, 64, 8, 6)),
    ]


@pytest.mark.parametrize(
    "change",
    [{"channels": 2}, {"channels": 4}, {"bit_depth": 16}, {"tile": 64}, {"icc": b""}, {"exif": b""}, {"xmp": b""}],
)
def test_a_file_says_the_least_version_that_has_what_it_needs(change: dict[str, Any]) -> None:
    assert read_header(SMALL).version == (1, 0)
    assert read_header(write(dataclasses.replace(HEADER, **change), [TILE])).version == (1, 1)
    told = dataclasses.replace(HEADER, **change, cicp=Cicp(12, 13))
    assert read_header(write(told, [TILE])).version == (1, 2)


def test_single_tiles_are_read_from_a_mapped_file(tmp_path: Path) -> None:
    path = tmp_path / "file.lcq"
    path.write_bytes(EVERYTHING[:-3])
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        reader = Reader(mapped)
        assert [reader.tile(number) for number in (6, 0, 3)] == [FULL_TILES[number] for number in (6, 0, 3)]
        with pytest.raises(FormatError, match="tile 7: the file ends"):
            reader.tile(7)
        with pytest.raises(FormatError, match="truncated"):
            reader.check_length()


def test_damage_stays_in_its_tile() -> None:
    at = EVERYTHING.index(b"tile 3")
    reader = Reader(EVERYTHING[:at] + b"?" + EVERYTHING[at + 1 :])
    for number, tile in enumerate(FULL_TILES):
        if number == 3:
            with pytest.raises(ChecksumError, match="tile 3: its checksum"):
                reader.tile(number)
        else:
            assert reader.tile(number) == tile


def test_a_tile_costs_12_bytes() -> None:
    tiled = dataclasses.replace(HEADER, tile=64, width=256)
    assert len(write(tiled, 4 * [TILE])) == 32 + 7 + 4 * (12 + len(TILE.payload)) + 4


@pytest.mark.parametrize("side", [0, 63, 65, 32])
def test_side_of_a_tile_that_is_none(side: int) -> None:
    with pytest.raises(FormatError, match=f"tiles of {side} pixels"):
        read_header(with_extensions(extension(TILES, struct.pack("<H", side))))


def test_too_many_tiles() -> None:
    wide = dataclasses.replace(HEADER, width=64 * 256, height=64 * 257, tile=64)
    assert wide.tiles == TILES_MAX + 256
    with pytest.raises(LimitError, match="65,792 tiles: beyond the limit of 65,536"):
        wide.check(2 * PIXELS_MAX)


def test_table_of_tiles_that_the_header_has_no_room_for() -> None:
    data = with_extensions(extension(TILES, b"\x40\0"))
    with pytest.raises(FormatError, match="no room for a table of 1,024 tiles"):
        read_header(repaired(data[:WIDTH] + struct.pack("<HH", 2048, 2048) + data[WIDTH + 4 :]))


def test_alpha_beyond_its_tile() -> None:
    header = dataclasses.replace(HEADER, channels=2)
    data = write(header, [TILE])
    payload = b"\xff" + data[49:]
    table = struct.pack("<III", len(payload), zlib.crc32(payload), 0)
    with pytest.raises(FormatError, match="alpha channel runs past"):
        read(repaired(data[:32] + table + data[44:48]) + payload)


def test_empty_payload_comes_back() -> None:
    tile = Tile(b"", 0)
    assert (HEADER, [tile]) == read(write(HEADER, [tile]))


def test_overhead_is_48_bytes() -> None:
    assert len(SMALL) - len(TILE.payload) == 48
    assert len(WITH_BASIS) - len(TILE.payload) == 48 + 5 + 3 * 2


@pytest.mark.parametrize("data", [SMALL, WITH_BASIS, EVERYTHING])
def test_every_flipped_bit_is_an_error(data: bytes) -> None:
    for position in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            with pytest.raises(FormatError):
                read(bytes(damaged))


@pytest.mark.parametrize("data", [SMALL, WITH_BASIS, EVERYTHING])
def test_every_truncation_is_an_error(data: bytes) -> None:
    for end in range(len(data)):
        with pytest.raises(FormatError):
            read(data[:end])


@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
def test_an_appended_byte_is_an_error(byte: bytes) -> None:
    with pytest.raises(FormatError, match="goes on to byte 73, its header says 72"):
        read(SMALL + byte)


def test_truncation_says_where() -> None:
    with pytest.raises(FormatError, match="ends at byte 71, its header says 72"):
        read(SMALL[:-1])
    with pytest.raises(FormatError, match="inside its header"):
        read(SMALL[:40])
    with pytest.raises(FormatError, match=r"^not an \.lcq file; the file is empty$"):
        read(b"")


def test_other_files_are_not_taken_for_ours() -> None:
    for start in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF", SMALL[:8].replace(b"\r\n", b"\n")):
        with pytest.raises(FormatError, match="signature"):
            read(start + SMALL[8:])


def test_damage_is_told_from_newness() -> None:
    for position in (MINOR, QUANTIZER, SAMPLES, WIDTH, HEIGHT, QUALITY):
        with pytest.raises(ChecksumError, match="header"):
            read(SMALL[:position] + b"\x77" + SMALL[position + 1 :])
    with pytest.raises(ChecksumError, match="tile 0"):
        read(SMALL[:-1] + b"?")


@pytest.mark.parametrize("major", [0, 2, 255])
def test_other_major_version_is_named(major: int) -> None:
    with pytest.raises(VersionError, match=rf"version {major}\.3"):
        read(write(dataclasses.replace(HEADER, version=(major, 3)), [TILE]))


def test_newer_minor_version_is_read() -> None:
    header, _ = read(write(dataclasses.replace(HEADER, version=(1, 9)), [TILE]))
    assert header.version == (1, 9)


def outcome(data: bytes) -> None:
    """Read; whatever is wrong must be of the FormatError tree."""
    for reader in (read_header, read):
        with contextlib.suppress(FormatError):
            reader(data)


@given(st.binary(max_size=200))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_arbitrary_bytes(data: bytes) -> None:
    outcome(data)
    outcome(SMALL[:8] + data)
    outcome(SMALL[:10] + data)


@given(
    st.sampled_from([SMALL, WITH_BASIS, EVERYTHING]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 4), st.binary(max_size=6)), min_size=1, max_size=5),
    st.booleans(),
)
@settings(max_examples=500, derandomize=True, deadline=None)
def test_arbitrary_mutations(data: bytes, edits: list[tuple[int, int, bytes]], repair: bool) -> None:
    """Bytes cut out and others put in, with the header CRC repaired or not."""
    for position, cut, put in edits:
        data = data[:position] + put + data[position + cut :]
    if repair and len(data) >= 48:
        data = repaired(data)
    outcome(data)


@given(st.binary(max_size=60))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_arbitrary_extensions(extensions: bytes) -> None:
    outcome(with_extensions(extensions))


def test_reading_needs_only_the_standard_library() -> None:
    code = "import latticecodec.container, sys; assert not {'torch', 'numpy', 'constriction', 'PIL'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

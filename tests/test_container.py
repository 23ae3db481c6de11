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
from hypothesis import given, settings
from hypothesis import strategies as st
from lcq_parts import parts

from latticecodec import ChecksumError, FormatError, LimitError, VersionError, config
from latticecodec.container import (
    BASIS,
    EXTENSIONS_MAX,
    HEADER_MAX,
    METADATA_MAX,
    PIXELS_MAX,
    PIXELS_PER_BYTE,
    SIZE_MAX,
    TILES,
    TILES_MAX,
    TUNES,
    Cicp,
    Header,
    Reader,
    Tile,
    extensions,
    read,
    read_header,
    write,
)
from latticecodec.lab.distortion import DISTORTIONS, FIDELITY_UNITS

MODEL = bytes(range(8))
HEADER = Header(width=64, height=48, channels=3, model=MODEL, scale=-1894, quality=50.0)
TILE = Tile(b"not really entropy-coded", 0x12345678)
SMALL = write(HEADER, [TILE])
WITH_BASIS = write(dataclasses.replace(HEADER, basis=(-1024, 512, 0)), [TILE])

FULL = dataclasses.replace(  # everything that a header can say
    HEADER,
    width=200,
    height=70,
    channels=4,
    bit_depth=16,
    tile=64,
    basis=(1, 2),
    tune="ms-ssim",
    icc=b"a profile",
    exif=b"MM\0*",
    xmp=b"<x:xmpmeta/>",
    cicp=Cicp(9, 16),
    version=(1, 2),
)
FULL_TILES = [Tile(f"tile {number}".encode(), number, b"alpha" * (number % 3)) for number in range(8)]
EVERYTHING = write(FULL, FULL_TILES)

# Offsets of the fixed part; FORMAT.md section 2.1.
MAJOR, MINOR, HEAD_SIZE, QUANTIZER, SAMPLES, WIDTH, HEIGHT, QUALITY = 8, 9, 10, 14, 15, 16, 18, 22


def repaired(data: bytes) -> bytes:
    """The file with the right header CRC for whatever its header now says."""
    (end,) = struct.unpack_from("<I", data, HEAD_SIZE)
    return data[:end] + struct.pack("<I", zlib.crc32(data[:end])) + data[end + 4 :]


def patched(offset: int, field: bytes, data: bytes = SMALL) -> bytes:
    """The file with other bytes at an offset, and the header CRC repaired."""
    return repaired(data[:offset] + field + data[offset + len(field) :])


def with_extensions(extensions: bytes) -> bytes:
    """The small file with extension bytes as given."""
    head_size = struct.pack("<I", 44 + len(extensions))
    return repaired(SMALL[:HEAD_SIZE] + head_size + SMALL[HEAD_SIZE + 4 : 32] + extensions + SMALL[32:])


def extension(kind: int, body: bytes) -> bytes:
    return struct.pack("<BI", kind, len(body)) + body


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
    with pytest.raises(LimitError, match="65,792 tiles"):
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
    with pytest.raises(FormatError, match="signature"):
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


@pytest.mark.parametrize("kind", [0, 4, 127])
def test_unknown_extension_that_must_be_understood(kind: int) -> None:
    with pytest.raises(VersionError, match=f"extension {kind} "):
        read(with_extensions(extension(kind, b"something new")))


def test_tune_is_told_and_may_be_ignored() -> None:
    for number, tune in ((b"\1", "ms-ssim"), (b"\2", "ssimulacra2")):
        tuned = write(dataclasses.replace(HEADER, tune=tune), [TILE])
        assert tuned == with_extensions(extension(128, number))
        assert read(tuned)[0].tune == tune
    assert read(SMALL)[0].tune == "psnr"
    assert tuple(TUNES.values()) == tuple(DISTORTIONS) == tuple(FIDELITY_UNITS) == config.TUNES
    for unknown in (b"\3", b"", b"\1\1"):
        assert read(with_extensions(extension(128, unknown)))[0].tune == "other"
    with pytest.raises(VersionError, match="'other' needs a newer"):
        write(dataclasses.replace(HEADER, tune="other"), [TILE])


@pytest.mark.parametrize("kind", [133, 200, 255])
def test_unknown_extension_that_may_be_ignored(kind: int) -> None:
    assert read(with_extensions(extension(kind, b"something new"))) == (HEADER, [TILE])
    basis = extension(BASIS, struct.pack("<2h", 7, -7))
    header, tiles = read(with_extensions(extension(kind, b"") + basis + extension(kind, b"twice")))
    assert header == dataclasses.replace(HEADER, basis=(7, -7))
    assert tiles == [TILE]


@pytest.mark.parametrize(
    ("extensions", "message"),
    [
        (b"\x80\0\0\0", "head runs past"),
        (b"\x80\x01\0\0\0", "runs past"),
        (b"\x80\xff\xff\xff\xff", "4,294,967,295 bytes runs past"),
        (extension(BASIS, b""), "basis"),
        (extension(BASIS, b"\0\0\0"), "basis"),
        (2 * extension(BASIS, b"\0\0"), "basis"),
        (extension(TILES, b"\x40"), "two bytes"),
        (extension(128, b"\0") + extension(TILES, b"\x40\0"), "not the first"),
        (2 * extension(129, b"a profile"), "ICC metadata is there twice"),
    ],
)
def test_malformed_extension(extensions: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(with_extensions(extensions))


@pytest.mark.parametrize("head_size", [31, 43])
def test_header_length_below_the_fixed_part(head_size: int) -> None:
    with pytest.raises(FormatError, match="header length"):
        read(patched(HEAD_SIZE, struct.pack("<I", head_size)))


def test_header_that_would_not_fit() -> None:
    data = SMALL[:HEAD_SIZE] + struct.pack("<I", HEADER_MAX + 1) + SMALL[HEAD_SIZE + 4 :]
    with pytest.raises(LimitError, match="header of 67,108,865 bytes"):
        read(data)
    with pytest.raises(FormatError, match="inside its header"):
        read(SMALL[:HEAD_SIZE] + struct.pack("<I", HEADER_MAX) + SMALL[HEAD_SIZE + 4 :])


@pytest.mark.parametrize(
    ("width", "height"),
    [(0, 48), (64, 0), (0, 0), (SIZE_MAX, SIZE_MAX), (1 << 14, (1 << 14) + 1)],
)
def test_hostile_size(width: int, height: int) -> None:
    hostile = patched(WIDTH, struct.pack("<HH", width, height))
    with pytest.raises(LimitError, match=f"{width}x{height} pixels"):
        read(hostile)
    with pytest.raises(LimitError):
        read_header(hostile)


def test_area_limit_is_the_callers() -> None:
    tile = Tile(bytes(2 * PIXELS_MAX // PIXELS_PER_BYTE), 0)
    largest = dataclasses.replace(HEADER, width=1 << 14, height=1 << 14)
    assert largest.width * largest.height == PIXELS_MAX
    assert largest == read_header(write(largest, [tile]))
    larger = write(dataclasses.replace(largest, width=(1 << 14) + 1), [tile])
    with pytest.raises(LimitError, match="268,435,456"):
        read_header(larger)
    assert read_header(larger, max_pixels=2 * PIXELS_MAX).width == (1 << 14) + 1
    with pytest.raises(LimitError):
        read(SMALL, max_pixels=64 * 48 - 1)


def test_expansion_limit() -> None:
    """A payload of P bytes stands for fewer than (P + 1) 2^12 pixels; `write` fills up what is shorter."""
    strip = dataclasses.replace(HEADER, width=1 << 12, height=3)
    assert read(write(strip, [Tile(b"ab", 0)])) == (strip, [Tile(b"ab\0", 0)])
    taller = write(dataclasses.replace(strip, height=4), [Tile(b"abcd", 0)])
    assert read_header(taller).height == 4
    with pytest.raises(LimitError, match="4096x5 pixels from 4 bytes"):
        read_header(repaired(taller[:HEIGHT] + b"\x05" + taller[HEIGHT + 1 :]))


def test_expansion_limit_of_tiles() -> None:
    """Each tile has its own: one of 64 x 64 pixels needs a byte, a smaller one at the edge none."""
    file = parts(EVERYTHING)
    empty = dataclasses.replace(file.tiles[0], payload=b"")
    assert FULL.box(7).width * FULL.box(7).height < PIXELS_PER_BYTE
    assert read_header(file.with_tile(7, empty).data()) == FULL
    with pytest.raises(LimitError, match="64x64 pixels from 0 bytes"):
        read_header(file.with_tile(2, empty).data())


@pytest.mark.parametrize(
    ("offset", "field", "error"),
    [
        (QUANTIZER, b"\x51", VersionError),  # quantizer 5
        (QUANTIZER, b"\x12", VersionError),  # lattice family 2
        (SAMPLES, b"\x10", VersionError),  # no channels
        (SAMPLES, b"\x15", VersionError),  # five channels
        (SAMPLES, b"\x03", VersionError),  # no bits
        (SAMPLES, b"\x33", VersionError),  # 24 bits
        (QUALITY, struct.pack("<H", 25_601), FormatError),
    ],
)
def test_field_out_of_range(offset: int, field: bytes, error: type[FormatError]) -> None:
    with pytest.raises(FormatError) as caught:
        read(patched(offset, field))
    assert error is caught.type


def test_write_refuses_what_read_would() -> None:
    for field, wrong in (("width", 0), ("height", SIZE_MAX + 1), ("channels", 5), ("quantizer", 9), ("quality", 101.0)):
        with pytest.raises(FormatError):
            write(dataclasses.replace(HEADER, **{field: wrong}), [TILE])


def test_limits_of_extensions() -> None:
    assert read(with_extensions(EXTENSIONS_MAX * extension(200, b""))) == (HEADER, [TILE])
    with pytest.raises(LimitError, match="more than 256 extensions"):
        read(with_extensions((EXTENSIONS_MAX + 1) * extension(200, b"")))
    largest = dataclasses.replace(HEADER, exif=bytes(METADATA_MAX))
    assert read_header(write(largest, [TILE])).exif == largest.exif
    with pytest.raises(LimitError, match="EXIF metadata of 16,777,217 bytes"):
        write(dataclasses.replace(HEADER, exif=bytes(METADATA_MAX + 1)), [TILE])
    with pytest.raises(LimitError, match="XMP metadata"):
        read(with_extensions(extension(131, bytes(METADATA_MAX + 1))))


def test_a_basis_that_would_not_be_read_is_not_written() -> None:
    for wrong in ((), (0,) * 4097):
        with pytest.raises(FormatError, match="embedded basis"):
            write(dataclasses.replace(HEADER, basis=wrong), [TILE])


@dataclasses.dataclass(frozen=True)
class Captioned(Header):
    """A header with one field more."""

    caption: str = ""


def test_a_new_record_is_a_field_and_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both directions read the table, so that nothing else of the container changes; older readers pass it over."""
    row = extensions.Record(
        199, "caption", "a caption", str.encode, bytes.decode, absent="", most=20, wrong="a caption is there twice"
    )
    header = Captioned(**dataclasses.asdict(HEADER), caption="a harbour")
    with monkeypatch.context() as patch:
        patch.setattr("latticecodec.container.extensions.RECORDS", (*extensions.RECORDS, row))
        patch.setattr("latticecodec.container.file.Header", Captioned)
        data = write(header, [TILE])
        assert data == with_extensions(extension(199, b"a harbour"))
        assert read(data) == (header, [TILE])
        assert write(dataclasses.replace(header, caption=""), [TILE]) == SMALL
        with pytest.raises(FormatError, match="a caption is there twice: damaged"):
            read(with_extensions(2 * extension(199, b"a harbour")))
        with pytest.raises(LimitError, match="a caption of 21 bytes: beyond the limit of 20"):
            write(dataclasses.replace(header, caption="a" * 21), [TILE])
    assert read(data) == (HEADER, [TILE])


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

"""The limits of the container: what no file may say, read or written."""

import dataclasses
import struct

import pytest
from container_files import (
    EVERYTHING,
    FULL,
    HEAD_SIZE,
    HEADER,
    HEIGHT,
    QUALITY,
    QUANTIZER,
    SAMPLES,
    SMALL,
    TILE,
    WIDTH,
    patched,
    repaired,
)
from lcq_parts import parts

from latticecodec import FormatError, LimitError, VersionError
from latticecodec.container import (
    HEADER_MAX,
    PIXELS_MAX,
    PIXELS_PER_BYTE,
    SIZE_MAX,
    Tile,
    read,
    read_header,
    write,
)


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

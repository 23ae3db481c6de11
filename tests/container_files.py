"""Files of the container that the tests take apart, and what they are changed with."""

import dataclasses
import struct
import zlib

from latticecodec.container import (
    NO_MODEL,
    Cicp,
    Header,
    Tile,
    write,
)
from latticecodec.container.squares import mask_of

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


def wholly_exact(side: int) -> bytes:
    """A file of side x side pixels that takes no model, all of which is exact; what stands for its colours is not."""
    header = Header(side, side, 1, NO_MODEL, 0, 100.0)
    header = dataclasses.replace(header, exact=mask_of(header.squares.count * [True]))
    return write(header, [Tile(b"", zlib.crc32(b""), exact=bytes(side * side >> 13))])


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

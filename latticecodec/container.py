"""The .lcq container: Header and payloads to bytes and back, standard library only. FORMAT.md is its specification.

    ┌───────────────── fixed part, 32 bytes ─────────────────┬────────────┬─────────────┬────────┬──────────┐
    │ magic version length quantizer pixels size rate model  │ extensions │ tile table  │ CRC-32 │ payloads │
    └────────────────────────────────────────────────────────┴────────────┴─────────────┴────────┴──────────┘

All integers are little-endian. The CRC-32 covers everything before it. `read` checks every limit before it allocates
anything, and raises only errors from the tree in errors.py.
"""

import struct
import zlib
from dataclasses import dataclass

from .errors import ChecksumError, FormatError, LimitError, VersionError

MAGIC = b"\x89LCQ\r\n\x1a\n"  # as PNG: a byte that is not ASCII, a line-ending trap, an end-of-file for old shells
MAJOR, MINOR = 1, 0

SIZE_MAX = 65_535  # pixels a side
HEADER_MAX = 1 << 26  # bytes before the CRC
PIXELS_MAX = 1 << 28  # pixels a picture, unless the caller raises it
BASIS_MAX = 4096  # entries of an embedded basis
PIXELS_PER_BYTE = 1 << 12  # expansion guard: a payload byte stands for at most this many pixels

LATTICE, VQ, ADAPTIVE, ROTATION = 1, 2, 3, 4  # quantizer types
DIAGONAL, E8 = 1, 3  # lattice families; 2, D4, is reserved
PRODUCT = 1  # family of codebooks
QUANTIZER_NAMES = {
    (LATTICE, DIAGONAL): ("lattice", "diagonal"),
    (LATTICE, E8): ("lattice", "e8"),
    (VQ, PRODUCT): ("vq", "product"),
    (ADAPTIVE, PRODUCT): ("adaptive", "product"),
    (ROTATION, PRODUCT): ("rotation", "product"),
}

BASIS = 1  # extension: the whole basis, one int16 a channel
TUNE = 128  # extension: what the encoder aimed at, one byte; no extension: PSNR
TUNES = {0: "psnr", 1: "ms-ssim"}  # its values
MAY_IGNORE = 128  # extensions from this type on may be skipped by a reader that does not know them
BASIS_UNIT = 1024  # scales and basis entries are in 1/1024 octave
QUALITY_UNIT = 256  # quality is in 1/256
QUALITY_MAX = 100 * QUALITY_UNIT

_FIXED = struct.Struct("<8s BB I BB HH hH 8s")
_EXTENSION = struct.Struct("<BI")
_TILE = struct.Struct("<III")
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class Header:
    """What a file says about itself.

    Attributes:
        width, height: pixels.
        channels: 1 grey, 3 RGB.
        model: first 8 bytes of the SHA-256 of the model's weights.
        scale: of the unit that latents are quantized in, in 1/1024 octave, negative is finer.
        quality: 0..100, what the scale was derived from.
        quantizer: type id; LATTICE, VQ, ADAPTIVE or ROTATION.
        family: of that type: DIAGONAL or E8 of lattices, PRODUCT of codebooks.
        basis: log2 of every basis entry in 1/1024 octave, when the file carries the whole basis; else None.
        tune: what the encoder aimed at, a value of TUNES, or "other" where this reader does not know it; decoding does
            not depend on it.
        version: (major, minor) of the format.
    """

    width: int
    height: int
    channels: int
    model: bytes
    scale: int
    quality: float
    quantizer: int = LATTICE
    family: int = DIAGONAL
    basis: tuple[int, ...] | None = None
    tune: str = "psnr"
    version: tuple[int, int] = (MAJOR, MINOR)

    @property
    def bit_depth(self) -> int:
        """Bits a sample."""
        return 8


@dataclass(frozen=True)
class Tile:
    """One independently coded stream."""

    payload: bytes
    indices_crc: int  # CRC-32 of the decoded index tensor, little-endian int32 in C order


def write(header: Header, tiles: list[Tile]) -> bytes:
    """Serialise; the inverse of `read`. Payloads too short for the expansion limit are filled up with zero bytes.

    Raises LimitError or VersionError for a header that `read` would refuse.
    """
    quality = round(header.quality * QUALITY_UNIT)
    _check(header, 1, quality, SIZE_MAX**2)
    shortest = _shortest_payload(header)
    payloads = [tile.payload.ljust(shortest, b"\0") for tile in tiles]
    extensions = b""
    if header.basis is not None:
        body = struct.pack(f"<{len(header.basis)}h", *header.basis)
        extensions = _EXTENSION.pack(BASIS, len(body)) + body
    if header.tune != TUNES[0]:
        numbers = [number for number, tune in TUNES.items() if tune == header.tune]
        if not numbers:
            raise VersionError(f"tune {header.tune!r} needs a newer latticecodec")
        extensions += _EXTENSION.pack(TUNE, 1) + bytes(numbers)
    fixed = _FIXED.pack(
        MAGIC,
        *header.version,
        _FIXED.size + len(extensions) + _TILE.size * len(tiles),
        header.quantizer << 4 | header.family,
        1 << 4 | header.channels,
        header.width,
        header.height,
        header.scale,
        quality,
        header.model,
    )
    table = b"".join(
        _TILE.pack(len(payload), zlib.crc32(payload), tile.indices_crc)
        for payload, tile in zip(payloads, tiles, strict=True)
    )
    head = fixed + extensions + table
    return head + _CRC.pack(zlib.crc32(head)) + b"".join(payloads)


def read_header(data: bytes, max_pixels: int = PIXELS_MAX) -> Header:
    """Parse and check the header of a file; the payloads need not be there.

    Raises FormatError, ChecksumError, VersionError or LimitError.
    """
    return _parse(data, max_pixels)[0]


def read(data: bytes, max_pixels: int = PIXELS_MAX) -> tuple[Header, list[Tile]]:
    """Parse and check a whole file: header, every payload's checksum, and the length.

    Raises FormatError, ChecksumError, VersionError or LimitError; nothing larger than `data` is allocated.
    """
    header, table, start = _parse(data, max_pixels)
    expected = start + sum(length for length, _, _ in table)
    if len(data) != expected:
        verb = "ends at" if len(data) < expected else "goes on to"
        raise FormatError(f"the file {verb} byte {len(data):,}, its header says {expected:,}: truncated or altered")
    tiles = []
    for number, (length, crc, indices_crc) in enumerate(table):
        payload = data[start : start + length]
        if zlib.crc32(payload) != crc:
            raise ChecksumError(f"tile {number}: its checksum does not match, the file is damaged")
        tiles.append(Tile(payload, indices_crc))
        start += length
    return header, tiles


def _parse(data: bytes, max_pixels: int) -> tuple[Header, list[tuple[int, int, int]], int]:
    """Header, rows of the tile table, and where the payloads start."""
    if data[: len(MAGIC)] != MAGIC[: len(data)] or not data:
        raise FormatError("not an .lcq file: it does not begin with the .lcq signature")
    if len(data) < _FIXED.size:
        raise FormatError(f"the file ends at byte {len(data)}, inside its header: truncated")
    _, major, minor, end, quantizer, pixels, width, height, scale, quality, model = _FIXED.unpack_from(data)
    if major != MAJOR:
        raise VersionError(
            f"this file has format version {major}.{minor}, this reader knows {MAJOR}.x: update latticecodec"
        )
    table_at = end - _TILE.size  # one tile in this version
    if table_at < _FIXED.size:
        raise FormatError(f"header length {end} is below the least possible, {_FIXED.size + _TILE.size}")
    if end > HEADER_MAX:
        raise LimitError(f"header of {end:,} bytes: beyond the limit of {HEADER_MAX:,}")
    if len(data) < end + _CRC.size:
        raise FormatError(f"the file ends at byte {len(data)}, inside its header: truncated")
    if _CRC.unpack_from(data, end)[0] != zlib.crc32(data[:end]):
        raise ChecksumError("the header's checksum does not match: the file is damaged")
    basis, tune = _read_extensions(data[_FIXED.size : table_at], (major, minor))
    header = Header(
        width=width,
        height=height,
        channels=pixels & 15,
        model=model,
        scale=scale,
        quality=quality / QUALITY_UNIT,
        quantizer=quantizer >> 4,
        family=quantizer & 15,
        basis=basis,
        tune=tune,
        version=(major, minor),
    )
    _check(header, pixels >> 4, quality, max_pixels)
    table = [_TILE.unpack_from(data, table_at)]
    for length, _, _ in table:
        if length < _shortest_payload(header):
            raise LimitError(f"{header.width}x{header.height} pixels from {length} bytes: beyond the expansion limit")
    return header, table, end + _CRC.size


def _shortest_payload(header: Header) -> int:
    """Bytes that a payload must have at least, by the expansion limit; 0 for small pictures."""
    return header.width * header.height // PIXELS_PER_BYTE


def _check(header: Header, sample_bytes: int, quality: int, max_pixels: int) -> None:
    """Raise where a field of the header is outside its legal range."""
    if not (1 <= header.width <= SIZE_MAX and 1 <= header.height <= SIZE_MAX):
        raise LimitError(f"{header.width}x{header.height} pixels: each side must be 1 to {SIZE_MAX:,}")
    if header.width * header.height > max_pixels:
        raise LimitError(f"{header.width}x{header.height} pixels is over the limit of {max_pixels:,}")
    if header.channels not in (1, 3) or sample_bytes != 1:
        raise VersionError(f"pixels of {header.channels} channels and {sample_bytes} bytes need a newer latticecodec")
    if (header.quantizer, header.family) not in QUANTIZER_NAMES:
        raise VersionError(f"quantizer {header.quantizer}, family {header.family} needs a newer latticecodec")
    if quality > QUALITY_MAX:
        raise FormatError(f"quality field is {quality}, above {QUALITY_MAX}")


def _read_extensions(data: bytes, version: tuple[int, int]) -> tuple[tuple[int, ...] | None, str]:
    """Walk the extensions; returns the embedded basis, if any, and what the encoder aimed at."""
    basis, tune = None, TUNES[0]
    position = 0
    while position < len(data):
        if position + _EXTENSION.size > len(data):
            raise FormatError("an extension's head runs past the header")
        kind, length = _EXTENSION.unpack_from(data, position)
        position += _EXTENSION.size
        if length > len(data) - position:
            raise FormatError(f"extension {kind} of {length:,} bytes runs past the header")
        body = data[position : position + length]
        position += length
        if kind == BASIS:
            if length > 2 * BASIS_MAX:
                raise LimitError(f"embedded basis of {length:,} bytes: beyond the limit of {BASIS_MAX:,} entries")
            if basis is not None or length % 2 or not length:
                raise FormatError("the embedded basis is empty, of odd length or there twice")
            basis = struct.unpack(f"<{length // 2}h", body)
        elif kind == TUNE:
            tune = TUNES.get(body[0], "other") if length == 1 else "other"
        elif kind < MAY_IGNORE:
            raise VersionError(
                f"extension {kind} must be understood; format version {version[0]}.{version[1]} is newer"
            )
    return basis, tune

"""A whole file: fixed part, extensions, tile table, header CRC, payloads."""

import itertools
import struct
import zlib
from dataclasses import dataclass, replace
from typing import IO

from ..arguments import whole
from ..errors import ChecksumError, FormatError, LimitError, VersionError
from .box import Box
from .extensions import read_extensions, tile_side, write_extensions
from .header import MAGIC, MAJOR, PIXELS_MAX, QUALITY_UNIT, SIZE_MAX, Header
from .source import Bytes, Source, beginning, contents, named, opened

HEADER_MAX = 1 << 26  # bytes before the CRC
PIXELS_PER_BYTE = 1 << 12  # expansion guard: a payload byte stands for at most this many pixels
EXACT_PIXELS_PER_BYTE = 1 << 14  # the same of a tile whose squares are all exact

FIXED = struct.Struct("<8s BB I BB HH hH 8s")
_TILE = struct.Struct("<III")
_U32 = struct.Struct("<I")


@dataclass(frozen=True)
class Tile:
    """What a file has of one tile."""

    payload: bytes  # range-coded index tensor
    indices_crc: int  # CRC-32 of the decoded index tensor, little-endian int32 in C order
    alpha: bytes = b""  # of a header with alpha: the coded alpha channel; empty where all is opaque
    exact: bytes = b""  # of a header with exact squares: the coded colours; empty where the tile has none


def write(header: Header, tiles: list[Tile]) -> bytes:
    """Serialise; the inverse of `read`. Payloads too short for the expansion limit are filled up with zero bytes.

    The minor version is that of the header, or what the file needs where that is more. Raises LimitError, VersionError
    or FormatError for a header that `read` would refuse.
    """
    header.check(SIZE_MAX**2)
    if header.exact is not None:
        header.squares.check()
    payloads = []
    for tile, box in zip(tiles, header.boxes(), strict=True):
        alpha = _U32.pack(len(tile.alpha)) + tile.alpha if header.alpha else b""
        exact = _U32.pack(len(tile.exact)) + tile.exact if header.exact is not None else b""
        payloads.append((alpha + exact + tile.payload).ljust(_shortest_payload(header, box), b"\0"))
    extensions = write_extensions(header)
    length = FIXED.size + len(extensions) + _TILE.size * len(tiles)
    if length > HEADER_MAX:
        raise LimitError(f"header of {length:,} bytes: beyond the limit of {HEADER_MAX:,}")
    fixed = FIXED.pack(
        MAGIC,
        header.version[0],
        max(header.version[1], header.minor_needed),
        length,
        header.quantizer << 4 | header.family,
        header.bit_depth // 8 << 4 | header.channels,
        header.width,
        header.height,
        header.scale,
        round(header.quality * QUALITY_UNIT),
        header.model,
    )
    table = b"".join(
        _TILE.pack(len(payload), zlib.crc32(payload), tile.indices_crc)
        for payload, tile in zip(payloads, tiles, strict=True)
    )
    head = fixed + extensions + table
    return b"".join([head, _U32.pack(zlib.crc32(head)), *payloads])


def read_header(source: Source, max_pixels: int = PIXELS_MAX) -> Header:
    """Parse and check the header of a file; the payloads need not be there, and of a file they are not read.

    Args:
        source: a path, a file that is open in binary mode, which is read from its beginning, or bytes.
        max_pixels: more are refused.

    Raises FormatError, ChecksumError, VersionError or LimitError, TargetError for a limit that is none, and LcqError
    where the source cannot be read.
    """
    whole("max_pixels", max_pixels, 1)
    if isinstance(source, Bytes):
        return Reader(source, max_pixels).header
    with named(source), opened(source) as file:
        return read_header_of(file, max_pixels)


def read_header_of(file: IO[bytes], max_pixels: int = PIXELS_MAX) -> Header:
    """As `read_header`, of an open file; of it no more is read than the header takes."""
    start = beginning(file, FIXED.size)
    end = FIXED.unpack(start)[3] if len(start) == FIXED.size else 0
    rest = end + _U32.size - FIXED.size
    return Reader(start + beginning(file, rest) if FIXED.size < end <= HEADER_MAX else start, max_pixels).header


def reader_of(source: Source, max_pixels: int = PIXELS_MAX) -> "Reader":
    """All of a file, its header parsed and checked; raises as `read_header`, but names no path: see `named`."""
    return Reader(contents(source), whole("max_pixels", max_pixels, 1))


def read(data: Bytes, max_pixels: int = PIXELS_MAX) -> tuple[Header, list[Tile]]:
    """Parse and check a whole file: header, every payload's checksum, and the length.

    Raises FormatError, ChecksumError, VersionError or LimitError; nothing larger than `data` is allocated.
    """
    reader = Reader(data, max_pixels)
    reader.check_length()
    return reader.header, [reader.tile(number) for number in range(reader.header.tiles)]


class Reader:
    """A file of which single tiles are wanted.

    Attributes:
        header: parsed and checked.
    """

    def __init__(self, data: Bytes, max_pixels: int = PIXELS_MAX) -> None:
        """Raises FormatError, ChecksumError, VersionError or LimitError where the header is not right."""
        self._data = _flat(data) if isinstance(data, memoryview) else data
        with memoryview(self._data) as view:
            self.header, self._table, start = _parse(view, max_pixels)
        self._starts = list(itertools.accumulate((length for length, _, _ in self._table), initial=start))

    @property
    def length(self) -> int:
        """Bytes that the file has as its header says; behind them nothing belongs to it."""
        return self._starts[-1]

    def check_length(self) -> None:
        """Raise FormatError where the file is shorter or longer than its header says."""
        expected = self.length
        if len(self._data) != expected:
            verb = "ends at" if len(self._data) < expected else "goes on to"
            raise FormatError(
                f"the file {verb} byte {len(self._data):,}, its header says {expected:,}: truncated or altered"
            )

    def check(self) -> None:
        """Check the length and every tile, one after the other; raises FormatError or ChecksumError."""
        self.check_length()
        for number in range(self.header.tiles):
            self.tile(number)

    def tile(self, number: int) -> Tile:
        """One tile; raises FormatError or ChecksumError where it is not whole."""
        length, crc, indices_crc = self._table[number]
        payload = bytes(self._data[self._starts[number] : self._starts[number + 1]])
        if len(payload) != length:
            raise FormatError(f"tile {number}: the file ends at byte {len(self._data):,}, inside of it: truncated")
        if zlib.crc32(payload) != crc:
            raise ChecksumError(f"tile {number}: its checksum does not match, the file is damaged")
        alpha = exact = b""
        if self.header.alpha:
            alpha, payload = _split(payload, f"tile {number}: its alpha channel")
        if self.header.exact is not None:
            exact, payload = _split(payload, f"tile {number}: its block of exact colours")
            if bool(exact) != self.header.squares.any(self.header.box(number), True):
                told = "has exact colours and no exact square" if exact else "has an exact square and no exact colours"
                raise FormatError(f"tile {number}: it {told}, the file is damaged")
        return Tile(payload, indices_crc, alpha, exact)


def _split(payload: bytes, what: str) -> tuple[bytes, bytes]:
    """The part of a payload that begins with its length, and the rest; FormatError where it runs past the end."""
    if len(payload) < _U32.size or len(payload) - _U32.size < _U32.unpack_from(payload)[0]:
        raise FormatError(f"{what} runs past its end, the file is damaged")
    end = _U32.size + _U32.unpack_from(payload)[0]
    return payload[_U32.size : end], payload[end:]


def _flat(view: memoryview) -> memoryview:
    """The same bytes one after the other, which a view of every second one does not have."""
    return view.cast("B") if view.c_contiguous and view.nbytes else memoryview(view.tobytes())


def _parse(data: memoryview, max_pixels: int) -> tuple[Header, list[tuple[int, int, int]], int]:
    """Header, rows of the tile table, and where the payloads start."""
    if not data:
        raise FormatError("not an .lcq file; the file is empty")
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise FormatError("not an .lcq file: it does not begin with the .lcq signature")
    if len(data) < FIXED.size:
        raise FormatError(f"the file ends at byte {len(data)}, inside its header: truncated")
    _, major, minor, end, quantizer, samples, width, height, scale, quality, model = FIXED.unpack_from(data)
    if major != MAJOR:
        raise VersionError(
            f"this file has format version {major}.{minor}, this reader knows {MAJOR}.x: update latticecodec"
        )
    if end < FIXED.size + _TILE.size:
        raise FormatError(f"header length {end} is below the least possible, {FIXED.size + _TILE.size}: damaged")
    if end > HEADER_MAX:
        raise LimitError(f"header of {end:,} bytes: beyond the limit of {HEADER_MAX:,}")
    if len(data) < end + _U32.size:
        raise FormatError(f"the file ends at byte {len(data)}, inside its header: truncated")
    if _U32.unpack_from(data, end)[0] != zlib.crc32(data[:end]):
        raise ChecksumError("the header's checksum does not match: the file is damaged")
    header = Header(
        width=width,
        height=height,
        channels=samples & 15,
        bit_depth=8 * (samples >> 4),
        model=model,
        scale=scale,
        quality=quality / QUALITY_UNIT,
        quantizer=quantizer >> 4,
        family=quantizer & 15,
        tile=tile_side(data[FIXED.size : end - _TILE.size]),
        version=(major, minor),
    )
    header.check(max_pixels)
    table_at = end - _TILE.size * header.tiles
    if table_at < FIXED.size:
        raise FormatError(f"header length {end} has no room for a table of {header.tiles:,} tiles: damaged")
    fields = read_extensions(data[FIXED.size : table_at], (major, minor))
    header = replace(header, **fields)
    if header.exact is not None:
        header.squares.check()
    table = list(_TILE.iter_unpack(data[table_at:end]))
    enough = (
        header.box(0).width * header.box(0).height // PIXELS_PER_BYTE
    )  # for every tile: none is larger than the first
    for number in (number for number, (length, _, _) in enumerate(table) if length < enough):
        box, length = header.box(number), table[number][0]
        if length < _shortest_payload(header, box):
            raise LimitError(
                f"{box.width}x{box.height} pixels from {length} bytes: beyond the expansion limit, damaged"
            )
    return header, table, end + _U32.size


def _shortest_payload(header: Header, box: Box) -> int:
    """Bytes that the payload of a tile must have at least, by the expansion limits; 0 for small tiles."""
    exact = header.exact is not None and not header.squares.any(box, False)
    return box.width * box.height // (EXACT_PIXELS_PER_BYTE if exact else PIXELS_PER_BYTE)

"""A second implementation of sections 1 to 4 of FORMAT.md, the container, with the standard library alone."""

import struct
import zlib
from dataclasses import dataclass, field

MAGIC = b"\x89LCQ\r\n\x1a\n"
KINDS = {0x11, 0x13, 0x21, 0x31, 0x41}  # quantizer and family [2.1]
METADATA = {129: "icc", 130: "exif", 131: "xmp"}  # [2.2]


class FormatError(Exception): ...  # [4]


class ChecksumError(FormatError): ...


class VersionError(FormatError): ...


class LimitError(FormatError): ...


@dataclass
class Tile:
    """What the file has of one tile: where it lies in the picture, its alpha and its range-coded part."""

    left: int
    top: int
    width: int
    height: int
    payload_crc: int
    index_crc: int
    alpha: bytes = b""
    payload: bytes = b""


@dataclass
class File:
    """Every field of a file; sections of FORMAT.md in brackets."""

    version: tuple[int, int]
    quantizer: int
    family: int
    channels: int
    bit_depth: int
    width: int
    height: int
    scale: int
    quality: int  # in 1/256
    model: bytes
    side: int | None = None  # of the tiles
    basis: tuple[int, ...] | None = None
    tune: bytes | None = None  # the body of the last record that says it
    cicp: tuple[int, ...] | None = None  # code points of colours
    metadata: dict[str, bytes] = field(default_factory=dict)
    skipped: list[int] = field(default_factory=list)  # types of the extensions that were ignored
    tiles: list[Tile] = field(default_factory=list)


def require(holds: bool, message: str, error: type[FormatError] = FormatError) -> None:
    if not holds:
        raise error(message)


def read(data: bytes) -> File:
    """A whole file, checked in the order of section 4."""
    require(data[:8] == MAGIC, "magic")
    require(len(data) >= 32, "the file ends in its fixed part")
    require(data[8] == 1, f"major version {data[8]}", VersionError)
    (length,) = struct.unpack_from("<I", data, 10)
    require(length >= 44, "header length")
    require(length <= 1 << 26, "header length", LimitError)
    require(len(data) >= length + 4, "the file ends in its header")
    require(struct.unpack_from("<I", data, length) == (zlib.crc32(data[:length]),), "header CRC", ChecksumError)
    file = fixed_part(data)
    boxes = split(file, data[:length])
    table = length - 12 * len(boxes)
    require(table >= 32, "the tile table has no room")
    extensions(file, data[32:table])
    rows = list(struct.iter_unpack("<3I", data[table:length]))
    for (_, _, width, height), (size, _, _) in zip(boxes, rows, strict=True):
        require(size >= width * height >> 12, "expansion", LimitError)
    require(len(data) == length + 4 + sum(size for size, _, _ in rows), "length of the file")
    position = length + 4
    for box, (size, payload_crc, index_crc) in zip(boxes, rows, strict=True):
        tile = Tile(*box, payload_crc, index_crc, payload=data[position : position + size])
        require(zlib.crc32(tile.payload) == payload_crc, "payload CRC", ChecksumError)
        if file.channels in (2, 4):
            split_alpha(tile)
        file.tiles.append(tile)
        position += size
    return file


def fixed_part(data: bytes) -> File:  # [2.1]
    kind, samples, width, height, scale, quality, model = struct.unpack_from("<BBHHhH8s", data, 14)
    require(min(width, height) >= 1, "a side of 0", LimitError)
    require(width * height <= 1 << 28, "area", LimitError)
    require(samples >> 4 in (1, 2) and 1 <= samples & 15 <= 4, f"samples {samples:02x}", VersionError)
    require(kind in KINDS, f"quantizer, family {kind:02x}", VersionError)
    require(quality <= 25_600, "quality")
    kinds = kind >> 4, kind & 15, samples & 15, 8 * (samples >> 4)
    return File((data[8], data[9]), *kinds, width, height, scale, quality, model)


def split(file: File, head: bytes) -> list[tuple[int, int, int, int]]:  # [2.3]
    """Left, top, width and height of each tile."""
    across, down = file.width, file.height
    if len(head) >= 51 and head[32:37] == b"\2\2\0\0\0":
        (file.side,) = struct.unpack_from("<H", head, 37)
        require(file.side >= 64 and file.side % 64 == 0, "side of tiles")
        across = down = file.side
    columns, rows = -(-file.width // across), -(-file.height // down)
    require(columns * rows <= 65_536, "number of tiles", LimitError)
    corners = [(column * across, row * down) for row in range(rows) for column in range(columns)]
    return [(x, y, min(across, file.width - x), min(down, file.height - y)) for x, y in corners]


def extensions(file: File, data: bytes) -> None:  # [2.2]
    position = count = 0
    while position < len(data):
        count += 1
        require(count <= 256, "number of extensions", LimitError)
        require(len(data) - position >= 5, "half an extension")
        kind, size = struct.unpack_from("<BI", data, position)
        require(size <= len(data) - position - 5, "an extension runs into the tile table")
        body = data[position + 5 : position + 5 + size]
        if kind == 1:
            require(size <= 2 * 4_096, "entries of the basis", LimitError)
            require(size > 0 and size % 2 == 0 and file.basis is None, "length of the basis, or a second one")
            file.basis = struct.unpack(f"<{size // 2}h", body)
        elif kind == 2:
            require(position == 0 and size == 2, "tiles")
        elif kind == 128:
            file.tune = body
        elif kind == 132:
            known = size == 4 and body[:2] != b"\2\2" and body[2] == 0 and body[3] <= 1
            file.cicp = tuple(body) if known else None
        elif kind in METADATA:
            require(size <= 1 << 24, "length of metadata", LimitError)
            require(METADATA[kind] not in file.metadata, "metadata twice")
            file.metadata[METADATA[kind]] = body
        else:
            require(kind >= 128, f"extension {kind}", VersionError)
            file.skipped.append(kind)
        position += 5 + size


def split_alpha(tile: Tile) -> None:  # [2.5]
    """Take the alpha from the front of a payload."""
    require(len(tile.payload) >= 4, "no alpha length")
    (size,) = struct.unpack_from("<I", tile.payload)
    require(size <= len(tile.payload) - 4, "alpha runs past its tile")
    tile.alpha, tile.payload = tile.payload[4 : 4 + size], tile.payload[4 + size :]


def webp_files(tile: Tile) -> list[bytes]:  # [2.5]
    """The WebP files of a tile's alpha, their heads checked; none where all of it is opaque."""
    squares = [(x, y) for y in range(0, tile.height, 2_048) for x in range(0, tile.width, 2_048)]
    files, rest = [], tile.alpha
    for x, y in squares if rest else []:
        require(len(rest) >= 25, "alpha ends early")
        riff, whole, webp, chunk, size, sign, bits = struct.unpack_from("<4sI4s4sIBI", rest)
        require((riff, webp, chunk, sign) == (b"RIFF", b"WEBP", b"VP8L", 0x2F), "alpha that is no WebP")
        require(size >= 5 and whole == 12 + size + size % 2, "alpha that is not one chunk")
        found = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        require(found == (min(2_048, tile.width - x), min(2_048, tile.height - y)), "size of the alpha")
        require(8 + whole <= len(rest), "alpha ends early")
        files.append(rest[: 8 + whole])
        rest = rest[8 + whole :]
    require(not rest, "bytes behind the alpha")
    return files

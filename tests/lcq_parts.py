"""An .lcq file in parts that can be changed one by one, and put together again with checksums that are right or not."""

import struct
import zlib
from dataclasses import dataclass, replace

FIXED, ROW = 32, struct.Struct("<III")  # bytes before the extensions; payload length and CRC, index CRC
TILES, LENGTH, FIELDS = 2, 10, {  # offset and struct of the fields of FORMAT.md, section 2.1
    "magic": (0, "<8s"), "major": (8, "<B"), "minor": (9, "<B"), "quantizer": (14, "<B"), "samples": (15, "<B"),
    "width": (16, "<H"), "height": (18, "<H"), "scale": (20, "<h"), "quality": (22, "<H"), "model": (24, "<8s"),
}  # fmt: skip


@dataclass(frozen=True)
class Record:
    """An extension."""

    kind: int
    body: bytes
    claimed: int | None = None  # the length it says it has, where that is not the body's


@dataclass(frozen=True)
class Tile:
    """A payload and its row of the tile table."""

    payload: bytes
    indices_crc: int
    length: int | None = None  # the length that the row says, where that is not the payload's
    crc: int | None = None  # the CRC that the row says, where that is not the payload's


@dataclass(frozen=True)
class Parts:
    """A file."""

    fixed: bytes
    records: tuple[Record, ...]
    tiles: tuple[Tile, ...]

    def get(self, name: str) -> int | bytes:
        """A field of the fixed part."""
        offset, form = FIELDS[name]
        value: int | bytes = struct.unpack_from(form, self.fixed, offset)[0]
        return value

    def with_field(self, name: str, value: int | bytes) -> "Parts":
        """The file with another value in a field of the fixed part."""
        offset, form = FIELDS[name]
        field = struct.pack(form, value)
        return replace(self, fixed=self.fixed[:offset] + field + self.fixed[offset + len(field) :])

    def with_record(self, at: int, *records: Record) -> "Parts":
        """The file with record `at` replaced by others."""
        return replace(self, records=self.records[:at] + records + self.records[at + 1 :])

    def with_tile(self, at: int, *tiles: Tile) -> "Parts":
        """The file with tile `at` replaced by others."""
        return replace(self, tiles=self.tiles[:at] + tiles + self.tiles[at + 1 :])

    def data(self, length: int | None = None, crc: int | None = None) -> bytes:
        """The bytes; `length` and `crc` of the header are those that belong there, unless they are given."""
        records = b"".join(
            struct.pack("<BI", record.kind, len(record.body) if record.claimed is None else record.claimed)
            + record.body
            for record in self.records
        )
        table = b"".join(
            ROW.pack(
                len(tile.payload) if tile.length is None else tile.length,
                zlib.crc32(tile.payload) if tile.crc is None else tile.crc,
                tile.indices_crc,
            )
            for tile in self.tiles
        )
        end = FIXED + len(records) + len(table)
        said = struct.pack("<I", end if length is None else length)
        head = self.fixed[:LENGTH] + said + self.fixed[LENGTH + 4 :] + records + table
        check = zlib.crc32(head) if crc is None else crc
        return b"".join([head, struct.pack("<I", check), *(tile.payload for tile in self.tiles)])


def parts(data: bytes) -> Parts:
    """Take a file apart that is whole and right."""
    (end,) = struct.unpack_from("<I", data, LENGTH)
    width, height = struct.unpack_from("<HH", data, FIELDS["width"][0])
    side = struct.unpack_from("<H", data, FIXED + 5)[0] if data[FIXED : FIXED + 5] == b"\2\2\0\0\0" and end > 50 else 0
    count = -(-width // side) * -(-height // side) if side else 1
    table_at = end - ROW.size * count
    records, at = [], FIXED
    while at < table_at:
        kind, length = struct.unpack_from("<BI", data, at)
        records.append(Record(kind, data[at + 5 : at + 5 + length]))
        at += 5 + length
    tiles, at = [], end + 4
    for length, _, indices_crc in ROW.iter_unpack(data[table_at:end]):
        tiles.append(Tile(data[at : at + length], indices_crc))
        at += length
    return Parts(data[:FIXED], tuple(records), tuple(tiles))

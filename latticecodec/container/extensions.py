"""The extensions of a header: records of type, length and body. A kind of record is a row of RECORDS."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import FormatError, LimitError, VersionError
from .header import BASIS_MAX, TUNES, Header

if TYPE_CHECKING:
    from .cicp import Cicp

BASIS = 1  # the whole basis, one int16 a channel
TILES = 2  # the side of a tile, u16; first of all extensions
EXACT = 3  # the mask of the squares that have exact colours
TUNE = 128  # what the encoder aimed at, one byte; no extension: PSNR
ICC, EXIF, XMP = 129, 130, 131  # metadata, byte for byte
CICP = 132  # code points of colours, four bytes; no extension: those of the ICC profile, or sRGB
MAY_IGNORE = 128  # extensions from this type on may be skipped by a reader that does not know them
METADATA_MAX = 1 << 24  # bytes of an ICC profile, of EXIF and of XMP, each
EXTENSIONS_MAX = 256  # records a header

HEAD = struct.Struct("<BI")
_SIDE = struct.Struct("<H")


@dataclass(frozen=True)
class Record:
    """How one field of Header is written and read.

    Attributes:
        kind: type of the record in a file.
        field: name in Header.
        name: what errors call it.
        body: bytes of a value; raises VersionError for one that this writer does not know.
        value: the value that the bytes of a body stand for.
        absent: the value that takes no record.
        most: bytes of a body, where they have a limit of their own.
        fits: whether a body can have this length.
        wrong: what is told where the length does not fit, or where the record is not where, or as often as, it may be.
        first: it stands before all others.
        once: it stands there once; of others the last one counts.
    """

    kind: int
    field: str
    name: str
    body: Callable[[Any], bytes]
    value: Callable[[bytes], Any]
    absent: Any = None
    most: int | None = None
    fits: Callable[[int], bool] = lambda length: True
    wrong: str = ""
    first: bool = False
    once: bool = True

    def check_length(self, length: int) -> None:
        """Raise LimitError or FormatError for a body of so many bytes that is none."""
        if self.most is not None and length > self.most:
            raise LimitError(f"{self.name} of {length:,} bytes: beyond the limit of {self.most:,}")
        if not self.fits(length):
            raise FormatError(f"{self.wrong}: damaged")


def _metadata(kind: int, field: str) -> Record:
    name = f"{field.upper()} metadata"
    return Record(kind, field, name, bytes, bytes, most=METADATA_MAX, wrong=f"{name} is there twice")


def _number_of(tune: str) -> bytes:
    numbers = [number for number, known in TUNES.items() if known == tune]
    if not numbers:
        raise VersionError(f"tune {tune!r} needs a newer latticecodec")
    return bytes(numbers)


def _code_points(body: bytes) -> "Cicp | None":
    from .cicp import code_points

    return code_points(body)


RECORDS = (  # in the order in which they are written
    Record(
        TILES,
        "tile",
        "the side of a tile",
        body=_SIDE.pack,
        value=lambda body: _SIDE.unpack(body)[0],
        fits=lambda length: length == _SIDE.size,
        wrong="the side of a tile is not the first extension, or not of two bytes",
        first=True,
    ),
    Record(
        BASIS,
        "basis",
        "embedded basis",
        body=lambda basis: struct.pack(f"<{len(basis)}h", *basis),
        value=lambda body: struct.unpack(f"<{len(body) // 2}h", body),
        most=2 * BASIS_MAX,
        fits=lambda length: length > 0 and length % 2 == 0,
        wrong="the embedded basis is empty, of odd length or there twice",
    ),
    Record(EXACT, "exact", "exact squares", bytes, bytes, wrong="the mask of exact squares is there twice"),
    Record(
        TUNE,
        "tune",
        "tune",
        body=_number_of,
        value=lambda body: TUNES.get(body[0], "other") if len(body) == 1 else "other",
        absent=TUNES[0],
        once=False,
    ),
    _metadata(ICC, "icc"),
    _metadata(EXIF, "exif"),
    _metadata(XMP, "xmp"),
    Record(CICP, "cicp", "code points of colours", body=bytes, value=_code_points, once=False),
)


def write_extensions(header: Header) -> bytes:
    """The records that a header needs; raises LimitError, FormatError or VersionError for what would not be read."""
    records = []
    for row in RECORDS:
        value = getattr(header, row.field)
        if value != row.absent:
            body = row.body(value)
            row.check_length(len(body))
            records.append(HEAD.pack(row.kind, len(body)) + body)
    return b"".join(records)


def tile_side(start: memoryview) -> int | None:
    """The side of a tile as the first record says, if that is of type TILES; `start` is where the records begin."""
    if len(start) < HEAD.size + _SIDE.size or HEAD.unpack_from(start) != (TILES, _SIDE.size):
        return None
    side: int = _SIDE.unpack_from(start, HEAD.size)[0]
    return side


def read_extensions(records: memoryview, version: tuple[int, int]) -> dict[str, Any]:
    """Fields of Header from the records of a file; raises FormatError, LimitError or VersionError."""
    rows = {row.kind: row for row in RECORDS}
    fields: dict[str, Any] = {}
    for number, (kind, body) in enumerate(_walk(records)):
        row = rows.get(kind)
        if row is not None:
            row.check_length(len(body))
            if (row.first and number) or (row.once and row.field in fields):
                raise FormatError(f"{row.wrong}: damaged")
            fields[row.field] = row.value(bytes(body))
        elif kind < MAY_IGNORE:
            raise VersionError(
                f"extension {kind} of format version {version[0]}.{version[1]} is not known to this reader: "
                "update latticecodec"
            )
    return fields


def _walk(records: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Type and body of each record."""
    position = count = 0
    while position < len(records):
        if count == EXTENSIONS_MAX:
            raise LimitError(f"more than {EXTENSIONS_MAX} extensions: beyond the limit")
        if position + HEAD.size > len(records):
            raise FormatError("an extension's head runs past the header: damaged")
        kind, length = HEAD.unpack_from(records, position)
        position += HEAD.size
        if length > len(records) - position:
            raise FormatError(f"extension {kind} of {length:,} bytes runs past the header: damaged")
        yield kind, records[position : position + length]
        position += length
        count += 1

"""The extensions of a header: records of type, length and body."""

import struct
from collections.abc import Iterator
from typing import Any

from ..errors import FormatError, LimitError, VersionError
from .header import BASIS_MAX, TUNES, Header

BASIS = 1  # the whole basis, one int16 a channel
TILES = 2  # the side of a tile, u16; first of all extensions
TUNE = 128  # what the encoder aimed at, one byte; no extension: PSNR
ICC, EXIF, XMP = 129, 130, 131  # metadata, byte for byte
METADATA = {ICC: "icc", EXIF: "exif", XMP: "xmp"}  # type and the name in Header
MAY_IGNORE = 128  # extensions from this type on may be skipped by a reader that does not know them
METADATA_MAX = 1 << 24  # bytes of an ICC profile, of EXIF and of XMP, each
EXTENSIONS_MAX = 256  # records a header

HEAD = struct.Struct("<BI")
_SIDE = struct.Struct("<H")


def write_extensions(header: Header) -> bytes:
    """The records that a header needs; raises LimitError or VersionError for what `read_extensions` would refuse."""
    records = []
    if header.tile is not None:
        records.append((TILES, _SIDE.pack(header.tile)))
    if header.basis is not None:
        records.append((BASIS, struct.pack(f"<{len(header.basis)}h", *header.basis)))
    if header.tune != TUNES[0]:
        numbers = [number for number, tune in TUNES.items() if tune == header.tune]
        if not numbers:
            raise VersionError(f"tune {header.tune!r} needs a newer latticecodec")
        records.append((TUNE, bytes(numbers)))
    for kind, name in METADATA.items():
        body = getattr(header, name)
        if body is not None:
            _check_metadata(name, len(body))
            records.append((kind, body))
    return b"".join(HEAD.pack(kind, len(body)) + body for kind, body in records)


def tile_side(start: memoryview) -> int | None:
    """The side of a tile as the first record says, if that is of type TILES; `start` is where the records begin."""
    if len(start) < HEAD.size + _SIDE.size or HEAD.unpack_from(start) != (TILES, _SIDE.size):
        return None
    side: int = _SIDE.unpack_from(start, HEAD.size)[0]
    return side


def read_extensions(records: memoryview, version: tuple[int, int]) -> dict[str, Any]:
    """Fields of Header from the records of a file; `tile` is read by `tile_side`.

    Raises FormatError, LimitError or VersionError.
    """
    fields: dict[str, Any] = {}
    for number, (kind, body) in enumerate(_walk(records)):
        if kind == BASIS:
            if len(body) > 2 * BASIS_MAX:
                raise LimitError(f"embedded basis of {len(body):,} bytes: beyond the limit of {BASIS_MAX:,} entries")
            if "basis" in fields or len(body) % 2 or not body:
                raise FormatError("the embedded basis is empty, of odd length or there twice: damaged")
            fields["basis"] = struct.unpack(f"<{len(body) // 2}h", body)
        elif kind == TILES:
            if number or len(body) != _SIDE.size:
                raise FormatError("the side of a tile is not the first extension, or not of two bytes: damaged")
        elif kind == TUNE:
            fields["tune"] = TUNES.get(body[0], "other") if len(body) == 1 else "other"
        elif kind in METADATA:
            name = METADATA[kind]
            _check_metadata(name, len(body))
            if name in fields:
                raise FormatError(f"{name.upper()} metadata is there twice: damaged")
            fields[name] = bytes(body)
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


def _check_metadata(name: str, length: int) -> None:
    if length > METADATA_MAX:
        raise LimitError(f"{name.upper()} metadata of {length:,} bytes: beyond the limit of {METADATA_MAX:,}")

"""EXIF blocks, byte by byte: orientation, and the same block without its place on Earth.

A block is a TIFF structure: a header of 8 bytes, then directories of entries of 12 bytes each, chained and nested by
offsets from the block's start. Nothing here moves, so offsets stay right, also those that only a camera's maker knows.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

ORIENTATION, EXIF, GPS = 274, 34665, 34853
HEADERS = {b"II*\0": "<", b"MM\0*": ">"}
HEADER = 8  # bytes
ENTRY = 12  # bytes
CHAIN = 16  # directories that are looked at; EXIF has two
GPS_MOST = 100  # entries of a GPS directory; EXIF has 32
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes a value, by type
NUMBERS = {1: "B", 3: "H", 4: "I"}  # types of natural numbers


class DamageError(Exception):
    """A directory is not where it should be, or not whole."""


class Entry(NamedTuple):
    """One entry of a directory: tag, type, how many values, and where the first one stands in the block."""

    tag: int
    kind: int
    length: int
    value: int


@dataclass(frozen=True)
class Directory:
    """A directory at offset `at`; `following` is the offset of the next one in the chain, or 0."""

    at: int
    entries: list[Entry]
    following: int


def orientation(block: bytes | None) -> int:
    """1 to 8 as EXIF counts them; 1, upright, where nothing sensible is said."""
    value = number(block or b"", ORIENTATION)
    return value if value is not None and 1 <= value <= 8 else 1


def upright(block: bytes | None) -> bytes | None:
    """The block, where it tells of an orientation telling of that of an upright picture."""
    form, place = _place(block or b"", ORIENTATION)
    if not block or not place:
        return block
    changed = bytearray(block)
    struct.pack_into(form, changed, place, 1)
    return bytes(changed)


def tags(block: bytes) -> set[int]:
    """The tags of the first directory that have a value; raises DamageError."""
    return {entry.tag for entry in _directory(block, *_start(block)).entries if entry.length}


def number(block: bytes, tag: int) -> int | None:
    """The one number that a tag of the first directory has; None where there is no such."""
    form, place = _place(block, tag)
    return int(struct.unpack_from(form, block, place)[0]) if place else None


def without_gps(block: bytes) -> bytes:
    """The block without its GPS directories, whose bytes are 0; all else where it was. Raises DamageError."""
    order, at = _start(block)
    first, changed = _directory(block, order, at), bytearray(block)
    inner = [_directory(block, order, place) for place in _offsets(block, order, first, EXIF)]
    for directory in (first, *inner, *_chained(block, order, first)):
        for place in _offsets(block, order, directory, GPS):
            _erase(changed, block, order, place)
        _keep(changed, block, order, directory)
    return bytes(changed)


def _chained(block: bytes, order: str, first: Directory) -> Iterator[Directory]:
    """The directories that follow the first one; cameras leave all kinds of offsets behind the last one."""
    at, seen = first.following, {first.at}
    while at not in seen and len(seen) < CHAIN:
        seen.add(at)
        try:
            directory = _directory(block, order, at)
        except DamageError:
            return
        yield directory
        at = directory.following


def _place(block: bytes, tag: int) -> tuple[str, int]:
    """How the number of a tag is written, and its offset, which is 0 where there is none."""
    try:
        order, first = _start(block)
        for entry in _directory(block, order, first).entries:
            if entry.tag == tag and entry.kind in NUMBERS and entry.length == 1:
                return order + NUMBERS[entry.kind], entry.value
    except DamageError:
        pass
    return "", 0


def _start(block: bytes) -> tuple[str, int]:
    """The byte order, and the offset of the first directory."""
    order = HEADERS.get(block[:4])
    if order is None or len(block) < HEADER:
        raise DamageError
    return order, struct.unpack_from(order + "I", block, 4)[0]


def _directory(block: bytes, order: str, at: int) -> Directory:
    """The directory at an offset; what would follow a directory at the very end of the block may be missing."""
    if at < HEADER or at + 2 > len(block):
        raise DamageError
    (count,) = struct.unpack_from(order + "H", block, at)
    end = at + 2 + ENTRY * count
    if end > len(block):
        raise DamageError
    entries = []
    for place in range(at + 2, end, ENTRY):
        tag, kind, values = struct.unpack_from(order + "HHI", block, place)
        value = place + 8
        if SIZES.get(kind, 1) * values > 4:
            (value,) = struct.unpack_from(order + "I", block, place + 8)
        entries.append(Entry(tag, kind, values, value))
    following = struct.unpack_from(order + "I", block, end)[0] if end + 4 <= len(block) else 0
    return Directory(at, entries, following)


def _offsets(block: bytes, order: str, directory: Directory, tag: int) -> list[int]:
    """The offset of the directory that a tag stands for, or none; raises DamageError for more than one."""
    found = [entry for entry in directory.entries if entry.tag == tag]
    if len(found) > 1 or any(entry.kind not in (4, 13) or entry.length != 1 for entry in found):
        raise DamageError
    return [struct.unpack_from(order + "I", block, entry.value)[0] for entry in found]


def _erase(changed: bytearray, block: bytes, order: str, at: int) -> None:
    """Zeros in place of a directory and of the values it points to."""
    directory = _directory(block, order, at)
    if len(directory.entries) > GPS_MOST:
        raise DamageError
    for entry in directory.entries:
        end = min(entry.value + SIZES.get(entry.kind, 1) * entry.length, len(block))
        start = min(max(entry.value, HEADER), end)
        changed[start:end] = bytes(end - start)
    end = min(at + 2 + ENTRY * len(directory.entries) + 4, len(block))
    changed[at:end] = bytes(end - at)


def _keep(changed: bytearray, block: bytes, order: str, directory: Directory) -> None:
    """A directory without its entries for GPS; those behind them move up, and zeros fill the end."""
    first = directory.at + 2
    places = [first + ENTRY * number for number, entry in enumerate(directory.entries) if entry.tag != GPS]
    if len(places) == len(directory.entries):
        return
    kept = b"".join(block[place : place + ENTRY] for place in places)
    end = min(first + ENTRY * len(directory.entries) + 4, len(block))
    whole = struct.pack(order + "H", len(places)) + kept + struct.pack(order + "I", directory.following)
    changed[directory.at : end] = whole.ljust(end - directory.at, b"\0")[: end - directory.at]

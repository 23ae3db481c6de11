"""Mutations of .lcq files from a random source: of their bytes, or of their parts with checksums put right again."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from lcq_parts import FIELDS, LENGTH, TILES, Parts, Record, Tile, parts

from .hostile import exif, integer, scrambled

BASIS, EXACT, ICC, EXIF, XMP, CICP = 1, 3, 129, 130, 131, 132
KINDS = (0, BASIS, TILES, EXACT, 4, 127, 128, ICC, EXIF, XMP, CICP, 133, 255)
ENTRIES = 16  # of a basis of the conformance models
SMALLEST = 48  # bytes of a file to mutate: fixed part, a row of the table, header CRC

IndexCrc = Callable[[Parts], Parts]  # a file with the index CRCs that its payloads decode to


@dataclass(frozen=True)
class Mutator:
    """Makes one file of another.

    Attributes:
        seeds: sound files.
        index_crc: puts the index CRCs right.
    """

    seeds: list[bytes]
    index_crc: IndexCrc

    def mutate(self, data: bytes, random: Random) -> tuple[str, bytes]:
        """The kind of mutation and the mutated file; kinds in REPAIRED have right checksums of header and payloads."""
        (kind,) = random.choices(list(WEIGHTS), list(WEIGHTS.values()))
        if len(data) < SMALLEST:
            data = random.choice(self.seeds)
        if kind in RAW:
            return kind, RAW[kind](data, random.choice(self.seeds), random)
        try:
            file = parts(data)
            assert file.data() == data
        except (AssertionError, struct.error, ZeroDivisionError, MemoryError):
            file = parts(random.choice(self.seeds))
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            file = PARTS[kind](file, parts(random.choice(self.seeds)), random)
        return kind, (self.index_crc(file) if kind == "any payload" else file).data()


# ---- bytes ----------------------------------------------------------------------------------------------------------


def bits(data: bytes, other: bytes, random: Random) -> bytes:
    """One to eight bits flipped."""
    flipped = bytearray(data)
    for _ in range(random.randint(1, 8)):
        flipped[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(flipped)


def end(data: bytes, other: bytes, random: Random) -> bytes:
    """Cut off, or with something behind it."""
    return data[: random.randrange(len(data))] if random.random() < 0.8 else data + other[: random.randint(1, 40)]


def edits(data: bytes, other: bytes, random: Random) -> bytes:
    """Bytes cut out and others put in."""
    return scrambled(data, random)


def splice(data: bytes, other: bytes, random: Random) -> bytes:
    """The beginning of one file and the end of another."""
    return data[: random.randrange(len(data))] + other[random.randrange(len(other)) :]


def header_bytes(data: bytes, other: bytes, random: Random) -> bytes:
    """Bytes of the header changed, or its length; the CRC that stands where it then ends is right."""
    changed = bytearray(data)
    (length,) = struct.unpack_from("<I", data.ljust(LENGTH + 4, b"\0"), LENGTH)
    length = min(length, len(data) - 4)
    if random.random() < 0.3:
        length = random.randint(0, len(data) - 4)
        struct.pack_into("<I", changed, LENGTH, length)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(max(1, min(length, len(data))))] = random.randrange(256)
    return bytes(changed[:length]) + struct.pack("<I", zlib.crc32(changed[:length])) + bytes(changed[length + 4 :])


# ---- parts ----------------------------------------------------------------------------------------------------------


def field(file: Parts, other: Parts, random: Random) -> Parts:
    """A number in the fixed part."""
    name = random.choice([name for name in FIELDS if name not in ("magic", "model")])
    low, high = {"<B": (0, 255), "<H": (0, 65_535), "<h": (-32_768, 32_767)}[FIELDS[name][1]]
    return file.with_field(name, integer(int(file.get(name)), low, high, random))


def model(file: Parts, other: Parts, random: Random) -> Parts:
    """A file that says it is of the model of another one."""
    return file.with_field("model", other.get("model")).with_field("quantizer", other.get("quantizer"))


def record(file: Parts, other: Parts, random: Random) -> Parts:
    """An extension more, less, elsewhere, or that lies about its length."""
    count = len(file.records)
    at = random.randrange(count + 1)
    if at < count and random.random() < 0.6:
        old = file.records[at]
        return random.choice(
            [
                lambda: file.with_record(at),
                lambda: file.with_record(at, old, old),
                lambda: replace(file, records=(old, *file.records[:at], *file.records[at + 1 :])),
                lambda: file.with_record(at, replace(old, kind=random.choice(KINDS))),
                lambda: file.with_record(at, replace(old, body=scrambled(old.body, random))),
                lambda: file.with_record(at, replace(old, claimed=integer(len(old.body), 0, (1 << 32) - 1, random))),
            ]
        )()
    new = random.choice(
        [
            lambda: (Record(random.choice(KINDS), random.randbytes(random.randrange(40))),),
            lambda: (Record(TILES, struct.pack("<H", integer(64, 0, 65_535, random))),),
            lambda: (Record(BASIS, random.randbytes(2 * ENTRIES)),),
            lambda: random.randint(2, 300) * (Record(random.randint(128, 255), b""),),
            lambda: other.records,
        ]
    )()
    return replace(file, records=file.records[:at] + new + file.records[at:])


def table(file: Parts, other: Parts, random: Random) -> Parts:
    """Tiles dropped, repeated, in another order, of another file; rows that lie."""
    at = random.randrange(len(file.tiles) or 1)
    if not file.tiles:
        return replace(file, tiles=other.tiles)
    old = file.tiles[at]
    return random.choice(
        [
            lambda: file.with_tile(at),
            lambda: file.with_tile(at, old, old),
            lambda: replace(file, tiles=file.tiles[::-1]),
            lambda: file.with_tile(at, *other.tiles),
            lambda: file.with_tile(at, replace(old, payload=b"")),
            lambda: file.with_tile(at, replace(old, length=integer(len(old.payload), 0, (1 << 32) - 1, random))),
            lambda: file.with_tile(at, replace(old, indices_crc=old.indices_crc ^ 1 << random.randrange(32))),
        ]
    )()


def payload(file: Parts, other: Parts, random: Random) -> Parts:
    """Another range-coded part, whose CRC is right."""
    if not file.tiles:
        return file
    at = random.randrange(len(file.tiles))
    coded, rest = _alpha_and_rest(file, file.tiles[at])
    changed = random.choice(
        [
            lambda: scrambled(rest, random),
            lambda: b"\xff" * random.randint(1, 12) + rest[random.randrange(len(rest) + 1) :],
            lambda: random.randbytes(random.randint(0, 60)),
            lambda: rest[: random.randrange(len(rest) + 1)],
            lambda: rest + random.randbytes(random.randint(1, 9)),
        ]
    )()
    return file.with_tile(at, replace(file.tiles[at], payload=coded + changed))


def alpha(file: Parts, other: Parts, random: Random) -> Parts:
    """Another alpha channel, whose CRC is right; the rest of the tile as it was."""
    if not file.tiles:
        return file
    at = random.randrange(len(file.tiles))
    coded, rest = _alpha_and_rest(file, file.tiles[at])
    if not coded:
        file = file.with_field("samples", (int(file.get("samples")) + 1) & 255)
        coded = random.choice((bytes(4), _alpha_and_rest(other, other.tiles[0])[0] or b"\1\0\0\0?"))
    webp = scrambled(coded[4:], random) if random.random() < 0.7 else _alpha_and_rest(other, other.tiles[0])[0][4:]
    length = len(webp) if random.random() < 0.9 else integer(len(webp), 0, (1 << 32) - 1, random)
    return file.with_tile(at, replace(file.tiles[at], payload=struct.pack("<I", length) + webp + rest))


def exact(file: Parts, other: Parts, random: Random) -> Parts:
    """Another mask, or other exact colours, with alpha or without, whose CRC is right; a file without gets both."""
    count = len(file.tiles)
    kinds = [record.kind for record in file.records]
    if not count:
        return file
    if EXACT not in kinds:
        squares = [-(-int(file.get(side)) // 64) for side in ("width", "height")]
        mask = random.randbytes(-(-squares[0] * squares[1] // 8)) if random.random() < 0.5 else b"\x80"
        tiles = tuple(
            replace(t, payload=_alpha_and_rest(file, t)[0] + bytes(4) + _alpha_and_rest(file, t)[1]) for t in file.tiles
        )
        return replace(file, records=(*file.records, Record(EXACT, mask)), tiles=tiles)
    if random.random() < 0.3:
        at = kinds.index(EXACT)
        return file.with_record(at, Record(EXACT, scrambled(file.records[at].body, random)))
    at = random.randrange(count)
    coded, rest = _alpha_and_rest(file, file.tiles[at])
    if len(rest) < 4:
        return file
    end = 4 + struct.unpack_from("<I", rest)[0]
    webp = rest[4:end]
    if len(webp) > 24 and random.random() < 0.2:
        webp = webp[:24] + bytes([webp[24] ^ 0x10]) + webp[25:]  # whether it has alpha of its own
    else:
        webp = scrambled(webp, random)
    length = len(webp) if random.random() < 0.9 else integer(len(webp), 0, (1 << 32) - 1, random)
    rest = struct.pack("<I", length) + webp + rest[end:]
    return file.with_tile(at, replace(file.tiles[at], payload=coded + rest))


def metadata(file: Parts, other: Parts, random: Random) -> Parts:
    """Metadata that no camera wrote."""
    kind = random.choice((ICC, EXIF, EXIF, XMP))
    body = exif(random) if kind == EXIF else random.choice((b"", b"\0", random.randbytes(random.randint(1, 300))))
    kept = tuple(record for record in file.records if record.kind != kind)
    return replace(file, records=(*kept, Record(kind, body)))


def colours(file: Parts, other: Parts, random: Random) -> Parts:
    """Code points, known or not, beside those that are there or in place of them."""
    body = bytes(random.choice((0, 1, 2, 9, 12, 13, 16, 18, random.randrange(256))) for _ in range(4))
    if random.random() < 0.7:
        body = body[:2] + bytes((0, random.randrange(2)))
    kept = tuple(record for record in file.records if record.kind != CICP or random.random() < 0.5)
    return replace(file, records=(*kept, Record(CICP, body if random.random() < 0.9 else scrambled(body, random))))


def _alpha_and_rest(file: Parts, tile: Tile) -> tuple[bytes, bytes]:
    """The bytes of a payload that code alpha, with their length, and the others."""
    if int(file.get("samples")) % 2 or len(tile.payload) < 4:
        return b"", tile.payload
    end = 4 + struct.unpack_from("<I", tile.payload)[0]
    return tile.payload[:end], tile.payload[end:]


RAW = {"bits": bits, "end": end, "bytes": edits, "splice": splice, "header bytes": header_bytes}
PARTS = {
    "field": field,
    "model": model,
    "extension": record,
    "tile table": table,
    "payload": payload,
    "any payload": payload,
    "alpha": alpha,
    "exact": exact,
    "metadata": metadata,
    "colours": colours,
}
REPAIRED = {"header bytes", *PARTS}
WEIGHTS = {  # of a thousand; what gets as far as the networks costs a hundred times as much as what does not
    "bits": 271, "end": 170, "bytes": 191, "splice": 170,
    "header bytes": 50, "field": 50, "extension": 38, "tile table": 10,
    "model": 2, "payload": 4, "any payload": 2, "alpha": 18, "exact": 20, "metadata": 2, "colours": 2,
}  # fmt: skip

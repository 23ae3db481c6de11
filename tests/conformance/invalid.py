"""Files that a reader must refuse: each made from one that it must read."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from lcq_parts import TILES, Parts, Record, parts

from latticecodec.container import EXACT
from latticecodec.picture import alpha

from .pictures import alpha_plane

Change = Callable[[Parts], Parts]


@dataclass(frozen=True)
class Wrong:
    """One file."""

    name: str
    source: str
    covers: str
    make: Callable[[bytes], bytes]


def bytes_of(change: Change) -> Callable[[bytes], bytes]:
    """Change some parts; all checksums are right again."""
    return lambda data: change(parts(data)).data()


def field(name: str, value: int | bytes) -> Callable[[bytes], bytes]:
    """Another value in the fixed part."""
    return bytes_of(lambda p: p.with_field(name, value))


def records(*added: Record) -> Callable[[bytes], bytes]:
    """More extensions, behind those that are there."""
    return bytes_of(lambda p: replace(p, records=p.records + added))


def payload(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Another payload of tile 0, its length and CRC right."""
    return bytes_of(lambda p: p.with_tile(0, replace(p.tiles[0], payload=change(p.tiles[0].payload))))


def row(**fields: int) -> Callable[[bytes], bytes]:
    """Something else in the first row of the tile table, the header CRC right."""
    return bytes_of(lambda p: p.with_tile(0, replace(p.tiles[0], **fields)))  # type: ignore[arg-type]


def half_a_record(data: bytes) -> bytes:
    """Two bytes too few for the head of an extension, in a file that has none."""
    p = parts(data)
    return replace(p, fixed=p.fixed + b"\x80\0").data(length=46)


def huge(p: Parts) -> Parts:
    """65,535 x 4,097 pixels."""
    return p.with_field("width", 65_535).with_field("height", 4_097)


def swapped(p: Parts) -> Parts:
    """The first two tiles in each other's place."""
    return replace(p, tiles=(p.tiles[1], p.tiles[0], *p.tiles[2:]))


def other_alpha(height: int, width: int, depth: int = 8) -> Callable[[bytes], bytes]:
    """The alpha of another picture, in a sound WebP file."""
    coded = alpha.encode(alpha_plane("noisy", height, width, depth))

    def change(old: bytes) -> bytes:
        (end,) = struct.unpack_from("<I", old)
        return struct.pack("<I", len(coded)) + coded + old[4 + end :]

    return payload(change)


def side(value: int) -> Callable[[bytes], bytes]:
    """Another side of the tiles."""
    return bytes_of(lambda p: p.with_record(0, Record(TILES, struct.pack("<H", value))))


def mask(body: bytes) -> Callable[[bytes], bytes]:
    """Another mask of exact squares, in a file that has no other records."""
    return bytes_of(lambda p: p.with_record(0, Record(EXACT, body)))


RGB, RGBA, TILED, E8, VQ = (f"files/{name}.lcq" for name in ("icc", "rgba-8", "lattice-tiles", "xmp", "vq-middle"))
WHOLE, PARTLY, JOINT = (f"files/{name}.lcq" for name in ("lossless-rgb-8", "exact-squares", "joint-rgba-8"))

INVALID = [
    Wrong("empty", RGB, "no bytes", lambda data: b""),
    Wrong("magic", RGB, "another signature", field("magic", b"\x89PNG\r\n\x1a\n")),
    Wrong("magic-newlines", RGB, "line endings changed on the way", lambda data: data.replace(b"\r\n", b"\n")),
    Wrong("major-2", RGB, "another major version", field("major", 2)),
    Wrong("truncated-header", RGB, "ends in its header", lambda data: data[:40]),
    Wrong("truncated-by-one", RGB, "ends one byte early", lambda data: data[:-1]),
    Wrong("trailing", RGB, "one byte too many", lambda data: data + b"\0"),
    Wrong("header-crc", RGB, "one bit of the width", lambda data: data[:16] + bytes([data[16] ^ 1]) + data[17:]),
    Wrong("payload-crc", RGB, "one bit of the payload", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
    Wrong("index-crc", RGB, "indices that the payload does not give", row(indices_crc=0)),
    Wrong("index-crc-e8", E8, "indices that the payload does not give", row(indices_crc=0)),
    Wrong("index-crc-vq", VQ, "a payload changed, its CRC right", payload(lambda old: bytes([old[0] ^ 64]) + old[1:])),
    Wrong("impossible-state", RGB, "a payload that no range coder writes", payload(lambda old: b"\xff" * len(old))),
    Wrong("header-length-low", RGB, "a header length below the fixed part", lambda data: parts(data).data(length=43)),
    Wrong("header-length-high", RGB, "a header longer than the file", lambda data: parts(data).data(length=1 << 26)),
    Wrong("header-length-limit", RGB, "over the limit", lambda data: parts(data).data(length=(1 << 26) + 1)),
    Wrong("extension-critical", RGB, "an unknown extension to understand", records(Record(127, b"new"))),
    Wrong("extension-too-long", RGB, "an extension past the header", records(Record(200, b"", claimed=1 << 31))),
    Wrong("extension-head", VQ, "two bytes of an extension", half_a_record),
    Wrong("extensions-257", RGB, "too many extensions", records(*(257 * [Record(200, b"")]))),
    Wrong("icc-twice", RGB, "metadata twice", records(Record(129, b"again"))),
    Wrong("cicp-past-end", RGB, "code points past the header", records(Record(132, b"\x0c\x0d", claimed=4))),
    Wrong("basis-short", RGB, "a basis that the model does not have", records(Record(1, b"\0\0"))),
    Wrong("basis-odd", RGB, "half an entry", records(Record(1, b"\0\0\0"))),
    Wrong("basis-vq", VQ, "a basis beside codebooks", records(Record(1, bytes(32)))),
    Wrong("no-width", RGB, "no pixels", field("width", 0)),
    Wrong("expansion", RGB, "more pixels than the payload may stand for", field("height", 65_535)),
    Wrong("area", RGB, "more than 2^28 pixels", bytes_of(huge)),
    Wrong("samples", RGB, "five channels", field("samples", 0x15)),
    Wrong("depth", RGB, "three bytes a sample", field("samples", 0x33)),
    Wrong("quantizer", RGB, "quantizer 5", field("quantizer", 0x51)),
    Wrong("family", RGB, "reserved lattice family 2", field("quantizer", 0x12)),
    Wrong("other-quantizer", RGB, "E8, the model has the diagonal lattice", field("quantizer", 0x13)),
    Wrong("model", RGB, "a model that is not there", field("model", b"unknown!")),
    Wrong("quality", RGB, "a quality over 100", field("quality", 25_601)),
    Wrong("tiles-not-first", RGB, "the side of tiles behind another extension", records(Record(TILES, b"\x40\0"))),
    Wrong("tiles-side", TILED, "a side that is no multiple of 64", side(65)),
    Wrong("tiles-other-side", TILED, "a table of other tiles", side(128)),
    Wrong("tiles-no-room", TILED, "more tiles than rows", bytes_of(lambda p: p.with_field("height", 6_400))),
    Wrong("tiles-swapped", TILED, "two tiles in each other's place", bytes_of(swapped)),
    Wrong("tile-length-high", TILED, "a row that claims more bytes than there are", row(length=1 << 31)),
    Wrong("tile-length-low", TILED, "a row that claims fewer bytes", row(length=1)),
    Wrong("alpha-size", RGBA, "alpha of another size", other_alpha(20, 26)),
    Wrong("alpha-past-end", RGBA, "alpha longer than its tile", payload(lambda old: b"\xff\xff\xff\xff" + old[4:])),
    Wrong("alpha-no-webp", RGBA, "alpha that is no WebP", payload(lambda old: old[:4] + b"JUNK" + old[8:])),
    Wrong("alpha-damaged", RGBA, "WebP data that is damaged", payload(lambda old: old[:40] + 99 * b"\xff" + old[139:])),
    Wrong("alpha-missing", RGBA, "a payload too short for alpha", payload(lambda old: b"\0\0")),
    Wrong("exact-mask-long", PARTLY, "a mask of too many bytes", mask(b"\xa8\0")),
    Wrong("exact-mask-bits", PARTLY, "a bit of no square", mask(b"\xa9")),
    Wrong("exact-mask-twice", PARTLY, "two masks", records(Record(EXACT, b"\xa8"))),
    Wrong("exact-no-square", PARTLY, "exact colours where no square is exact", mask(b"\0")),
    Wrong("exact-missing", WHOLE, "no exact colours where a square is exact", payload(lambda old: bytes(4))),
    Wrong("exact-past-end", WHOLE, "exact colours longer than their tile", payload(lambda old: b"\xff" + old[1:])),
    Wrong("exact-short", WHOLE, "a payload too short for exact colours", payload(lambda old: b"\1\0")),
    Wrong("exact-no-webp", WHOLE, "exact colours that are no WebP", payload(lambda old: old[:4] + b"JUNK" + old[8:])),
    Wrong("exact-size", WHOLE, "exact colours of another size", bytes_of(lambda p: p.with_field("width", 27))),
    Wrong("exact-alpha", WHOLE, "exact colours with alpha of their own",
          payload(lambda old: old[:28] + bytes([old[28] | 16]) + old[29:])),
    Wrong("joint-twice", JOINT, "alpha apart and with the colours", other_alpha(40, 64)),
    Wrong("exact-range-coded", WHOLE, "a range-coded part without a model", payload(lambda old: old + b"\1")),
    Wrong("exact-index-crc", WHOLE, "the CRC of indices without a model", row(indices_crc=1)),
    Wrong("exact-no-model", PARTLY, "no model, and squares that are not exact", field("model", bytes(8))),
]  # fmt: skip

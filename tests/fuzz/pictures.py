"""Mutations of picture files from a random source, and one input through everything that reads and codes a picture."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from random import Random
from unittest import mock

from picture_files import files, world, written

from latticecodec import Codec, LcqError, load
from latticecodec.picture import Pixels, pixels, read_file, stripped, to_pillow, upright

from .hostile import INTERESTING, exif, scrambled
from .mutations import bits, edits, end, splice
from .target import CONFORMANCE

SIZE = 1 << 16  # pixels of a picture that is read; more is an ImageError here
CODED = 1 << 11  # pixels of a picture that is coded
PNG = b"\x89PNG\r\n\x1a\n"


@cache
def codec() -> Codec:
    """The smallest model."""
    return load(CONFORMANCE / "models" / "lattice", "cpu")


@cache
def seeds() -> list[bytes]:
    """A file of every format, and of some kinds of it."""
    return list(files().values())


def mutate(data: bytes, random: Random) -> tuple[str, bytes]:
    """The kind of mutation and the mutated file; kinds in REPAIRED have right checksums."""
    (kind,) = random.choices(list(WEIGHTS), list(WEIGHTS.values()))
    if len(data) < 2 or (kind in REPAIRED and not data.startswith(PNG)):
        data = random.choice([seed for seed in seeds() if seed.startswith(PNG)])
    return kind, KINDS[kind](data, random.choice(seeds()), random)


def number(data: bytes, other: bytes, random: Random) -> bytes:
    """One to three numbers of 1 to 4 bytes, mostly among the first bytes, replaced by interesting ones."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 3)):
        size, order = random.choice((1, 2, 4)), random.choice(("little", "big"))
        value = random.choice((*INTERESTING, (1 << 8 * size) - 1, 1 << 8 * size - 1)) % (1 << 8 * size)
        reach = len(data) if random.random() < 0.5 else min(64, len(data))
        at = random.randrange(max(1, reach - size))
        changed[at : at + size] = value.to_bytes(size, order)  # type: ignore[arg-type]
    return bytes(changed)


def chunk(data: bytes, other: bytes, random: Random) -> bytes:
    """A chunk of a PNG file changed, doubled, dropped or moved; checksums are right."""
    chunks, at = [], len(PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    for _ in range(random.randint(1, 2)):
        place = random.randrange(len(chunks) + 1)
        kind, body = chunks[place] if place < len(chunks) else (b"eXIf", exif(random))
        changed = random.choice(
            ([], 2 * [(kind, body)], [(kind, scrambled(body, random))], [(kind, number(body + bytes(5), b"", random))])
        )
        chunks[place : place + 1] = changed
        if random.random() < 0.2:
            random.shuffle(chunks)
    return PNG + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def metadata(data: bytes, other: bytes, random: Random) -> bytes:
    """A sound file with EXIF data that no camera wrote."""
    picture = read_file(io.BytesIO(files()["PNG"]), "seed")
    return written(
        Pixels(picture.colour, exif=exif(random), xmp=scrambled(XMP, random)), random.choice((".png", ".jpg", ".webp"))
    )


XMP = b'<x xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="1"><exif:GPSLongitude>2</exif:GPSLongitude></x>'
KINDS: dict[str, Callable[[bytes, bytes, Random], bytes]] = {
    "bits": bits, "end": end, "bytes": edits, "splice": splice, "number": number, "chunk": chunk, "metadata": metadata,
}  # fmt: skip
REPAIRED = {"chunk"}
WEIGHTS = {"bits": 250, "end": 70, "bytes": 250, "splice": 70, "number": 250, "chunk": 80, "metadata": 30}


def outcome(data: bytes) -> str:
    """The name of the error that a file gives, or "picture", which has then been coded.

    Raises AssertionError for an error of several lines, and where anything of the process has changed or a program was
    started; anything but LcqError passes through.
    """
    before = world()
    try:
        with mock.patch.object(pixels, "PIXELS_MAX", SIZE):
            picture = read_file(io.BytesIO(data), "input")
        picture = stripped(upright(picture) if data[-1] & 1 else picture, ("all", "gps", None)[len(data) % 3])
        to_pillow(picture)
        if picture.width * picture.height <= CODED:
            codec().encode(picture, effort=0)
        return "picture"
    except LcqError as error:
        message = str(error)
        assert message.removeprefix("input: ").strip(), "an error says nothing"
        assert "\n" not in message, "an error of several lines"
        return type(error).__name__
    finally:
        assert world() == before, "the process has changed"

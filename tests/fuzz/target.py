"""One input through everything that reads a file: what comes of it, or what should not."""

import contextlib
import io
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np
from lcq_parts import Parts

from latticecodec import Codec, Damage, FormatError, Header, LcqError, OutputError, container, load
from latticecodec.entropy import integer
from latticecodec.picture import Pixels, save, to_pillow, upright
from latticecodec.picture.formats import suffixes_written

CONFORMANCE = Path(__file__).parent.parent / "conformance"
PIXELS = 1 << 14  # of a picture that is decoded; more is a LimitError here
SEED_BYTES = 2_000  # of a file to mutate


@cache
def codecs() -> dict[bytes, Codec]:
    """The conformance models, by digest."""
    loaded = [load(folder, "cpu") for folder in sorted((CONFORMANCE / "models").iterdir())]
    return {codec.digest: codec for codec in loaded}


def seeds() -> list[bytes]:
    """The conformance files that are small enough."""
    files = [path.read_bytes() for path in sorted((CONFORMANCE / "files").glob("*.lcq"))]
    found = []
    for data in files:
        header = container.read_header(data)
        if len(data) <= SEED_BYTES and header.width * header.height <= PIXELS:
            found.append(data)
    return found


def outcome(data: bytes) -> str:
    """The name of the error that a file gives, or "picture".

    How it is read (whole, a region, past damage; symbols predicted by numpy or, as of large pictures, by an engine) and
    as what it is written follows from its CRC. Raises AssertionError for a picture that is not as announced or an error
    of several lines; anything but LcqError passes through.
    """
    try:
        header = container.read_header(data, PIXELS)
        codec = codecs().get(header.model) or next(iter(codecs().values()))
        choice = zlib.crc32(data)
        region = _region(header, choice)
        damaged: list[Damage] = []
        recover = damaged.append if choice >> 4 & 15 == 0 else None
        with mock.patch.object(integer, "LARGE", 1 if choice >> 28 & 1 else integer.LARGE):
            pixels = codec.decode_pixels(data, region, recover)
        _check(pixels, header, region)
        if not damaged:
            kinds = sorted(suffixes_written())
            _write(pixels, kinds[(choice >> 8) % len(kinds)])
    except LcqError as error:
        message = str(error)
        assert message, "an error says nothing"
        assert "\n" not in message, "an error of several lines"
        return type(error).__name__
    return "picture, damaged" if damaged else "picture"


def _region(header: Header, choice: int) -> tuple[int, int, int, int] | None:
    """A part of the picture, for one file in four."""
    if choice & 3:
        return None
    left, top = (choice >> 12) % header.width, (choice >> 20) % header.height
    return left, top, 1 + (choice >> 3) % (header.width - left), 1 + (choice >> 7) % (header.height - top)


def _check(pixels: Pixels, header: Header, region: tuple[int, int, int, int] | None) -> None:
    width, height = (header.width, header.height) if region is None else region[2:]
    dtype = np.uint8 if header.bit_depth == 8 else np.uint16
    assert pixels.colour.shape == (height, width, header.colours)
    assert pixels.colour.dtype == dtype
    assert (pixels.alpha is not None) == header.alpha
    assert pixels.alpha is None or (pixels.alpha.shape, pixels.alpha.dtype) == ((height, width), dtype)
    told = (header.icc, header.exif, header.xmp, header.cicp)
    assert (pixels.icc, pixels.exif, pixels.xmp, pixels.cicp) == told


def _write(pixels: Pixels, suffix: str) -> None:
    """As a PIL image, turned upright, and as a file, which may have no room for it."""
    assert to_pillow(pixels).size == (pixels.width, pixels.height)
    upright(pixels)
    with contextlib.suppress(OutputError):
        save(pixels, suffix, io.BytesIO())


def index_crc(file: Parts) -> Parts:
    """The file with index CRCs that fit its payloads, where they decode to anything."""
    data = file.data()
    try:
        reader = container.Reader(data, PIXELS)
        codec = codecs()[reader.header.model]
        rate = codec.kind.rates.of_scale(reader.header.scale)
        for number, tile in enumerate(file.tiles):
            box, payload = reader.header.box(number), reader.tile(number).payload
            if not payload.strip(b"\0") and not reader.header.squares.any(box, exact=False):
                continue
            size = -(-box.height // 16), -(-box.width // 16)
            crc = zlib.crc32(codec.kind.decode(payload, rate, *size).astype("<i4").tobytes())
            file = file.with_tile(number, replace(tile, indices_crc=crc))
    except (FormatError, KeyError):
        pass
    return file

"""Code points in the boxes of AVIF: those of the primary picture count, and damage tells nothing."""

import struct

import imagecodecs
import numpy as np
import pytest
from picture_examples import P3, PQ, example, opened

from latticecodec.picture.formats import nclx


def box(kind: bytes, body: bytes, version: int | None = None, flags: int = 0) -> bytes:
    """A box, with version and flags where it is one that has them."""
    full = b"" if version is None else struct.pack(">I", version << 24 | flags)
    return struct.pack(">I4s", 8 + len(full + body), kind) + full + body


def of_two_pictures(primary: int, version: int, wide: bool) -> bytes:
    """A file whose pictures 1 and 2 have one property before the colours, and colours of P3 and of PQ."""
    number, place = ">I" if version else ">H", ">H" if wide else ">B"
    colours = [box(b"colr", struct.pack(">4sHHHB", b"nclx", *code[:2], 6, 128)) for code in (P3, PQ)]
    essential = 0x8000 if wide else 0x80
    rows = [
        struct.pack(number, 1 + picture) + b"\2" + struct.pack(place, 1) + struct.pack(place, essential | 2 + picture)
        for picture in (0, 1)
    ]
    properties = box(b"ipco", box(b"ispe", bytes(12)) + b"".join(colours))
    properties += box(b"ipma", struct.pack(">I", 2) + b"".join(rows), version, int(wide))
    meta = box(b"pitm", struct.pack(number, primary), version) + box(b"iprp", properties)
    return box(b"ftyp", b"avif" + bytes(4)) + box(b"meta", meta, 0) + box(b"mdat", b"pixels")


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("version", [0, 1])
def test_the_colours_of_the_primary_picture_count(version: int, wide: bool) -> None:
    for primary, cicp in ((1, P3), (2, PQ), (3, None)):
        assert nclx.read(of_two_pictures(primary, version, wide)) == cicp


def test_damaged_boxes_tell_nothing() -> None:
    data = of_two_pictures(2, 0, False)
    for end in range(len(data)):
        assert nclx.read(data[:end]) in (None, PQ)
    for at in range(len(data)):
        for value in (0, 1, 0x7F, 0xFF):
            nclx.read(data[:at] + bytes([value]) + data[at + 1 :])


def test_alpha_has_no_say() -> None:
    stacked = np.dstack([example(4, 8).colour, example(4, 8).alpha])
    pixels = opened(imagecodecs.avif_encode(stacked, level=100, primaries=12, transfer=13, matrix=6))
    assert (pixels.cicp, pixels.channels) == (P3, 4)
    assert np.array_equal(pixels.alpha, stacked[:, :, 3])

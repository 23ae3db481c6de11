"""Pictures that somebody hostile made: limits are asked before anything is decoded, whatever a file says first."""

import io
import struct
from itertools import pairwise

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from latticecodec import ImageError
from latticecodec.container import Cicp
from latticecodec.picture import read
from latticecodec.picture.formats import ico, jxl, nclx


def box(kind: bytes, body: bytes) -> bytes:
    """A box of a JPEG XL file."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def in_boxes(parts: list[bytes]) -> bytes:
    """A JPEG XL file whose codestream is in so many parts."""
    boxes = [box(b"jxlp", struct.pack(">I", number) + part) for number, part in enumerate(parts)]
    return b"".join([b"\0\0\0\x0cJXL \r\n\x87\n", box(b"ftyp", b"jxl \0\0\0\0jxl "), *boxes])


@pytest.mark.parametrize("cuts", [(0,), (1,), (2,), (3, 4, 5), (0, 0, 2, 7), tuple(range(1, 40))])
def test_the_size_of_a_jpeg_xl_file_is_put_together_of_its_boxes(cuts: tuple[int, ...]) -> None:
    data = imagecodecs.jpegxl_encode(np.zeros((3000, 70), np.uint8), effort=1, usecontainer=False)
    ends = (0, *cuts, len(data))
    parts = [data[begin:end] for begin, end in pairwise(ends)]
    assert jxl.header(in_boxes(parts)) == (70, 3000, False)


@pytest.mark.parametrize(
    "boxes",
    [b"", box(b"jxlp", b"\0"), box(b"jxlp", b"\0\0\0\0ab"), struct.pack(">I4sQ", 1, b"jxlc", 9), b"\0\0\0\4jxlc"],
    ids=["none", "short", "no codestream", "long", "shorter than its head"],
)
def test_boxes_of_jpeg_xl_without_a_size_are_damage(boxes: bytes) -> None:
    with pytest.raises(struct.error):
        jxl.header(in_boxes([]) + boxes)


def icon(kind: str, side: int, said: int = 16) -> bytes:
    """An ICO file whose list says another size than its picture has."""
    file = io.BytesIO()
    Image.new("L", (side, side), 7).save(file, kind)
    data = file.getvalue()
    if kind == "DIB":  # with a mask above
        data = data[:8] + struct.pack("<i", 2 * side) + data[12:] + bytes(-(-side // 32) * 4 * side)
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, said, said, 0, 0, 1, 8, len(data), 22) + data


@pytest.mark.parametrize("kind", ["PNG", "DIB"])
def test_an_icon_is_measured_before_it_is_decoded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(icon(kind, 32, said=32), max_pixels=1024).colour.shape[:2] == (32, 32)
    monkeypatch.setattr("PIL.IcoImagePlugin.IcoImageFile.load", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(ImageError, match=r"300x300 pixels: over the limit of 1,000 that was asked for"):
        read(icon(kind, 300), max_pixels=1000)
    assert ico.FORMAT.begins.match(icon(kind, 8))


def test_no_property_is_none_of_the_last_ones() -> None:
    """A picture that says it has property 0 has none, whatever the file lists."""
    colr = box(b"colr", b"nclx" + struct.pack(">HHHB", 12, 13, 0, 0x80))

    def code_points(numbers: bytes) -> object:
        associated = struct.pack(">IIHB", 0, 1, 7, len(numbers)) + numbers
        properties = box(b"iprp", box(b"ipco", colr) + box(b"ipma", associated))
        return nclx.read(box(b"meta", bytes(4) + box(b"pitm", struct.pack(">IH", 0, 7)) + properties))

    assert code_points(b"\1") == Cicp(12, 13)
    assert code_points(b"\0") is None

"""EXIF data as tags of TIFF files: what is there, what is told to have no place or to be damaged."""

import struct
from dataclasses import replace

import pytest
from picture_examples import example, exif, through
from PIL import Image
from test_picture_metadata import all_tags, described

from latticecodec.picture.metadata import PREFIX


def rare(*tags: int) -> bytes:
    """An EXIF block of tags that few programs write, and the one that nearly all cameras do, of how JPEG lies."""
    block = Image.Exif()
    block[531] = 1
    block.update(dict.fromkeys(tags, "text"))
    return block.tobytes().removeprefix(PREFIX)


def test_exif_of_rare_tags_alone_is_not_damaged() -> None:
    back, notes = through(replace(example(3, 8), exif=rare(50706)), ".avif")
    assert (back.exif, notes) == (rare(50706), [])
    back, notes = through(replace(example(3, 8), exif=rare(269, 50706)), ".tif")
    assert set(all_tags(rare(269, 50706))) - set(all_tags(back.exif)) == {531, 50706}
    assert notes == ["TIFF has no place for tag 50706 of EXIF; left out"]
    back, notes = through(replace(example(3, 8), exif=rare(1000, 50706)), ".tif")
    assert (back.exif, notes) == (None, ["TIFF has no place for tags 1000, 50706 of EXIF; left out"])


@pytest.mark.parametrize(("tag", "value"), [(274, 0), (274, 9), (296, 0), (296, 7)])
def test_what_means_nothing_is_left_out_of_tiff(tag: int, value: int, capfd: pytest.CaptureFixture[str]) -> None:
    """An orientation, or the unit of a resolution, without which its numbers tell nothing."""
    block = Image.Exif()
    block.load(exif(1))
    block[tag] = value
    back, notes = through(replace(example(3, 8), exif=block.tobytes().removeprefix(PREFIX)), ".tif")
    lost = {274} if tag == 274 else {282, 296}
    assert set(all_tags(block.tobytes())) - set(all_tags(back.exif)) == lost
    assert notes == []
    assert capfd.readouterr().err == ""


def entries(*entries: tuple[int, int, int, bytes]) -> bytes:
    """An EXIF block of entries of tag, type, count and four bytes each."""
    told = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + told + bytes(4)


MAKE = (271, 2, 4, b"abc\0")


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ((531, 1, 1, bytes(4)), ""),
        ((259, 2, 4, b"abc\0"), ""),
        ((282, 1, 1, bytes(4)), "282"),
        ((306, 11, 1, bytes(4)), "306"),
        ((272, 2, 9, b"\xff\xff\0\0"), "272"),  # outside
        ((34665, 4, 1, b"\xff\xff\0\0"), "34665"),
    ],
)
def test_one_damaged_tag_takes_no_others_along(odd: tuple[int, int, int, bytes], told: str) -> None:
    block = entries(*sorted([MAKE, odd]))
    back, notes = through(replace(example(3, 8), exif=block), ".avif")
    assert (back.exif, notes) == (block, [])
    back, notes = through(replace(example(3, 8), exif=block), ".tif")
    assert notes == ([f"TIFF holds no damaged EXIF data; tag {told} left out"] if told else [])
    assert set(all_tags(back.exif)) == {271, 34665, 34853}


def test_a_block_that_is_cut_short_or_none_is_told() -> None:
    block = entries(MAKE, (305, 2, 4, b"abc\0"))
    back, notes = through(replace(example(3, 8), exif=block[:-8]), ".tif")
    assert (all_tags(back.exif)[271], notes) == ("abc", ["TIFF holds no damaged EXIF data; some of them left out"])
    back, notes = through(replace(example(3, 8), exif=b"nonsense"), ".tif")
    assert (back.exif, notes) == (None, ["TIFF holds no damaged EXIF data; left out"])


@pytest.mark.parametrize(("kind", "expected"), [(1, 6), (3, 6), (4, 6), (8, None)])
def test_an_orientation_is_the_same_in_tiff(kind: int, expected: int | None) -> None:
    """Of a type of natural numbers; of another it is none, here and there."""
    block = entries(MAKE, (274, kind, 1, b"\6\0\0\0"))
    assert all_tags(through(replace(described(), exif=block), ".tif")[0].exif).get(274) == expected


@pytest.mark.parametrize("text", ["© Zoë".encode(), "© Zoë".encode("latin-1")], ids=["UTF-8", "Latin-1"])
def test_text_stays_byte_for_byte(text: bytes) -> None:
    """In both directions, in the first directory and in others."""
    block = Image.Exif()
    block.endian = "<"  # as TIFF files are written
    block[33432] = block.get_ifd(34665)[42032] = "0" * len(text)  # copyright, owner of the camera
    told = block.tobytes().removeprefix(PREFIX).replace(b"0" * len(text), text)
    back, notes = through(replace(example(3, 8), exif=told), ".tif")
    assert (back.exif, notes) == (told, [])

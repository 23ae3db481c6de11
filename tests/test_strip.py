"""What is left of metadata that its owner does not want to give away."""

import re
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_examples import EXIF_DIRECTORY, GPS_DIRECTORY, ICC, XMP, example, exif, same
from picture_files import described, written
from PIL import Image

import latticecodec
from latticecodec import ImageError, TargetError
from latticecodec.bulk import Task, compress
from latticecodec.picture import metadata, read, stripped, upright

EXPOSURE, TAKEN, MAKER = 0x829A, 0x9003, 0x010F
RDF = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 <rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
   dc:format="image/jpeg"%s exif:ExposureTime="1/200">%s<dc:title>GPS at home</dc:title></rdf:Description>
</rdf:RDF></x:xmpmeta>"""


def tags(block: bytes | None) -> Image.Exif:
    """The EXIF block as Pillow reads it."""
    found = Image.Exif()
    found.load(block or b"")
    return found


def test_all_leaves_the_profile_and_turns_the_picture() -> None:
    pixels = described(4)
    without = stripped(pixels, "all")
    assert (without.icc, without.exif, without.xmp) == (ICC, None, None)
    assert same(without, upright(pixels))
    assert (without.width, without.height) == (pixels.height, pixels.width)


def test_nothing_is_stripped_where_nobody_asks() -> None:
    pixels = described()
    assert stripped(pixels, None) is pixels
    plain = example(3, 8)
    assert same(stripped(plain, "gps"), plain)
    assert stripped(plain, "gps").notes == ()


@pytest.mark.parametrize("what", ["icc", ["all"], True, ""])
def test_what_cannot_be_stripped_is_refused_first(what: Any) -> None:
    """Before a model or a picture is looked for, and as any other option."""
    calls: list[Callable[[], object]] = [
        lambda: latticecodec.encode("no such picture", "no such model", strip=what),
        lambda: Task("compress", strip=what),
        lambda: compress(None, model="no such model", strip=what),  # type: ignore[arg-type]
        lambda: stripped(described(), what),
    ]
    for call in calls:
        with pytest.raises(TargetError, match=rf"^unknown strip {re.escape(repr(what))}; choose from all, gps$"):
            call()


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_place_in_exif_goes_and_all_else_stays(order: str) -> None:
    block = Image.Exif()
    block.endian = order
    block[MAKER], block[0x0112] = "Maker", 6
    block.get_ifd(EXIF_DIRECTORY).update({TAKEN: "2024:02:29 12:00:00", EXPOSURE: 0.005})
    block.get_ifd(GPS_DIRECTORY).update({1: "N", 2: (48.0, 12.0, 30.5), 3: "E", 4: (11.0, 34.0, 7.25)})
    whole = block.tobytes().removeprefix(b"Exif\0\0")
    before = replace(example(3, 8), exif=whole)
    after = stripped(before, "gps")
    found = tags(after.exif)
    assert GPS_DIRECTORY not in found
    assert (found[MAKER], found[0x0112]) == ("Maker", 6)
    assert dict(found.get_ifd(EXIF_DIRECTORY)) == dict(tags(whole).get_ifd(EXIF_DIRECTORY))
    assert len(after.exif or b"") == len(whole)  # nothing moved
    latitude = struct.pack(order + "6I", 48, 1, 12, 1, 61, 2)
    assert latitude in whole
    assert latitude not in (after.exif or b"")
    assert same(after, before)  # not turned
    assert after.notes == ()
    assert stripped(after, "gps").exif == after.exif


def test_a_place_with_all_that_exif_has_for_it_goes() -> None:
    """32 tags, which is as many as EXIF has, and nothing of the rest."""
    block = tags(exif())
    block.get_ifd(GPS_DIRECTORY).update({1000 + tag: f"place {tag}" for tag in range(31)})
    after = stripped(replace(example(3, 8), exif=block.tobytes().removeprefix(b"Exif\0\0")), "gps")
    assert after.notes == ()
    assert b"place" not in (after.exif or b"")
    assert tags(after.exif)[MAKER] == "Maker"


def test_the_place_in_the_second_directory_goes_too() -> None:
    entry = struct.pack("<HHII", GPS_DIRECTORY, 4, 1, 50)
    other = struct.pack("<HHI4s", MAKER, 2, 4, b"abc\0")
    block = b"II*\0" + struct.pack("<I", 8)
    block += struct.pack("<H", 1) + other + struct.pack("<I", 26)
    block += struct.pack("<H", 1) + entry + struct.pack("<I", 0) + bytes(6)  # the directory at 26
    block += struct.pack("<H", 1) + struct.pack("<HHI4s", 1, 2, 2, b"N\0\0\0") + struct.pack("<I", 0)
    after = stripped(replace(example(3, 8), exif=block), "gps").exif
    assert after == block[:26] + bytes(len(block) - 26)
    assert tags(after)[MAKER] == "abc"


def test_what_cameras_leave_behind_the_last_directory_is_no_damage() -> None:
    block = bytearray(exif())
    end = 8 + 2 + 12 * int.from_bytes(block[8:10], "big")
    block[end : end + 4] = b"\x7f\xff\xff\xff"
    after = stripped(replace(example(3, 8), exif=bytes(block)), "gps")
    assert tags(after.exif)[MAKER] == "Maker"
    assert GPS_DIRECTORY not in tags(after.exif)
    assert after.notes == ()


@pytest.mark.parametrize("block", [b"nonsense", exif()[:40], exif()[:-60], b"II*\0\xff\xff\xff\xff"])
def test_damaged_exif_may_hide_a_place_and_goes_as_a_whole(block: bytes) -> None:
    after = stripped(replace(example(3, 8), exif=block), "gps")
    assert after.exif is None
    assert after.notes == ("its EXIF data is damaged and may hide a place; all of it is left out",)


@pytest.mark.parametrize(
    ("attributes", "elements"),
    [
        (b' exif:GPSLatitude="48,12.5N" exif:GPSLongitude=\'11,34E\'', b""),
        (b"", b"<exif:GPSLatitude>48,12.5N</exif:GPSLatitude>\n<exif:GPSVersionID>2.3.0.0</exif:GPSVersionID >"),
        (b"", b'<exif:GPSAltitude rdf:resource="5/1"/>'),
        (b"", b"<exif:GPSMapDatum><rdf:Bag><rdf:li>x</rdf:li></rdf:Bag></exif:GPSMapDatum>"),
        (b' drone-dji:GpsLatitude="+48.2"', b"<drone-dji:GpsLongtitude>+11.5</drone-dji:GpsLongtitude>"),
    ],
)  # fmt: skip
def test_the_place_in_xmp_goes_and_all_else_stays(attributes: bytes, elements: bytes) -> None:
    after = stripped(replace(example(3, 8), xmp=RDF % (attributes, elements)), "gps")
    assert after.xmp == RDF % (b"", b"")
    assert after.notes == ()


UNENDED = RDF % (b"", b"<exif:GPSLatitude>48")
WIDE = (RDF % (b"", b"<exif:GPSLatitude>48</exif:GPSLatitude>")).decode().encode("utf-16-be")


ENDLESS = RDF % (b"", 50_000 * b"<exif:GPSLatitude>")  # which must not take time either


@pytest.mark.parametrize("xmp", [UNENDED, WIDE, ENDLESS], ids=["unended", "wide", "endless"])
def test_xmp_that_cannot_be_taken_apart_goes_as_a_whole(xmp: bytes) -> None:
    after = stripped(replace(example(3, 8), xmp=xmp), "gps")
    assert after.xmp is None
    assert after.notes == ("its XMP hides a place in a way that cannot be taken apart; all of it is left out",)


HOSTILE = RDF % (b" ", b"".join([b"<a:gpsx>" * 900, b" " * (1 << 20)]))


def test_stripping_takes_time_by_length_alone() -> None:
    """900 elements without an end, each of which a search for its end would read to the last of a million bytes."""
    began = time.process_time()
    assert stripped(replace(example(3, 8), xmp=HOSTILE), "gps").xmp is None
    assert time.process_time() - began < 1


def test_metadata_that_no_file_holds_is_refused_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless all of it is to go."""
    monkeypatch.setattr(metadata, "METADATA_MAX", 100)
    large = replace(example(3, 8), xmp=bytes(101), exif=None, icc=None)
    told = "the picture has 101 bytes of XMP metadata, and a file holds 100; `strip` all leaves it out"
    for strip in (None, "gps"):
        with pytest.raises(ImageError, match=told):
            latticecodec.encode(large, lossless=True, strip=strip)
    assert latticecodec.read_header(latticecodec.encode(large, lossless=True, strip="all")).xmp is None
    with pytest.raises(ImageError, match=r"101 bytes of ICC metadata.*; convert it to sRGB, without a profile"):
        latticecodec.encode(replace(large, xmp=None, icc=bytes(101)), lossless=True)


def test_encode_strips(tmp_path: Path, tiny_model: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(written(described(), ".jpg"))
    picture = tmp_path / "photo.jpg"
    headers = {
        strip: latticecodec.read_header(latticecodec.encode(picture, tiny_model, effort=0, device="cpu", strip=strip))
        for strip in (None, "all", "gps")
    }
    assert (headers[None].exif, headers[None].xmp) == (exif(), XMP)
    assert (headers["all"].icc, headers["all"].exif, headers["all"].xmp) == (ICC, None, None)
    assert (headers["all"].width, headers["all"].height) == (16, 24)  # turned upright
    assert GPS_DIRECTORY not in tags(headers["gps"].exif)
    assert tags(headers["gps"].exif)[MAKER] == "Maker"
    assert np.array_equal(read(picture).colour, stripped(read(picture), "gps").colour)

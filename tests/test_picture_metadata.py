"""ICC, EXIF and XMP byte for byte through files; orientation, which is kept and not applied."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from picture_examples import EXIF_DIRECTORY, GPS_DIRECTORY, ICC, ORIENTATION, XMP, example, exif, same, through
from PIL import Image, ImageOps

from latticecodec.evaluation.pictures import read as evaluated
from latticecodec.picture import Pixels, read, save, to_pillow, upright

KINDS = [(channels, depth) for channels in (1, 2, 3, 4) for depth in (8, 16)]
PREFIX = b"Exif\0\0"  # of JPEG


def described(channels: int = 3, depth: int = 8, orientation: int = 6) -> Pixels:
    """An example with all metadata."""
    return replace(example(channels, depth), icc=ICC, exif=exif(orientation), xmp=XMP)


def all_tags(block: bytes | None) -> dict[object, object]:
    """The values of an EXIF block, whatever their order and byte order."""
    tags = Image.Exif()
    tags.load(block or b"")
    own: dict[object, object] = {tag: tags[tag] for tag in tags if tag not in (EXIF_DIRECTORY, GPS_DIRECTORY)}
    return own | {tag: dict(tags.get_ifd(tag)) for tag in (EXIF_DIRECTORY, GPS_DIRECTORY)}


@pytest.mark.parametrize(("channels", "depth"), KINDS)
def test_png_keeps_metadata_byte_for_byte(channels: int, depth: int) -> None:
    pixels = described(channels, depth)
    back, notes = through(pixels, ".png")
    assert (back.icc, back.exif, back.xmp) == (ICC, exif(), XMP)
    assert same(pixels, back)
    assert notes == []


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_jpeg_and_webp_keep_metadata_byte_for_byte(suffix: str) -> None:
    back, notes = through(described(), suffix)
    assert (back.icc, back.exif, back.xmp) == (ICC, exif(), XMP)
    assert (back.width, back.height) == (9, 6)  # not turned
    assert notes == []


@pytest.mark.parametrize(("channels", "depth"), KINDS)
def test_tiff_keeps_profiles_byte_for_byte_and_exif_by_value(channels: int, depth: int) -> None:
    pixels = described(channels, depth)
    back, notes = through(pixels, ".tif")
    assert (back.icc, back.xmp) == (ICC, XMP)
    assert all_tags(back.exif) == all_tags(exif())
    assert len(all_tags(back.exif)[GPS_DIRECTORY]) == 1  # type: ignore[arg-type]
    assert same(pixels, back)  # Pillow turns TIFF files upright; here they are not
    assert notes == []
    assert through(back, ".tif")[0].exif == back.exif


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_a_picture_without_metadata_stays_without(suffix: str) -> None:
    back, _ = through(example(3, 8), suffix)
    assert (back.icc, back.exif, back.xmp) == (None, None, None)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("depth", [8, 16])
def test_tiff_of_every_orientation_is_read_as_it_lies(orientation: int, depth: int) -> None:
    pixels = described(3, depth, orientation)
    assert same(pixels, through(pixels, ".tif")[0])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_files_of_pillow(suffix: str, tmp_path: Path) -> None:
    path, block = tmp_path / f"of-pillow{suffix}", Image.Exif()
    block.load(exif())
    to_pillow(example(3, 8)).save(path, exif=block, icc_profile=ICC)
    pixels = read(path)
    assert pixels.icc == ICC
    assert pixels.exif is not None
    assert not pixels.exif.startswith(PREFIX)
    assert all_tags(pixels.exif) == all_tags(exif())
    assert (pixels.width, pixels.height) == (9, 6)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_pillow_reads_what_is_written(suffix: str) -> None:
    file = io.BytesIO()
    save(described(), suffix, file)
    image = Image.open(file)
    assert image.getexif()[ORIENTATION] == 6
    assert image.info["icc_profile"] == ICC
    assert image.info["xmp"] == XMP


def test_pillow_images_carry_metadata() -> None:
    image = to_pillow(described())
    assert (image.info["icc_profile"], image.info["exif"], image.info["xmp"]) == (ICC, b"Exif\0\0" + exif(), XMP)
    pixels = read(image)
    assert (pixels.icc, pixels.exif, pixels.xmp) == (ICC, exif(), XMP)


def test_pictures_are_measured_as_they_lie(tmp_path: Path) -> None:
    with open(tmp_path / "turned.png", "wb") as file:
        save(described(), ".png", file)
    image = evaluated(tmp_path / "turned.png")
    assert image.size == (9, 6)
    assert image.info == {}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_is_what_pillow_does(orientation: int) -> None:
    pixels = described(4, 8, orientation)
    image = ImageOps.exif_transpose(to_pillow(pixels))
    turned = upright(pixels)
    assert np.array_equal(np.dstack([turned.colour, turned.alpha]), np.asarray(image))
    assert turned.exif is None


@pytest.mark.parametrize("suffix", [".bmp", ".ppm"])
def test_formats_without_exif_get_the_picture_upright(suffix: str) -> None:
    pixels = described()
    back, notes = through(pixels, suffix)
    assert same(back, upright(pixels))
    assert back.exif is None
    assert (back.width, back.height) == (6, 9)
    assert notes == [f"{suffix[1:].upper()} holds no metadata; ICC and EXIF and XMP left out"]


def test_metadata_that_is_too_long_for_jpeg() -> None:
    pixels = replace(described(), exif=exif() + bytes(70_000), xmp=XMP * 1000)
    back, notes = through(pixels, ".jpg")
    assert (back.icc, back.exif, back.xmp) == (ICC, None, None)
    assert (back.width, back.height) == (6, 9)  # without EXIF, so upright
    assert [note.split(";")[0] for note in notes] == [
        "JPEG holds 65,527 bytes of EXIF",
        "JPEG holds 65,504 bytes of XMP",
    ]
    assert through(replace(pixels, xmp=None), ".png")[0].exif == pixels.exif


@pytest.mark.parametrize("block", [b"nonsense", b"II*\0\xff\xff\xff\xff", b"MM\0*", exif()[:40], b"\0"])
def test_damaged_exif_is_carried_and_hurts_nothing(block: bytes) -> None:
    pixels = replace(example(3, 8), exif=block)
    assert through(pixels, ".png")[0].exif == block
    assert same(through(pixels, ".tif")[0], pixels)
    assert same(through(pixels, ".bmp")[0], pixels)

"""ICC, EXIF and XMP byte for byte through files; orientation, which is kept and not applied."""

import io
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from picture_examples import EXIF_DIRECTORY, GPS_DIRECTORY, ICC, ORIENTATION, XMP, example, exif, same, through
from picture_files import psd
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from latticecodec.lab.evaluation.pictures import read as evaluated
from latticecodec.picture import Pixels, read, read_file, save, to_pillow, upright

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


def test_damaged_exif_of_a_jpeg_file_warns_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert through(replace(example(3, 8), exif=exif()[:60]), ".jpg")[0].exif == exif()[:60]


# ---- where other programs put it -------------------------------------------------------------------------------------


def raw_profile(kind: str, block: bytes) -> PngInfo:
    """A block as text of a PNG file, as ImageMagick writes it."""
    digits = "\n".join(block.hex()[at : at + 72] for at in range(0, 2 * len(block), 72))
    info = PngInfo()
    info.add_text(f"Raw profile type {kind}", f"\n{kind}\n{len(block):8}\n{digits}\n", zip=True)
    return info


@pytest.mark.parametrize(
    ("kind", "block", "expected"),
    [
        ("exif", PREFIX + exif(), (None, exif(), None)),
        ("APP1", PREFIX + exif(), (None, exif(), None)),
        ("APP1", b"http://ns.adobe.com/xap/1.0/\0" + XMP, (None, None, XMP)),
        ("xmp", XMP, (None, None, XMP)),
        ("icc", ICC, (ICC, None, None)),
    ],
)
def test_profiles_in_text_of_png_files(kind: str, block: bytes, expected: tuple[bytes | None, ...]) -> None:
    file = io.BytesIO()
    to_pillow(example(3, 8)).save(file, "PNG", pnginfo=raw_profile(kind, block))
    pixels = read_file(file, "x")
    assert (pixels.icc, pixels.exif, pixels.xmp) == expected


def test_a_profile_of_its_own_chunk_comes_before_one_in_text() -> None:
    file = io.BytesIO()
    to_pillow(example(3, 8)).save(file, "PNG", pnginfo=raw_profile("exif", PREFIX + exif(3)), exif=exif(6))
    assert read_file(file, "x").exif == exif(6)
    file = io.BytesIO()
    to_pillow(example(3, 8)).save(file, "PNG", pnginfo=raw_profile("exif", b""))
    assert read_file(file, "x").exif is None


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("tagged", [False, True])
def test_an_orientation_in_the_xmp_of_a_tiff_file_stays_there(depth: int, tagged: bool) -> None:
    xmp = XMP.replace(b"/>", b'><a xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></x:xmpmeta>')
    pixels = replace(example(3, depth), xmp=xmp, exif=exif(3) if tagged else None)
    back, _ = through(pixels, ".tif")
    assert same(back, pixels)
    assert back.xmp == xmp
    assert all_tags(back.exif) == all_tags(pixels.exif)
    assert (back.exif is None) is not tagged
    file = io.BytesIO()
    save(pixels, ".tif", file)
    assert same(read(Image.open(file)), pixels)  # not loaded yet
    assert read(Image.open(file)).xmp == xmp


def test_psd_files_have_metadata() -> None:
    pixels = read_file(io.BytesIO(psd(resources=((1039, ICC), (1058, exif()), (1060, XMP)))), "x")
    assert (pixels.icc, pixels.exif, pixels.xmp) == (ICC, exif(), XMP)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_avif_is_written_with_metadata(channels: int) -> None:
    pixels = described(channels)
    back, notes = through(pixels, ".avif")
    colour = np.broadcast_to(pixels.colour, back.colour.shape)
    assert np.abs(back.colour.astype(int) - colour).max() <= 3
    assert back.alpha is None if pixels.alpha is None else np.array_equal(back.alpha, pixels.alpha)
    assert (back.icc, back.xmp) == (ICC, XMP)
    assert all_tags(back.exif) == all_tags(pixels.exif)
    assert notes == []


def test_what_avif_cannot_hold_is_told() -> None:
    assert through(example(3, 16), ".avif")[1] == ["AVIF holds 8 bits a sample; 16 bits rounded to 8"]
    back, notes = through(replace(example(3, 8), exif=b"nonsense"), ".avif")
    assert back.exif is None
    assert notes == ["AVIF holds no damaged EXIF data; left out"]

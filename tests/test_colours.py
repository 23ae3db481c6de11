"""Colours mean what they meant: code points, gAMA and cHRM through files, the codec, and files again."""

import io
import struct
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from picture_examples import HLG, ICC, P3, PQ, example, opened, same, through
from picture_files import CHRM_P3, avif, png
from PIL import Image, ImageCms
from PIL.PngImagePlugin import putchunk

import latticecodec
import latticecodec.pillow
from latticecodec import Codec
from latticecodec.container import SRGB, Cicp
from latticecodec.picture import read, save, to_pillow
from latticecodec.picture.colours import CURVES, PRIMARIES, profile_of_code_points
from latticecodec.picture.profile import Curve, Primaries, rgb_profile

GAMMA_1, GAMMA_SRGB = (b"gAMA", struct.pack(">I", 100_000)), (b"gAMA", struct.pack(">I", 45_455))
PRIMARIES_P3 = (b"cHRM", struct.pack(">8I", *CHRM_P3))
PRIMARIES_SRGB = (b"cHRM", struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000))
LIGHT = {  # from samples of 0 to 1 to light
    "linear": lambda x: x,
    "2.2": lambda x: x**2.2,
    "srgb": lambda x: np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4),
}


def deep_png(kind: bytes, body: bytes) -> bytes:
    """A PNG file of 16 bits a sample with one more chunk."""
    data, chunk = imagecodecs.png_encode(example(3, 16).colour), io.BytesIO()
    putchunk(chunk, kind, body)
    return data[:33] + chunk.getvalue() + data[33:]


def shown(colour: NDArray[np.uint8], icc: bytes) -> NDArray[np.int64]:
    """What LittleCMS shows on an sRGB display; [H, W, 3]."""
    profile, display = ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB")
    return np.asarray(ImageCms.profileToProfile(Image.fromarray(colour), profile, display), np.int64)


def computed(colour: NDArray[np.uint8], light: str, points: tuple[float, ...]) -> NDArray[np.int64]:
    """The same by the definition of the chunks: to light, to the primaries of sRGB, of the same white, and back."""

    def to_xyz(points: tuple[float, ...]) -> NDArray[np.float64]:
        x, y = np.reshape(points, (4, 2)).T  # white, red, green, blue
        white, *corners = np.stack([x / y, np.ones(4), (1 - x - y) / y], 1)
        return np.transpose(corners) * np.linalg.solve(np.transpose(corners), white)  # [3, 3]

    linear = LIGHT[light](colour / 255) @ (np.linalg.inv(to_xyz(SRGB_POINTS)) @ to_xyz(points)).T
    clipped = linear.clip(0, 1)
    samples = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(255 * samples), np.int64)


SRGB_POINTS = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
P3_POINTS = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)


# ---- the list: a small file of every kind comes back with the same meaning ------------------------------------------


@pytest.mark.parametrize(
    ("chunks", "light", "points"),
    [
        ((GAMMA_1,), "linear", SRGB_POINTS),
        ((PRIMARIES_P3,), "srgb", P3_POINTS),
        ((GAMMA_SRGB, PRIMARIES_P3), "2.2", P3_POINTS),
        ((GAMMA_1, PRIMARIES_SRGB), "linear", SRGB_POINTS),
    ],
)
def test_gama_and_chrm_become_a_small_profile_that_says_the_same(
    tiny: Codec, chunks: tuple[tuple[bytes, bytes], ...], light: str, points: tuple[float, ...]
) -> None:
    back, notes = through(tiny.decode_pixels(tiny.encode(opened(png(*chunks)))), ".png")
    assert notes == []
    assert back.icc is not None
    assert len(back.icc) < 600
    assert np.abs(shown(back.colour, back.icc) - computed(back.colour, light, points)).max() <= 1


@pytest.mark.parametrize(
    ("data", "cicp", "depth"),
    [
        (png((b"cICP", bytes(P3))), P3, 8),
        (deep_png(b"cICP", bytes(PQ)), PQ, 16),
        (deep_png(b"cICP", bytes(HLG)), HLG, 16),
        (avif(8, *P3[:2]), P3, 8),
        (avif(10, *PQ[:2]), PQ, 16),
    ],
    ids=["PNG, P3", "PNG, PQ", "PNG, HLG", "AVIF, P3", "AVIF, PQ"],
)
def test_code_points_come_back(tiny: Codec, data: bytes, cicp: Cicp, depth: int) -> None:
    packed = tiny.encode(io.BytesIO(data))
    assert latticecodec.read_header(packed).cicp == cicp
    pixels = tiny.decode_pixels(packed)
    assert (pixels.cicp, pixels.icc, pixels.depth) == (cicp, None, depth)
    back, notes = through(pixels, ".png")
    assert (back.cicp, back.icc, back.depth, notes) == (cicp, None, depth, [])
    assert same(back, pixels)  # samples as they come
    again, notes = through(pixels, ".avif")
    assert (again.cicp, again.icc) == (cicp, None)
    assert len(notes) == (depth == 16)
    assert np.abs((pixels.colour >> depth - 8) - again.colour.astype(int)).max() <= 4


def test_sixteen_bits_and_pillow_images_have_the_same_profile() -> None:
    icc = opened(png(GAMMA_1)).icc
    assert icc is not None
    assert opened(deep_png(*GAMMA_1)).icc == icc
    with Image.open(io.BytesIO(png(GAMMA_1))) as picture:
        picture.load()
        assert read(picture).icc == icc


def test_code_points_of_heic() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    file, codes = io.BytesIO(), {"color_primaries": 9, "transfer_characteristics": 18, "matrix_coefficients": 9}
    pillow_heif.from_pillow(to_pillow(example(3, 8, height=64, width=64))).save(file, quality=50, **codes)
    assert opened(file.getvalue()).cicp == HLG


def test_other_programs_read_the_chunk_and_the_box() -> None:
    """Byte for byte what the specifications of PNG and of AVIF say, before the pixels."""
    pixels = replace(example(3, 8), cicp=PQ)
    for depth in (8, 16):
        file = io.BytesIO()
        save(replace(example(3, depth), cicp=PQ), ".png", file)
        assert file.getvalue().count(b"\0\0\0\4cICP\x09\x10\0\1") == 1
        assert file.getvalue().index(b"cICP") < file.getvalue().index(b"IDAT")
    file = io.BytesIO()
    save(pixels, ".avif", file)
    assert file.getvalue().count(b"\0\0\0\x13colrnclx\0\x09\0\x10\0\x06\x80") == 1


# ---- which of several counts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "chunks",
    [
        (),
        (GAMMA_SRGB,),
        (GAMMA_SRGB, PRIMARIES_SRGB),
        ((b"sRGB", b"\0"), GAMMA_1, PRIMARIES_P3),
        ((b"cICP", bytes(SRGB)), GAMMA_1, PRIMARIES_P3),
        ((b"cICP", bytes(SRGB)),),
        ((b"cICP", b"\2\2\0\1"),),  # both unspecified
        ((b"cICP", b"\x09\x10\x09\1"),),  # not of RGB
    ],
)
def test_srgb_takes_no_bytes(chunks: tuple[tuple[bytes, bytes], ...]) -> None:
    pixels = opened(png(*chunks))
    assert (pixels.icc, pixels.cicp, pixels.notes) == (None, None, ())


def test_a_profile_wins_over_gama_and_stays_beside_code_points() -> None:
    """Of a PNG file both come back, as whoever shows one takes the code points first; in AVIF the profile counts."""
    assert opened(png(GAMMA_1, icc=ICC)).icc == ICC
    both = opened(png((b"cICP", bytes(P3)), GAMMA_1, icc=ICC))
    assert (both.icc, both.cicp) == (ICC, P3)
    back, _ = through(both, ".png")
    assert (back.icc, back.cicp) == (ICC, P3)
    for suffix in (".avif", ".tif", ".jpg", ".webp"):
        back, notes = through(both, suffix)
        assert (back.icc, back.cicp, notes) == (ICC, None, [])


@pytest.mark.parametrize("body", [struct.pack(">I", 0), struct.pack(">I", 1)])
def test_numbers_that_make_no_colours_are_told(body: bytes) -> None:
    for chunk in ((b"gAMA", body), (b"cHRM", body * 8), (b"cHRM", PRIMARIES_P3[1][:8] + 3 * PRIMARIES_P3[1][8:16])):
        pixels = opened(png(chunk))
        assert pixels.icc is None
        assert pixels.notes == ("says a gamma or primaries that make no colours; they are taken for sRGB's",)


@pytest.mark.parametrize("channels", [1, 2])
def test_grey_has_a_grey_profile(channels: int) -> None:
    icc = opened(png(GAMMA_1, PRIMARIES_P3, channels=channels)).icc
    assert icc is not None
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    assert profile.profile.xcolor_space.strip() == "GRAY"
    half = Image.new("L", (1, 1), 128)
    display = ImageCms.createProfile("sRGB")
    assert ImageCms.profileToProfile(half, profile, display, outputMode="RGB").getpixel((0, 0)) == (188, 188, 188)
    assert opened(png(PRIMARIES_P3, channels=channels)).icc is None  # grey has no primaries


# ---- where files have no place for code points -----------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".webp"])
def test_elsewhere_a_profile_says_the_same(suffix: str) -> None:
    back, notes = through(replace(example(3, 8), cicp=P3), suffix)
    assert notes == []
    assert back.icc is not None
    assert np.abs(shown(back.colour, back.icc) - computed(back.colour, "srgb", P3_POINTS)).max() <= 1


@pytest.mark.parametrize(
    ("suffix", "cicp", "words"),
    [
        (".tif", PQ, "TIFF cannot say BT.2020 primaries, PQ transfer"),
        (".ppm", HLG, "PPM cannot say BT.2020 primaries, HLG transfer"),
        (".jpg", Cicp(77, 13), "JPEG cannot say unknown (77) primaries, sRGB transfer"),
        (".avif", Cicp(9, 16, 0, 0), "AVIF cannot say BT.2020 primaries, PQ transfer, narrow range"),
        (".bmp", P3, "BMP holds no metadata; ICC left out"),
    ],
)
def test_what_cannot_be_said_is_told(suffix: str, cicp: Cicp, words: str) -> None:
    back, notes = through(replace(example(3, 8), cicp=cicp), suffix)
    assert (back.icc, back.cicp) == (None, None)
    assert [note.split("; that")[0] for note in notes] == [words]


def test_every_profile_is_one_to_littlecms() -> None:
    """Of all primaries and curves: white is white, and equal code points give equal bytes."""
    white = np.full((1, 1, 3), 255, np.uint8)
    for cicp in [Cicp(primaries, 13) for primaries in PRIMARIES] + [Cicp(1, transfer) for transfer in CURVES]:
        icc = profile_of_code_points(cicp, grey=False)
        assert icc is not None
        assert icc == profile_of_code_points(cicp, grey=False)
        assert shown(white, icc).tolist() == [[[255, 255, 255]]], cicp
    noise = example(3, 8).colour
    srgb = profile_of_code_points(SRGB, grey=False)
    assert srgb is not None
    assert np.abs(shown(noise, srgb) - noise).max() <= 1


def test_numbers_that_no_profile_holds() -> None:
    bt709 = PRIMARIES[1]
    assert rgb_profile(bt709, Curve(40_000.0), "x") is None
    assert rgb_profile(Primaries((0.3127, 0.0), bt709.red, bt709.green, bt709.blue), Curve(1.0), "x") is None
    assert rgb_profile(Primaries(bt709.white, bt709.red, bt709.red, bt709.blue), Curve(1.0), "x") is None
    assert rgb_profile(Primaries((0.7, 0.1), bt709.red, bt709.green, bt709.blue), Curve(1.0), "x") is None


# ---- Pillow ----------------------------------------------------------------------------------------------------------


def test_pillow_images_carry_both_and_give_back_one() -> None:
    """The profile is for those who look for one; it is not stored beside the code points that it was made of."""
    image = to_pillow(replace(example(3, 8), cicp=P3))
    assert image.info["cicp"] == bytes(P3)
    assert np.abs(shown(np.asarray(image), image.info["icc_profile"]) - np.asarray(image)).max() > 5
    assert (read(image).cicp, read(image).icc) == (P3, None)
    image.info["icc_profile"] = ICC  # as after a conversion: the code points are not true any more
    assert (read(image).cicp, read(image).icc) == (None, ICC)
    deep = to_pillow(replace(example(3, 16), cicp=PQ))
    assert deep.info == {"cicp": bytes(PQ)}
    assert read(deep).cicp == PQ


def test_pillow_opens_and_saves_them(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latticecodec.zoo.models_path", [tiny_model.parent])
    to_pillow(replace(example(3, 8), cicp=P3)).save(tmp_path / "a.lcq", model=tiny_model)
    with Image.open(tmp_path / "a.lcq") as picture:
        assert picture.info["cicp"] == bytes(P3)
        picture.info.pop("model")
        picture.load()
        picture.save(tmp_path / "again.lcq", model=tiny_model)
        picture.save(tmp_path / "other.lcq", model=tiny_model, icc_profile=ICC)
    assert latticecodec.read_header(tmp_path / "again.lcq").cicp == P3
    other = latticecodec.read_header(tmp_path / "other.lcq")
    assert (other.icc, other.cicp) == (ICC, None)
    with Image.open(io.BytesIO(png((b"cICP", bytes(P3))))) as picture:
        assert read(picture).cicp == P3  # not loaded yet

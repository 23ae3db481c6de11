"""A picture goes in, bytes come out, the picture comes back: sizes, modes, targets, the index tensor."""

import dataclasses
import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import psnr
from PIL import Image, ImageOps

import latticecodec
from latticecodec import ChecksumError, Codec, FormatError, ImageError, ModelError, TargetError, container
from latticecodec.codec import EncodeOptions
from latticecodec.picture import Pixels


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (17, 31), (65, 64), (200, 48)])
def test_every_size_comes_back(tiny: Codec, photo: Image.Image, size: tuple[int, int]) -> None:
    picture = photo.resize(size)
    decoded = tiny.decode(tiny.encode(picture))
    assert decoded.size == size
    assert decoded.mode == "RGB"


def test_large_picture_comes_back(lattice: Codec, photo: Image.Image) -> None:
    picture = photo.resize((2000, 1000))
    decoded = lattice.decode(lattice.encode(picture, quality=10))
    assert decoded.size == (2000, 1000)
    assert psnr(picture, decoded) > 30


def test_smallest_file_is_small(lattice: Codec) -> None:
    data = lattice.encode(Image.new("RGB", (1, 1), (200, 30, 60)))
    assert len(data) <= 90


def test_grey_comes_back_grey(lattice: Codec, photo: Image.Image) -> None:
    grey = photo.convert("L")
    data = lattice.encode(grey, quality=60)
    decoded = lattice.decode(data)
    assert decoded.mode == "L"
    assert psnr(grey, decoded) > 32
    assert latticecodec.read_header(data).channels == 1


def test_all_kinds_of_input_are_one_picture(tiny: Codec, photo: Image.Image, tmp_path: object) -> None:
    array = np.asarray(photo)
    tensor = torch.from_numpy(array.copy()).permute(2, 0, 1)
    expected = tiny.encode(photo)
    assert tiny.encode(array) == expected
    assert tiny.encode(tensor) == expected
    assert tiny.encode(tensor.float() / 255) == expected
    path = f"{tmp_path}/photo.png"
    photo.save(path)
    assert tiny.encode(path) == expected


def test_exif_orientation_stays_as_it_is(tiny: Codec, photo: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees to view
    photo.save(tmp_path / "turned.png", exif=exif)
    decoded = tiny.decode(tiny.encode(tmp_path / "turned.png"))
    assert decoded.size == (320, 208)
    assert decoded.getexif()[0x0112] == 6
    assert ImageOps.exif_transpose(decoded).size == (208, 320)


@pytest.mark.parametrize("tile", [0, 128])
@pytest.mark.parametrize("metadata", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (131, 70), (513, 511)])
def test_every_kind_of_picture_comes_back(
    tiny: Codec, photo: Image.Image, width: int, height: int, channels: int, dtype: type, metadata: bool, tile: int
) -> None:
    """Colours that alpha shows as near as the codec comes with 8 bits; alpha and metadata without loss."""
    modes = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
    array = np.asarray(photo.resize((width, height)).convert(modes[channels]))
    array = array.reshape(height, width, channels).copy()  # [H, W, C]
    if channels in (2, 4):
        array[..., -1] = np.arange(1, height * width + 1).reshape(height, width) % 251
    if dtype is np.uint16:
        array = array.astype(np.uint16) * 257 + (np.arange(height)[:, None, None] % 200).astype(np.uint16)
    picture = Pixels(array[..., : channels - 1 + channels % 2], array[..., -1] if channels in (2, 4) else None)
    told = (b"profile", b"MM\0*", b"<x/>") if metadata else (None, None, None)
    picture = dataclasses.replace(picture, **dict(zip(("icc", "exif", "xmp"), told, strict=True)))
    data = tiny.encode(picture, effort=0, tile=tile)
    header = latticecodec.read_header(data)
    assert (header.channels, header.bit_depth) == (channels, 8 * dtype().itemsize)
    back = tiny.decode_pixels(data)
    assert back.colour.dtype == dtype
    assert back.colour.shape == picture.colour.shape
    np.testing.assert_array_equal(back.alpha, picture.alpha)
    assert (back.icc, back.exif, back.xmp) == told
    peak = np.iinfo(dtype).max
    eight_bits = (picture.colour / peak * 255).round().astype(np.uint8)
    shallow = tiny.decode_pixels(tiny.encode(Pixels(eight_bits), effort=0, tile=tile))
    shown = np.ones((height, width), bool) if picture.alpha is None else picture.alpha > 0  # [H, W]
    assert abs(back.colour / peak - shallow.colour / 255)[shown].max() < 0.05
    assert tiny.decode(data, as_array=True).shape == (height, width, channels)[: 2 + (channels > 1)]


def test_sixteen_bits_are_more_than_eight(lattice: Codec) -> None:
    """A ramp of 16-bit values so gentle that eight bits would draw stairs."""
    ramp = np.linspace(20_000, 21_000, 256).astype(np.uint16)[None, :, None].repeat(64, 0).repeat(3, 2)  # [64, 256, 3]
    data = lattice.encode_detailed(ramp, EncodeOptions(quality=100, exact=False)).data
    back = lattice.decode(data, as_array=True)
    assert back.dtype == np.uint16
    assert len(np.unique(back)) > 300
    assert abs(back.astype(int) - ramp).mean() < 150  # of 65,535: 0.6 of an 8-bit step


def test_alpha_does_not_change_colours(tiny: Codec, photo: Image.Image) -> None:
    rgba = photo.copy()
    rgba.putalpha(77)
    plain, clear = tiny.decode(tiny.encode(photo), as_array=True), tiny.decode(tiny.encode(rgba), as_array=True)
    np.testing.assert_array_equal(clear[..., :3], plain)
    assert (clear[..., 3] == 77).all()
    opaque = photo.copy()
    opaque.putalpha(255)
    assert len(tiny.encode(opaque)) == len(tiny.encode(photo)) + 4  # the length of no alpha


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (Image.new("CMYK", (8, 8)), "CMYK"),
        (Image.new("F", (8, 8)), "floating|mode F"),
        (np.zeros((8, 8, 3), np.float32), "float32"),
        (np.zeros((8, 8, 5), np.uint8), "shape"),
        (np.zeros((0, 8, 3), np.uint8), "0 pixels|8x0"),
        (torch.full((3, 8, 8), 1.5), "outside"),
        (torch.full((3, 8, 8), math.nan), "outside"),
        ("no/such/file.png", "no such file"),
        (b"bytes", "bytes"),
    ],
)
def test_pictures_that_are_refused(tiny: Codec, picture: object, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        tiny.encode(picture)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_quality_is_monotone(lattice: Codec, photo: Image.Image) -> None:
    trials = [lattice.encode(photo, quality=q) for q in (0, 12.5, 25, 37.5, 50, 62.5, 75, 87.5, 100)]
    sizes = [len(data) for data in trials]
    quality = [psnr(photo, lattice.decode(data)) for data in trials]
    assert sizes == sorted(sizes)
    assert quality == sorted(quality)
    assert sizes[-1] > 5 * sizes[0]


def test_targets_are_met(lattice: Codec, photo: Image.Image) -> None:
    area = photo.width * photo.height
    assert 8 * len(lattice.encode(photo, bpp=0.8)) / area == pytest.approx(0.8, rel=0.02)
    assert 0.97 * 9000 <= len(lattice.encode(photo, size=9000)) <= 9000
    assert psnr(photo, lattice.decode(lattice.encode(photo, psnr=32))) == pytest.approx(32, abs=0.1)


@pytest.mark.parametrize("target", [{"bpp": 0.0001}, {"size": 60}, {"psnr": 90.0}])
def test_targets_out_of_reach_say_what_can_be_reached(
    tiny: Codec, photo: Image.Image, target: dict[str, float]
) -> None:
    with pytest.raises(TargetError, match=r"out of reach: this picture reaches .* \(quality 0\) to .* \(quality 100\)"):
        tiny.encode(photo, **target)  # type: ignore[arg-type]


@pytest.mark.parametrize(("target", "quality"), [({"bpp": 40.0}, 100), ({"size": 10**9}, 100), ({"psnr": 3.0}, 0)])
def test_targets_beyond_what_can_be_used(tiny: Codec, target: dict[str, float], quality: int) -> None:
    """The small pictures of a folder, all given the same size, are no errors."""
    picture = np.arange(48 * 40 * 3, dtype=np.uint8).reshape(48, 40, 3)
    result = tiny.encode_detailed(picture, EncodeOptions(**target))  # type: ignore[arg-type]
    assert result.data == tiny.encode(picture, quality=quality)
    assert f"quality {quality}" in result.note


def test_contradictory_and_impossible_settings(tiny: Codec, photo: Image.Image) -> None:
    with pytest.raises(TargetError, match="exclude each other"):
        tiny.encode(photo, bpp=1.0, size=1000)
    with pytest.raises(TargetError, match="101"):
        tiny.encode(photo, quality=101)


def test_index_tensor(tiny: Codec, photo: Image.Image) -> None:
    result = tiny.encode_detailed(photo, EncodeOptions(quality=40))
    indices = tiny.decode_indices(result.data)
    assert indices.dtype == np.int32
    assert indices.shape == (32, 13, 20)  # [C, 208 / 16, 320 / 16]
    np.testing.assert_array_equal(indices, result.indices)
    np.testing.assert_array_equal(tiny.to_indices(photo, quality=40), indices)
    assert result.indices_sha256 == hashlib.sha256(indices.astype("<i4").tobytes()).hexdigest()
    drawn = tiny.from_indices(indices, quality=40, width=320, height=208)
    np.testing.assert_array_equal(np.asarray(drawn), np.asarray(tiny.decode(result.data)))


def test_indices_of_the_wrong_shape(tiny: Codec) -> None:
    with pytest.raises(ImageError, match=r"expected integers \[32, h, w\]"):
        tiny.from_indices(np.zeros((31, 4, 4), np.int32))


def test_file_size_is_what_the_model_estimates(lattice: Codec, photo: Image.Image) -> None:
    for quality in (0, 50, 100):
        result = lattice.encode_detailed(photo, EncodeOptions(quality=quality))
        assert len(result.data) <= 1.01 * result.estimated_bits / 8 + 48
        assert len(result.data) >= result.estimated_bits / 8


def test_embedded_basis(tiny: Codec, photo: Image.Image) -> None:
    plain, embedded = tiny.encode(photo), tiny.encode(photo, embed_basis=True)
    header = latticecodec.read_header(embedded)
    assert header.basis is not None
    assert len(header.basis) == 32
    assert latticecodec.read_header(plain).basis is None
    assert psnr(tiny.decode(plain), tiny.decode(embedded)) > 40


def test_file_of_another_model(tiny: Codec, lattice: Codec, photo: Image.Image) -> None:
    data = tiny.encode(photo)
    with pytest.raises(ModelError, match=tiny.digest.hex()):
        lattice.decode(data)
    with pytest.raises(ModelError, match=f"{tiny.digest.hex()}.*models_path"):
        latticecodec.decode(data)


def test_damage_is_never_a_picture(tiny: Codec) -> None:
    data = tiny.encode(Image.new("RGB", (24, 24), (90, 120, 30)))
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatError):
            tiny.decode(bytes(damaged))
    for end in range(len(data)):
        with pytest.raises(FormatError):
            tiny.decode(data[:end])


def test_desync_is_detected(tiny: Codec, photo: Image.Image) -> None:
    header, tiles = container.read(tiny.encode(photo))
    forged = container.write(header, [container.Tile(tiles[0].payload, tiles[0].indices_crc ^ 1)])
    with pytest.raises(ChecksumError, match="indices"):
        tiny.decode(forged)


def test_payload_that_no_encoder_wrote(tiny: Codec, photo: Image.Image) -> None:
    header, tiles = container.read(tiny.encode(photo))
    noise = np.random.default_rng(0).bytes(2 * len(tiles[0].payload))
    with pytest.raises(FormatError):
        tiny.decode(container.write(header, [container.Tile(noise, 0)]))


def test_encode_and_decode_functions(photo: Image.Image) -> None:
    data = latticecodec.encode(photo, quality=70, device="cpu")
    decoded = latticecodec.decode(data, device="cpu")
    assert decoded.size == photo.size
    assert psnr(photo, decoded) > 32
    assert latticecodec.load("lattice", device="cpu") is latticecodec.load("lattice", device="cpu")

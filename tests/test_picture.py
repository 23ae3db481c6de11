"""Every kind of picture through read and save: modes, depths, formats, refusals."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import torch
from picture_examples import example, same, through, tiff
from PIL import Image

from latticecodec import ImageError
from latticecodec.picture import Pixels, from_planes, psnr, read, read_file, to_array, to_pillow, to_planes

KINDS = [(channels, depth) for channels in (1, 2, 3, 4) for depth in (8, 16)]


@pytest.mark.parametrize(("channels", "depth"), KINDS)
@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff"])
def test_formats_that_hold_everything(channels: int, depth: int, suffix: str) -> None:
    pixels = example(channels, depth)
    assert (pixels.height, pixels.width, pixels.channels, pixels.depth) == (6, 9, channels, depth)
    back, notes = through(pixels, suffix)
    assert same(pixels, back)
    assert notes == []


@pytest.mark.parametrize(("channels", "depth"), [(1, 8), (1, 16), (3, 8), (3, 16)])
def test_ppm_holds_opaque_pictures(channels: int, depth: int) -> None:
    pixels = example(channels, depth)
    back, notes = through(pixels, "ppm")
    assert same(pixels, back)
    assert notes == []


def test_webp_holds_8_bits_and_alpha() -> None:
    back, notes = through(example(4, 8), ".webp")
    assert same(example(4, 8), back)
    assert notes == []
    back, notes = through(example(4, 16), ".webp")
    assert np.array_equal(back.colour, (example(4, 16).colour / 257).round())
    assert notes == ["WebP holds 8 bits a sample; 16 bits rounded to 8"]


@pytest.mark.parametrize("suffix", [".bmp", ".ppm", ".jpg", ".jpeg"])
@pytest.mark.parametrize("depth", [8, 16])
def test_alpha_is_flattened_onto_white_where_there_is_no_place_for_it(suffix: str, depth: int) -> None:
    peak = (1 << depth) - 1
    colour = np.zeros((16, 16, 3), np.uint8 if depth == 8 else np.uint16)
    alpha = np.full((16, 16), peak, colour.dtype)
    alpha[:, 8:] = 0
    back, notes = through(Pixels(colour, alpha), suffix)
    assert back.alpha is None
    assert int(back.colour[:, 8:].min()) == np.iinfo(back.colour.dtype).max
    assert int(back.colour[:, :8].max()) == 0
    assert "holds no alpha; flattened onto white" in notes[0]
    assert back.depth == (depth if suffix == ".ppm" else 8)
    assert len(notes) == (1 if back.depth == depth else 2)


def test_half_transparent_grey_on_white() -> None:
    pixels = Pixels(np.full((1, 1, 1), 100, np.uint8), np.full((1, 1), 51, np.uint8))
    back, _ = through(pixels, ".bmp")
    assert back.colour.item() == round(100 * 0.2 + 255 * 0.8)


def test_what_lies_on_white_is_rounded_to_the_nearest() -> None:
    """A 255th of 155 is 0.61 below white, one of 100 is 0.39."""
    colour = np.array([[[100], [155]]], np.uint8)  # [1, 2, 1]
    flat, _ = through(Pixels(colour, np.ones((1, 2), np.uint8)), ".bmp")
    assert flat.colour.ravel().tolist() == [254, 255]


@pytest.mark.parametrize(
    ("mode", "channels"),
    [("1", 1), ("L", 1), ("LA", 2), ("La", 2), ("RGB", 3), ("RGBX", 3), ("RGBA", 4), ("RGBa", 4), ("P", 4), ("PA", 4)],
)
def test_modes_of_pillow(mode: str, channels: int) -> None:
    image = to_pillow(example(3, 8))
    image.putalpha(160)
    image = image.convert("LA") if mode == "La" else image
    image = image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)
    pixels = read(image)
    assert (pixels.channels, pixels.depth) == (channels, 8)
    expected = image.convert({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels])
    assert np.array_equal(to_array(pixels), np.asarray(expected))


def test_to_pillow_and_back() -> None:
    modes = {(1, 8): "L", (2, 8): "LA", (3, 8): "RGB", (4, 8): "RGBA", (1, 16): "I;16"}
    for (channels, depth), mode in modes.items():
        image = to_pillow(example(channels, depth))
        assert image.mode == mode
        assert same(read(image), example(channels, depth))
    for channels, mode in ((2, "LA"), (3, "RGB"), (4, "RGBA")):  # Pillow has no 16 bits for these
        image, deep = to_pillow(example(channels, 16)), to_array(example(channels, 16))
        assert image.mode == mode
        assert np.array_equal(np.asarray(image), (deep / 257).round())


def test_more_rows_than_are_copied_at_a_time() -> None:
    tall = example(4, 8, height=700, width=3)
    assert same(read(to_pillow(tall)), tall)
    assert same(through(example(3, 16, height=700, width=3), ".ppm")[0], example(3, 16, height=700, width=3))


@pytest.mark.parametrize(("channels", "depth"), KINDS)
def test_arrays_and_tensors(channels: int, depth: int) -> None:
    pixels = example(channels, depth)
    array = to_array(pixels)
    assert array.shape == ((6, 9) if channels == 1 else (6, 9, channels))
    assert same(read(array), pixels)
    assert same(read(array.byteswap().view(array.dtype.newbyteorder())), pixels)
    assert same(read(torch.from_numpy(array.reshape(6, 9, channels).copy()).permute(2, 0, 1)), pixels)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_planes_of_the_networks(channels: int, depth: int) -> None:
    colour = example(channels, depth).colour
    x = to_planes(colour, 16)
    assert (x.shape, x.dtype) == ((3, 16, 16), np.float32)
    assert float(x[0, 0, 0]) == pytest.approx(int(colour[0, 0, 0]) / ((1 << depth) - 1))
    assert (x[:, 6:] == x[:, 5:6]).all()  # edges repeated
    assert (x[:, :, 9:] == x[:, :, 8:9]).all()
    assert np.array_equal(from_planes(x, 9, 6, channels, depth), colour)


def test_halves_are_rounded_to_even() -> None:
    x = (np.array([0.5, 1.5, 2.5, 253.5, 254.5]) / 255).astype(np.float32)  # all of them halves in float32 too
    assert (x * np.float32(255) % 1 == 0.5).all()
    assert from_planes(np.tile(x, (3, 1, 1)), 5, 1, 3)[0, :, 0].tolist() == [0, 2, 2, 254, 254]


def test_psnr_of_both_depths() -> None:
    a, b = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    assert psnr(a, b) == 0
    assert psnr(a.astype(np.uint16), b.astype(np.uint16)) == pytest.approx(20 * np.log10(65535 / 255))
    assert psnr(a.astype(np.uint16), np.full((4, 4, 3), 65535, np.uint16)) == 0
    assert psnr(b, b) == 100
    with pytest.raises(ImageError, match="one shape"):
        psnr(a, b.astype(np.uint16))


# ---- what files say in their own ways ------------------------------------------------------------------------------


def png(header: bytes, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file of these parts: IHDR after width and height, filtered rows of a 2 x 1 picture, chunks before IDAT."""
    parts = [(b"IHDR", struct.pack(">II", 2, 1) + header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in parts)
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("header", "rows", "key", "expected"),
    [
        (b"\x01\0\0\0\0", b"\0\x40", b"\0\1", [[0, 255], [255, 0]]),  # 1-bit grey, white is transparent
        (b"\x02\0\0\0\0", b"\0\x60", b"\0\1", [[85, 0], [170, 255]]),  # 2-bit grey
        (b"\x08\0\0\0\0", b"\0\7\x08", b"\0\7", [[7, 0], [8, 255]]),
        (b"\x10\0\0\0\0", b"\0\1\2\3\4", b"\1\2", [[0x0102, 0], [0x0304, 65535]]),
        (b"\x08\x02\0\0\0", b"\0abcdef", b"\0a\0b\0c", [[97, 98, 99, 0], [100, 101, 102, 255]]),
        (
            b"\x10\x02\0\0\0",
            b"\0abcdefabcdeg",
            b"abcdef",
            [[0x6162, 0x6364, 0x6566, 0], [0x6162, 0x6364, 0x6567, 65535]],
        ),
    ],
)
def test_a_transparent_colour_becomes_alpha(header: bytes, rows: bytes, key: bytes, expected: list[list[int]]) -> None:
    data = png(header, rows, (b"tRNS", key))
    assert to_array(read_file(io.BytesIO(data), "x")).tolist() == [expected]
    assert to_array(read(Image.open(io.BytesIO(data)))).tolist() == [expected]  # not loaded yet


def test_a_palette_with_transparency() -> None:
    data = png(b"\x08\x03\0\0\0", b"\0\0\1", (b"PLTE", b"abcdef"), (b"tRNS", b"\x10"))
    assert to_array(read_file(io.BytesIO(data), "x")).tolist() == [[[97, 98, 99, 16], [100, 101, 102, 255]]]


def test_a_palette_whose_colours_have_alpha() -> None:
    """As Pillow makes it of a picture with alpha."""
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 128)).quantize()
    assert (image.mode, "transparency" in image.info) == ("P", False)
    assert to_array(read(image)).tolist() == [[[255, 0, 0, 128]] * 2]


def test_ppm_of_other_depths_is_scaled() -> None:
    data = b"P5 2 1 1023\n" + struct.pack(">2H", 1023, 512)
    assert read_file(io.BytesIO(data), "x").colour.ravel().tolist() == [65535, round(512 * 65535 / 1023)]
    with pytest.raises(ImageError, match=r"x: the file is cut short"):
        read_file(io.BytesIO(data[:-1]), "x")
    with pytest.raises(ImageError, match="text PPM"):
        read_file(io.BytesIO(b"P3 1 1 1023\n1 2 3\n"), "x")


def test_tiff_files_of_other_programs() -> None:
    stacked = to_array(example(4, 16))
    planes = np.ascontiguousarray(np.moveaxis(stacked, -1, 0))
    assert same(tiff(planes, photometric=2, planarconfig=2, extrasample=2), example(4, 16))
    assert same(tiff(stacked, photometric=2, planarconfig=1, extrasample=2, compression=5), example(4, 16))  # LZW
    assert same(tiff(stacked, photometric=2, planarconfig=1, extrasample=2, bigtiff=True), example(4, 16))
    assert same(tiff(stacked, photometric=2, planarconfig=1, extrasample=2, byteorder=">"), example(4, 16))
    assert same(tiff(stacked, photometric=2, planarconfig=1, extrasample=0), Pixels(example(4, 16).colour))
    grey = example(1, 16).colour[:, :, 0]
    with pytest.raises(ImageError, match="x: has 5 samples a pixel; save it with at most"):
        tiff(np.zeros((6, 9, 5), np.uint16), photometric=2, planarconfig=1, extrasample=0)
    with pytest.raises(ImageError, match="x: has 32 bits a sample; convert it to 16 first"):
        tiff(np.zeros((6, 9), np.uint32), photometric=1)
    assert np.array_equal(tiff(grey, photometric=0).colour[:, :, 0], 65535 - grey)


def test_premultiplied_alpha_is_divided_out() -> None:
    stacked = np.array([[[100, 200, 300, 32768], [0, 0, 0, 0], [7, 8, 9, 65535]]], np.uint16)
    pixels = tiff(stacked, photometric=2, planarconfig=1, extrasample=1)
    assert pixels.colour.tolist() == [[[200, 400, 600], [0, 0, 0], [7, 8, 9]]]


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_avif_of_more_than_8_bits_is_scaled(channels: int, bits: int) -> None:
    stacked = to_array(example(channels, 16)) >> (16 - bits)
    data = imagecodecs.avif_encode(stacked, level=100, bitspersample=bits, speed=10)
    pixels = read_file(io.BytesIO(data), "x")
    expected = stacked * (65535 / ((1 << bits) - 1))
    assert (pixels.channels, pixels.depth) == (channels, 16)
    assert np.array_equal(to_array(pixels), expected.round())


def test_jpeg_2000_of_16_bits() -> None:
    data = imagecodecs.jpeg2k_encode(to_array(example(3, 16)), reversible=True)
    assert same(read_file(io.BytesIO(data), "x"), example(3, 16))


def test_8_bits_of_other_formats_stay_8_bits() -> None:
    for kind in ("AVIF", "JPEG2000"):
        file = io.BytesIO()
        to_pillow(example(3, 8)).save(file, kind)
        assert read_file(file, "x").depth == 8


def test_what_is_no_number_is_black() -> None:
    """The networks can overflow on an altered file; its pixels are the same on every machine all the same."""
    x = np.array([np.nan, np.inf, -np.inf], np.float32).reshape(3, 1, 1)  # [3, 1, 1]
    assert from_planes(x, 1, 1, 3).tolist() == [[[0, 255, 0]]]

"""Every kind of picture through read and save: modes, depths, formats, refusals."""

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from picture_examples import example, same, through
from PIL import Image

from latticecodec import ImageError, OutputError
from latticecodec.picture import Pixels, from_tensor, plain, psnr, read, read_file, save, to_array, to_pillow, to_tensor

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


@pytest.mark.parametrize(
    ("mode", "channels"),
    [("1", 1), ("L", 1), ("LA", 2), ("La", 2), ("RGB", 3), ("RGBX", 3), ("RGBA", 4), ("RGBa", 4), ("P", 3), ("PA", 4)],
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
def test_tensors_of_the_networks(channels: int, depth: int) -> None:
    colour = example(channels, depth).colour
    x = to_tensor(colour, 16)
    assert x.shape == (1, 3, 16, 16)
    assert float(x[0, 0, 0, 0]) == pytest.approx(int(colour[0, 0, 0]) / ((1 << depth) - 1))
    assert bool((x[:, :, 6:] == x[:, :, 5:6]).all())  # edges repeated
    assert np.array_equal(from_tensor(x, 9, 6, channels, depth), colour)


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


def test_ppm_of_other_depths_is_scaled() -> None:
    data = b"P5 2 1 1023\n" + struct.pack(">2H", 1023, 512)
    assert read_file(io.BytesIO(data), "x").colour.ravel().tolist() == [65535, round(512 * 65535 / 1023)]
    with pytest.raises(ImageError, match=r"x: .*truncated"):
        read_file(io.BytesIO(data[:-1]), "x")
    with pytest.raises(ImageError, match="text PPM"):
        read_file(io.BytesIO(b"P3 1 1 1023\n1 2 3\n"), "x")


def tiff(stacked: np.ndarray, **settings: int) -> Pixels:
    """An array written by libtiff with these settings, which may swap its bytes in place, read again."""
    import imagecodecs

    return read_file(io.BytesIO(imagecodecs.tiff_encode(stacked.copy(), **settings)), "x")


def test_tiff_files_of_other_programs() -> None:
    stacked = to_array(example(4, 16))
    planes = np.ascontiguousarray(np.moveaxis(stacked, -1, 0))
    assert same(tiff(planes, photometric=2, planarconfig=2, extrasample=2), example(4, 16))
    assert same(tiff(stacked, photometric=2, planarconfig=1, extrasample=2, compression=5), example(4, 16))  # LZW
    assert same(tiff(stacked, photometric=2, planarconfig=1, extrasample=2, bigtiff=True), example(4, 16))
    assert same(tiff(stacked, photometric=2, planarconfig=1, extrasample=2, byteorder=">"), example(4, 16))
    assert same(tiff(stacked, photometric=2, planarconfig=1, extrasample=0), Pixels(example(4, 16).colour))
    grey = example(1, 16).colour[:, :, 0]
    with pytest.raises(ImageError, match="x: has 5 samples a pixel"):
        tiff(np.zeros((6, 9, 5), np.uint16), photometric=2, planarconfig=1, extrasample=0)
    assert np.array_equal(tiff(grey, photometric=0).colour[:, :, 0], 65535 - grey)


def test_premultiplied_alpha_is_divided_out() -> None:
    stacked = np.array([[[100, 200, 300, 32768], [0, 0, 0, 0], [7, 8, 9, 65535]]], np.uint16)
    pixels = tiff(stacked, photometric=2, planarconfig=1, extrasample=1)
    assert pixels.colour.tolist() == [[[200, 400, 600], [0, 0, 0], [7, 8, 9]]]


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_avif_of_more_than_8_bits_is_scaled(channels: int, bits: int) -> None:
    import imagecodecs

    stacked = to_array(example(channels, 16)) >> (16 - bits)
    data = imagecodecs.avif_encode(stacked, level=100, bitspersample=bits, speed=10)
    pixels = read_file(io.BytesIO(data), "x")
    expected = stacked * (65535 / ((1 << bits) - 1))
    assert (pixels.channels, pixels.depth) == (channels, 16)
    assert np.array_equal(to_array(pixels), expected.round())


def test_jpeg_2000_of_16_bits() -> None:
    import imagecodecs

    data = imagecodecs.jpeg2k_encode(to_array(example(3, 16)), reversible=True)
    assert same(read_file(io.BytesIO(data), "x"), example(3, 16))


def test_8_bits_of_other_formats_stay_8_bits() -> None:
    for kind in ("AVIF", "JPEG2000"):
        file = io.BytesIO()
        to_pillow(example(3, 8)).save(file, kind)
        assert read_file(file, "x").depth == 8


# ---- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (Image.new("CMYK", (8, 8)), "CMYK; convert it to RGB"),
        (Image.new("F", (8, 8)), "mode F; convert it"),
        (Image.new("I", (8, 8)), "mode I; convert it"),
        (Image.new("LAB", (8, 8)), "mode LAB; convert it"),
        (np.zeros((8, 8), np.float32), "float32"),
        (np.zeros((8, 8, 5), np.uint8), "shape"),
        (np.zeros((0, 8, 3), np.uint8), "8x0 pixels"),
        (np.broadcast_to(np.zeros((1, 1), np.uint8), (1, 70_000)), "70000x1 pixels"),
        (np.broadcast_to(np.zeros((1, 1), np.uint8), (20_000, 20_000)), "area"),
        (torch.zeros((3, 0, 8)), "8x0 pixels"),
        (torch.zeros((8, 8)), r"shape \(8, 8\)"),
        (torch.zeros((3, 8, 8), dtype=torch.int64), "int64"),
        (b"bytes", "bytes"),
    ],
)
def test_pictures_that_are_refused(picture: object, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        read(picture)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_animations_and_pages_are_refused(tmp_path: Path) -> None:
    frame = to_pillow(example(3, 8))
    for name in ("moving.gif", "moving.webp", "moving.png", "pages.tif"):
        frame.save(tmp_path / name, save_all=True, append_images=[frame.rotate(180)])
        words = "has 2 pages" if name == "pages.tif" else "an animation of 2 frames"
        with pytest.raises(ImageError, match=f"{name}: {words}; save one"):
            read(tmp_path / name)
    with pytest.raises(ImageError, match="has several pages; save one"):
        tiff(np.zeros((2, 5, 5, 3), np.uint16), photometric=2, planarconfig=1)
    frame.save(tmp_path / "preview.jpg", "MPO", save_all=True, append_images=[frame])
    assert read(tmp_path / "preview.jpg").channels == 3


def test_files_that_are_no_pictures_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.tif").touch()
    (tmp_path / "short.tif").write_bytes(b"II*\0")
    with pytest.raises(ImageError, match=r"text.png: not an image"):
        read(tmp_path / "text.png")
    with pytest.raises(ImageError, match=r"none.png: no such file"):
        read(tmp_path / "none.png")
    for name in ("empty.tif", "short.tif"):
        with pytest.raises(ImageError, match=name):
            read(tmp_path / name)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("depth", [8, 16])
def test_damaged_files_are_errors_of_one_kind(suffix: str, depth: int) -> None:
    file = io.BytesIO()
    save(example(3, depth), suffix, file)
    data, draw = file.getvalue(), np.random.default_rng(0)
    refused = 0
    for cut in range(0, len(data) - 12, 7):
        try:
            read_file(io.BytesIO(data[:cut]), "cut")
        except ImageError:
            refused += 1
    for _ in range(60):
        broken = bytearray(data)
        broken[draw.integers(len(data))] ^= 1 << draw.integers(8)
        try:
            read_file(io.BytesIO(bytes(broken)), "broken")
        except ImageError:
            refused += 1
    assert refused > 20


def test_outputs_that_cannot_be() -> None:
    with pytest.raises(OutputError, match=r"cannot write \.what; try \.png"):
        save(example(3, 8), ".what", io.BytesIO())
    with pytest.raises(OutputError, match="cannot write WebP"):
        save(example(1, 8, height=1, width=16_384), ".webp", io.BytesIO())


def test_what_only_takes_plain_pictures_says_so() -> None:
    assert np.array_equal(plain(example(3, 8)), example(3, 8).colour)
    with pytest.raises(ImageError, match="alpha"):
        plain(example(4, 8))
    with pytest.raises(ImageError, match="16 bits"):
        plain(replace(example(3, 16)))

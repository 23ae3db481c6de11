"""Alpha as lossless WebP: there and back, and whatever else may stand in a file."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from latticecodec import FormatError
from latticecodec.picture import alpha, vp8l


def plane(height: int, width: int, depth: int) -> np.ndarray:
    """A soft edge with some noise."""
    peak = (1 << depth) - 1
    slope = np.linspace(0, peak, height * width).reshape(height, width)
    noise = np.random.default_rng(0).integers(0, 5, (height, width))
    return np.clip(slope + noise, 0, peak).astype(np.uint8 if depth == 8 else np.uint16)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 5), (1, 300), (40, 60)])
def test_alpha_comes_back(height: int, width: int, depth: int) -> None:
    expected = plane(height, width, depth)
    back = alpha.decode(alpha.encode(expected), height, width, depth)
    assert back.dtype == expected.dtype
    assert np.array_equal(back, expected)


@pytest.mark.parametrize("depth", [8, 16])
def test_opaque_alpha_takes_no_bytes(depth: int) -> None:
    opaque = np.full((3, 4), (1 << depth) - 1, np.uint8 if depth == 8 else np.uint16)
    assert alpha.encode(opaque) == b""
    back = alpha.decode(b"", 3, 4, depth)
    assert back.dtype == opaque.dtype
    assert np.array_equal(back, opaque)
    assert alpha.encode(opaque - 1) != b""


def test_large_planes_are_cut_into_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vp8l, "SIDE", 32)  # in place of 2,048
    mask = np.zeros((vp8l.SIDE + 3, 2 * vp8l.SIDE + 1), np.uint8)
    mask[10:, 5:-1] = 255
    data = alpha.encode(mask)
    assert data.count(b"WEBPVP8L") == 6
    assert np.array_equal(alpha.decode(data, *mask.shape, 8), mask)


def test_a_reader_of_webp_reads_it() -> None:
    expected = plane(7, 5, 8)
    image = Image.open(io.BytesIO(alpha.encode(expected)))
    assert image.format == "WEBP"
    assert np.array_equal(np.asarray(image.convert("L")), expected)


# ---- hostile input: right checksums do not make right bytes ---------------------------------------------------------

GOOD = alpha.encode(plane(7, 5, 8))


def webp(**settings: object) -> bytes:
    """A WebP file of 5 x 7 pixels written with these settings."""
    file = io.BytesIO()
    Image.fromarray(plane(7, 5, 8)).save(file, "WEBP", **settings)
    return file.getvalue()


def animation() -> bytes:
    other = Image.fromarray(255 - plane(7, 5, 8))
    return webp(lossless=True, save_all=True, append_images=[other])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0", "alpha: ends too early"),
        (GOOD[:-1], "alpha: ends too early"),
        (GOOD[:25], "alpha: ends too early"),
        (GOOD + b"\0", "alpha: 1 bytes too many"),
        (GOOD + GOOD, "too many"),
        (webp(lossless=False), "not a still lossless"),
        (webp(lossless=True, exif=b"MM\0*"), "not a still lossless"),
        (animation(), "not a still lossless"),
        (b"RIFF" + bytes(100), "not a still lossless"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a still lossless"),
        (GOOD[:30] + bytes(len(GOOD) - 30), "damaged"),
        (struct.pack("<4sI4s4sIB", b"RIFF", 18, b"WEBP", b"VP8L", 5, 0x2F) + GOOD[21:25] + b"\0", "damaged"),
    ],
)
def test_bytes_that_are_no_alpha(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words) as caught:
        alpha.decode(data, 7, 5, 8)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("height", "width"), [(5, 7), (7, 6), (8, 5), (1, 1), (16_384, 16_384)])
def test_another_size_is_refused_before_pixels_are_made(height: int, width: int) -> None:
    with pytest.raises(FormatError, match="a tile of 5x7 where"):
        alpha.decode(GOOD, height, width, 8)


def test_every_flipped_bit_is_an_error_or_a_plane() -> None:
    shapes: set[tuple[int, ...] | None] = set()
    for bit in range(8 * len(GOOD)):
        broken = bytearray(GOOD)
        broken[bit // 8] ^= 1 << bit % 8
        try:
            shapes.add(alpha.decode(bytes(broken), 7, 5, 8).shape)
        except FormatError:
            shapes.add(None)
    assert shapes == {(7, 5), None}

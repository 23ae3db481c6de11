"""Small pictures of every kind, and the way through a file."""

import io

import imagecodecs
import numpy as np
from PIL import Image

from latticecodec.container import Cicp
from latticecodec.picture import Pixels, Samples, read_file, save

ICC = b"a profile that nobody looks into \x00\xff\x89" * 3
XMP = b'<?xpacket begin="\xef\xbb\xbf"?><x:xmpmeta xmlns:x="adobe:ns:meta/"/><?xpacket end="w"?>'
P3, PQ, HLG = Cicp(12, 13), Cicp(9, 16), Cicp(9, 18)
ORIENTATION, EXIF_DIRECTORY, GPS_DIRECTORY = 0x0112, 0x8769, 0x8825


def example(channels: int, depth: int, height: int = 6, width: int = 9) -> Pixels:
    """Noise: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA, of 8 or 16 bits."""
    draw = np.random.default_rng(10 * channels + depth)
    dtype = np.uint8 if depth == 8 else np.uint16
    stacked = draw.integers(0, 1 << depth, (height, width, channels), dtype)
    if channels in (1, 3):
        return Pixels(stacked)
    return Pixels(stacked[:, :, :-1].copy(), stacked[:, :, -1].copy())


def samples(height: int, width: int, channels: int, depth: int, kind: str, seed: int = 0) -> Samples:
    """Noise, one colour, or few colours: [H, W] or [H, W, 2 to 4]."""
    random, peak = np.random.default_rng(seed), (1 << depth) - 1
    shape = (height, width, channels)
    values = {
        "noise": random.integers(0, peak, shape, endpoint=True),
        "flat": np.full(shape, random.integers(peak)),
        "few": random.integers(0, 3, shape) * (peak // 2),
    }[kind]
    array: Samples = values.astype(np.uint8 if depth == 8 else np.uint16)
    return array[:, :, 0] if channels == 1 else array


def exif(orientation: int = 6) -> bytes:
    """An EXIF block as a camera writes it, without the prefix of JPEG."""
    block = Image.Exif()
    block.endian = ">"
    block[ORIENTATION] = orientation
    block[0x010F] = "Maker"
    block[0x011A] = 300.0
    block.get_ifd(EXIF_DIRECTORY)[0x9003] = "2024:02:29 12:00:00"
    block.get_ifd(EXIF_DIRECTORY)[0x829A] = 0.005
    block.get_ifd(GPS_DIRECTORY)[2] = (48.0, 12.0, 30.5)
    return block.tobytes().removeprefix(b"Exif\0\0")


def through(pixels: Pixels, suffix: str) -> tuple[Pixels, list[str]]:
    """`pixels` written as a file and read again, and what the writer said was lost."""
    file = io.BytesIO()
    notes = save(pixels, suffix, file)
    return read_file(io.BytesIO(file.getvalue()), f"example{suffix}"), notes


def opened(data: bytes, name: str = "x") -> Pixels:
    """What is read from these bytes."""
    return read_file(io.BytesIO(data), name)


def same(a: Pixels, b: Pixels) -> bool:
    """Whether colour and alpha are equal, and of the same type."""
    colour = a.colour.dtype == b.colour.dtype and np.array_equal(a.colour, b.colour)
    if a.alpha is None or b.alpha is None:
        return colour and a.alpha is b.alpha
    return colour and a.alpha.dtype == b.alpha.dtype and np.array_equal(a.alpha, b.alpha)


def tiff(stacked: np.ndarray, **settings: int) -> Pixels:
    """An array written by libtiff with these settings, which may swap its bytes in place, read again."""
    return read_file(io.BytesIO(imagecodecs.tiff_encode(stacked.copy(), **settings)), "x")

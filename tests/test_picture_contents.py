"""What formats hold: one picture of several, raw files, gain maps, samples of other kinds."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
from picture_examples import opened, tiff
from picture_files import files, moving, psd, saved
from PIL import Image, features

from latticecodec import ImageError
from latticecodec.picture import read

# ---- several pictures in one file --------------------------------------------------------------------------------


def test_which_picture_of_several_is_taken_is_told() -> None:
    assert opened(moving("MPO")).notes == ("holds several pictures; the first was taken",)
    icon = opened(files()["ICO"])
    assert (icon.width, icon.height) == (16, 11)
    assert icon.notes == ("holds 2 pictures; the largest was taken",)
    assert opened(psd(3)).notes == ("holds 3 layers; their composite was taken",)
    assert opened(psd()).notes == opened(saved("ICO", sizes=[(16, 16)])).notes == opened(saved("JPEG")).notes == ()
    alone = moving("MPO").replace(b"\1\xb0\4\0\1\0\0\0\2\0\0\0", b"\1\xb0\4\0\1\0\0\0\1\0\0\0")
    assert alone != moving("MPO")
    assert opened(alone).notes == ()  # an index of one picture
    broken = psd(2).replace(b"\0\2\0\0\0\0\0\0\0\0\0\0\0\1", b"\x0f\xff\0\0\0\0\0\0\0\0\0\0\0\1")  # their count
    assert broken != psd(2)
    assert opened(broken).notes == ("holds layers that are damaged; their composite was taken",)
    with pytest.raises(ImageError, match="layers but no composite of them; save it with"):
        opened(psd(2, composite=False))


def test_pictures_that_the_caller_opened_tell_the_same() -> None:
    assert read(Image.open(io.BytesIO(moving("MPO")))).notes == ("holds several pictures; the first was taken",)
    assert read(Image.open(io.BytesIO(psd(3)))).notes == ("holds 3 layers; their composite was taken",)


def test_moving_pictures_are_refused() -> None:
    for kind in ("GIF", "PNG", "WEBP", "AVIF"):
        with pytest.raises(ImageError, match="x: an animation of 2 frames; save one frame as a still picture first"):
            opened(moving(kind))
    with pytest.raises(ImageError, match="x: has 2 pages; save one of them first"):
        opened(moving("TIFF"))
    if features.check("jpg_2000"):
        assert opened(saved("JPEG2000")).notes == ()


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}], ids=["reduced", "DNG"])
def test_the_preview_in_a_raw_file_is_not_taken_for_the_picture(tags: dict[int, object]) -> None:
    with pytest.raises(
        ImageError, match="begins with a reduced picture, as raw files of cameras do; develop it to TIFF"
    ):
        opened(saved("TIFF", tiffinfo=tags))


def test_raw_files_that_say_so_in_their_header() -> None:
    data = saved("TIFF")  # II, 42, offset of the directory: 8
    where = 16
    moved = data[:4] + struct.pack("<I", where) + b"CR\2\0" + bytes(4) + data[8:]
    with pytest.raises(ImageError, match="begins with a reduced picture"):
        opened(moved)


@pytest.mark.parametrize("namespace", ["http://ns.adobe.com/hdr-gain-map/1.0/", "http://ns.apple.com/HDRGainMap/1.0/"])
def test_a_gain_map_that_is_left_out_is_told(namespace: str) -> None:
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a xmlns:hdrgm="{namespace}" hdrgm:Version="1.0"/></x:xmpmeta>'.encode()
    pixels = opened(saved("JPEG", xmp=xmp))
    assert pixels.xmp == xmp
    assert pixels.notes == ("its HDR gain map is left out, though its metadata may speak of one",)


def test_a_gain_map_of_the_standard() -> None:
    body = b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0"
    data = saved("JPEG")
    segment = b"\xff\xe2" + struct.pack(">H", 2 + len(body)) + body
    assert opened(data[:2] + segment + data[2:]).notes == (
        "its HDR gain map is left out, though its metadata may speak of one",
    )


# ---- samples -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stacked", "photometric", "words"),
    [
        (np.zeros((6, 9), np.int8), 1, "has signed samples; convert them to unsigned integers"),
        (np.zeros((6, 9, 3), np.int8), 2, "has signed samples; convert them to unsigned integers"),
        (np.zeros((6, 9), np.int16), 1, "has signed samples; convert them to unsigned integers"),
        (np.zeros((6, 9), np.float32), 1, "has floating-point samples; convert them to unsigned integers"),
        (np.zeros((6, 9, 3), np.float32), 2, "has floating-point samples; convert them to unsigned integers"),
        (np.zeros((6, 9), np.uint32), 1, "has 32 bits a sample; convert it to 16 first"),
        (np.zeros((6, 9, 4), np.uint8), 5, "the picture is CMYK; convert it to RGB first"),
        (np.zeros((6, 9, 4), np.uint16), 5, "the picture is CMYK; convert it to RGB first"),
    ],
)
def test_samples_that_are_refused(stacked: np.ndarray, photometric: int, words: str) -> None:
    with pytest.raises(ImageError, match=f"x: {words}"):
        tiff(stacked, photometric=photometric, planarconfig=1)


def test_samples_of_other_formats_that_are_refused() -> None:
    with pytest.raises(ImageError, match="the picture is CMYK; convert it to RGB first"):
        opened(of_mode("CMYK", "JPEG"))
    with pytest.raises(ImageError, match=r"the picture is L\*a\*b\*; convert it to RGB first"):
        opened(of_mode("LAB", "TIFF"))
    with pytest.raises(ImageError, match="mode F; convert it"):
        opened(b"Pf 1 1 -1.0\n" + struct.pack("<f", 0.5))
    with pytest.raises(ImageError, match="has signed samples; convert them"):
        opened(imagecodecs.jpeg2k_encode(np.zeros((16, 16), np.int16), reversible=True))


def of_mode(mode: str, kind: str) -> bytes:
    """A picture of another mode as Pillow writes it."""
    file = io.BytesIO()
    Image.new(mode, (8, 8)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    "data", [b"P1 2 2\n1 0\n0 1\n", b"P1\n2 2\n1001", b"P4 2 2\n\x80\x40", b"P4\n# x\n2 2\n\x80\x40"]
)
def test_a_pbm_of_two_by_two(data: bytes) -> None:
    assert opened(data).colour[:, :, 0].tolist() == [[0, 255], [255, 0]]

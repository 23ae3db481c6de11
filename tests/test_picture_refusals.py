"""Pictures that are refused, files that are damaged, outputs that cannot be: one line that says what and what to do."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from picture_examples import example, tiff
from PIL import Image

from latticecodec import ImageError, OutputError
from latticecodec.picture import plain, read, read_file, save, to_pillow


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
    with pytest.raises(ImageError, match="has 2 pages; save one"):
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
    with pytest.raises(OutputError, match=r"cannot write WebP of 16384x1 pixels, it holds 16,383 a side; try \.png"):
        save(example(1, 8, height=1, width=16_384), ".webp", io.BytesIO())
    with pytest.raises(OutputError, match=r"cannot write JPEG of 1x65501 pixels, it holds 65,500 a side; try \.png"):
        save(example(1, 8, height=65_501, width=1), ".jpg", io.BytesIO())
    for suffix, side in ((".webp", 16_383), (".jpg", 65_500)):
        save(example(1, 8, height=1, width=side), suffix, io.BytesIO())


def test_what_encoders_say_is_no_more_than_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("broken data stream when writing image file")

    monkeypatch.setattr(Image.Image, "save", fail)
    words = r"cannot write BMP of this picture; try \.png \(broken data stream when writing image file\)"
    with pytest.raises(OutputError, match=words):
        save(example(3, 8), ".bmp", io.BytesIO())


def test_what_only_takes_plain_pictures_says_so() -> None:
    assert np.array_equal(plain(example(3, 8)), example(3, 8).colour)
    with pytest.raises(ImageError, match="alpha"):
        plain(example(4, 8))
    with pytest.raises(ImageError, match="16 bits"):
        plain(example(3, 16))

"""`encode`, `decode` and `read_header` as programs call them: where pictures and files come from, and options."""

import gzip
import io
import math
import os
import pathlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latticecodec import FormatError, ImageError, LcqError, LimitError, TargetError, decode, encode, load, read_header
from latticecodec.container import file

pytestmark = pytest.mark.usefixtures("one_thread")

SIZE = (40, 24)


class Unseekable(io.BytesIO):
    """A stream, such as a socket gives."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: Any) -> int:
        raise io.UnsupportedOperation("seek")


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def data(picture: Image.Image, tiny_model: Path) -> bytes:
    return encode(picture, model=tiny_model)


@pytest.fixture
def options(tiny_model: Path) -> dict[str, Any]:
    return {"model": tiny_model, "device": "cpu"}


class Unbuffered(io.RawIOBase):
    """A file that gives five bytes at a time, as a line may."""

    def __init__(self, data: bytes) -> None:
        self._left = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._left.read(min(5, len(buffer)))
        buffer[: len(part)] = part
        return len(part)


MEMORY: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "every second byte": lambda data: memoryview(b"".join(bytes([byte, 0]) for byte in data))[::2],
    "BytesIO": io.BytesIO,
    "BytesIO at its end": lambda data: _written(io.BytesIO(), data),
    "stream": Unseekable,
    "unbuffered": Unbuffered,
}


def _written(stream: io.BytesIO, data: bytes) -> io.BytesIO:
    stream.write(data)
    return stream


@pytest.mark.parametrize("kind", MEMORY)
def test_pictures_and_files_in_memory(kind: str, png: bytes, data: bytes, options: dict[str, Any]) -> None:
    assert encode(MEMORY[kind](png), **options) == data
    assert decode(MEMORY[kind](data), **options).size == SIZE
    assert load(name_or_path=options["model"]).decode_indices(MEMORY[kind](data)).shape == (32, 2, 3)
    header = read_header(MEMORY[kind](data))
    assert (header.width, header.height) == SIZE


def test_pictures_and_files_on_the_disk(png: bytes, data: bytes, options: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png)
    (tmp_path / "a.lcq").write_bytes(data)
    for path in (tmp_path / "a", str(tmp_path / "a"), pathlib.PurePath(tmp_path / "a")):
        png_path, lcq_path = (type(path)(f"{path}{suffix}") for suffix in (".png", ".lcq"))
        assert encode(png_path, **options) == data
        assert decode(lcq_path, **options).size == SIZE
        assert read_header(lcq_path).width == SIZE[0]
    with open(tmp_path / "a.png", "rb") as opened_png, open(tmp_path / "a.lcq", "rb") as opened_lcq:
        assert encode(opened_png, **options) == data
        assert read_header(opened_lcq).width == SIZE[0]
        assert decode(opened_lcq, **options).size == SIZE


def test_of_a_file_no_more_is_read_than_the_header(data: bytes, tmp_path: Path) -> None:
    stream = io.BytesIO(data + bytes(1 << 20))
    read_header(stream)
    assert stream.tell() < len(data)


class TextReader:
    """A file that is none of bytes, and does not say so."""

    def read(self, size: int = -1) -> str:
        return "text"[:size]


def test_sources_that_are_none(png: bytes, data: bytes, options: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.lcq").write_bytes(data[:-1])
    closed = io.BytesIO(data)
    closed.close()
    text = io.StringIO("text")
    for source, words in (
        (tmp_path / "none.lcq", r"none\.lcq: no such file"),
        (tmp_path, "it is a folder"),
        ("a\0b", "such a name"),
        (closed, "is closed; open it again"),
        (Path(""), "it is a folder"),
        ("", "'': no such file"),
        (TextReader(), "does not give bytes"),
        (text, "'rb'"),
        (5, "given as int"),
        (None, "given as NoneType"),
        ([1, 2], "given as list"),
    ):
        for call in (lambda source: decode(source, **options), read_header, lambda source: encode(source, **options)):
            with pytest.raises(LcqError, match=words) as caught:
                call(source)
            assert "\n" not in str(caught.value)
    with pytest.raises(LcqError, match=rf"{tmp_path}/a\.lcq: the file ends at byte .*truncated"):
        decode(tmp_path / "a.lcq", **options)
    with pytest.raises(LcqError, match=r"not an \.lcq file"):
        decode(io.BytesIO(png), **options)
    with pytest.raises(ImageError, match="the bytes given: "):
        encode(data[:20], **options)
    for call, whole in ((decode, data), (encode, png)):
        cut = gzip.compress(whole, mtime=0)[: len(whole) // 2]
        with gzip.GzipFile(fileobj=io.BytesIO(cut)) as source, pytest.raises(LcqError, match="end-of-stream marker"):
            call(source, **options)
    with zipfile.ZipFile(io.BytesIO(_zipped_and_damaged(data))) as packed, packed.open("a.lcq") as source:
        for call in (lambda source: decode(source, **options), read_header):
            with pytest.raises(LcqError, match=r"cannot be read: Bad CRC-32 for file 'a\.lcq'"):
                call(source)
    for nothing in (b"", memoryview(np.zeros((0, 4), np.uint8))):
        with pytest.raises(FormatError, match="the file is empty"):
            decode(nothing, **options)


def _zipped_and_damaged(data: bytes) -> bytes:
    """An archive that holds it as a.lcq, with one bit changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.lcq", data)
    archived = bytearray(target.getvalue())
    archived[archived.index(data) + len(data) - 1] ^= 1
    return bytes(archived)


WRONG: dict[str, list[Any]] = {
    "quality": [None, True, "50", b"50", math.nan, -1, 100.5, [50], np.array([1, 2]), np.bool_(True), 10**400],
    "bpp": [False, "1", math.nan, math.inf, 0, -1.0, np.float64("nan"), [1.0]],
    "size": [True, "64", 0, -5, 40_000.5, math.nan, 10**400, np.float32(8)],
    "psnr": [True, "40", math.nan, math.inf, 0],
    "effort": [None, True, "1", 1.0, -1, 10, math.nan],
    "tune": ["", "taste", 5, b"psnr", ["psnr"], np.array([1, 2])],
    "tile": [True, "64", 64.0, -64, 100, math.nan, 10**30, 64 * 10**5000],
    "max_pixels": [None, True, "9", 0, -1, 9.5],
    "strip": ["", "icc", True, b"gps", ["all"], np.array([1, 2])],
    "model": [5, True, b"lattice", [], ""],
    "device": [None, 5, "tpu", ["cpu"], np.array([1, 2])],
}


@pytest.mark.parametrize("name", WRONG)
def test_options_of_the_wrong_type_or_out_of_range(name: str, picture: Image.Image, options: dict[str, Any]) -> None:
    for value in WRONG[name]:
        with pytest.raises(LcqError) as caught:
            encode(picture, **(options | {name: value}))
        assert name in str(caught.value), value
        assert "\n" not in str(caught.value)
        assert "--" not in str(caught.value)  # that is how the command line says it


def test_numbers_of_numpy_are_numbers(picture: Image.Image, data: bytes, options: dict[str, Any]) -> None:
    plain = encode(picture, quality=50, effort=1, tile=64, max_pixels=960, **options)
    assert plain == encode(
        picture,
        quality=np.float32(50),
        effort=np.int64(1),
        tile=np.uint8(64),
        max_pixels=np.int16(960),
        **options,
    )
    assert encode(picture, size=np.int32(20_000), **options) == encode(picture, size=20_000, **options)
    assert decode(data, region=tuple(np.array([8, 0, 16, 8])), max_pixels=np.int64(960), **options).size == (16, 8)


def test_options_of_decode(data: bytes, options: dict[str, Any]) -> None:
    for wrong in (
        {"max_pixels": "9"},
        {"max_pixels": True},
        {"max_pixels": math.nan},
        {"as_array": "no"},
        {"as_array": None},
        {"region": (0, 0, True, 1)},
        {"region": "0,0,8,8"},
        {"region": (0.0, 0, 8, 8)},
        {"region": (10**5000, 0, 8, 8)},
    ):
        with pytest.raises(TargetError, match=next(iter(wrong))):
            decode(data, **(options | wrong))  # type: ignore[call-overload]
    with pytest.raises(LimitError, match="959"):
        decode(data, max_pixels=959, **options)


def test_index_tensors_of_the_wrong_type(options: dict[str, Any]) -> None:
    codec = load(options["model"], "cpu")
    indices = np.zeros((32, 2, 3), np.int32)
    for wrong in ({"quality": "50"}, {"quality": math.nan}, {"width": "48"}, {"height": 10**5000}, {"grey": "yes"}):
        with pytest.raises(TargetError, match=next(iter(wrong))):
            codec.from_indices(indices, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="unlike lengths"):
        codec.from_indices([[1, 2], [3]])  # type: ignore[arg-type]


def test_a_picture_of_too_many_pixels_is_not_decoded(
    png: bytes, picture: Image.Image, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(png)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("it was decoded"))
    for source in (png, tmp_path / "a.png", os.fspath(tmp_path / "a.png"), np.asarray(picture)):
        with pytest.raises(ImageError, match="40x24 pixels: over the limit of 959 that was asked for"):
            encode(source, max_pixels=959, **options)
        with pytest.raises(ImageError, match="40x24 pixels: over the limit of 959 that was asked for"):
            encode(source, max_pixels=959, strip="gps", **options)


def test_a_limit_on_pixels_ends_with_the_call(picture: Image.Image, options: dict[str, Any]) -> None:
    with pytest.raises(ImageError):
        encode(picture, max_pixels=1, **options)
    assert encode(picture, max_pixels=960, **options) == encode(picture, **options)


def test_a_header_is_parsed_once(data: bytes, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader that finds the model is the one that the picture is read from."""
    parsed: list[int] = []

    def counted(view: memoryview, max_pixels: int) -> Any:
        parsed.append(max_pixels)
        return parse(view, max_pixels)

    parse = file._parse
    monkeypatch.setattr(file, "_parse", counted)
    decode(data, max_pixels=10_000, **options)
    assert parsed == [10_000]

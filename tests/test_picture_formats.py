"""The table of formats: what is opened, whatever its name says; what is refused."""

import ast
import errno
import io
import os
import re
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from picture_examples import example, exif, opened, same
from picture_files import files, psd, saved, started, world
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from latticecodec import ImageError, picture
from latticecodec.picture import IMAGE_SUFFIXES, find_images, read, read_file, save, to_array, to_pillow
from latticecodec.picture.exif import orientation
from latticecodec.picture.formats import FORMATS
from latticecodec.picture.metadata import turned

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 6\n%%EndComments\n0 0 9 6 rectfill\n%%EOF\n"
OPTIONAL = {known.name for known in FORMATS if known.extra}
SIGNATURES = {  # of formats that Pillow reads and cannot write
    "BUFR": b"BUFR", "CUR": b"\0\0\2\0", "DCX": b"\xb1\x68\xde\x3a", "FITS": b"SIMPLE", "FLI": bytes(4) + b"\x11\xaf",
    "FPX": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "MIC": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "FTEX": b"FTU!",
    "GBR": bytes(3) + b"\x20\0\0\0\2", "GRIB": b"GRIB", "HDF5": b"\x89HDF\r\n\x1a\n", "ICNS": b"icns",
    "IMT": b"\x0cformat", "IPTC": b"\x1c\1",
    "MCIDAS": b"\0\0\0\0\0\0\0\4", "MPEG": b"\0\0\1\xb3", "PCD": bytes(2048) + b"PCD_", "PIXAR": b"\x80\xe8\0\0",
    "SUN": b"\x59\xa6\x6a\x95", "WMF": b"\xd7\xcd\xc6\x9a\0\0", "XPM": b"/* XPM */", "XVTHUMB": b"P7 332",
}  # fmt: skip
MODES = {"MSP": "1", "PALM": "P", "SPIDER": "F", "XBM": "1", "BLP": "P"}  # where RGB cannot be written


@pytest.fixture
def ghostscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mark that a program called gs would leave."""
    mark, program = tmp_path / "started", tmp_path / "bin" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return mark


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.eps"])
def test_postscript_starts_no_program(ghostscript: Path, tmp_path: Path, name: str) -> None:
    before = len(started)
    (tmp_path / name).write_bytes(POSTSCRIPT)
    with pytest.raises(ImageError, match=f"{name}: not an image of a format that is read"):
        read(tmp_path / name)
    image = Image.open(io.BytesIO(POSTSCRIPT))
    with pytest.raises(ImageError, match=r"EPS is not a format that is read; load the picture before"):
        read(image)
    assert started[before:] == []
    assert not ghostscript.exists()


def test_what_the_caller_has_loaded_is_read_whatever_its_format() -> None:
    image = Image.open(io.BytesIO(saved("TGA")))
    with pytest.raises(ImageError, match=r"TGA is not a format that is read; load the picture before"):
        read(image)
    image.load()
    assert same(read(image), example(3, 8, height=16, width=24))


@pytest.mark.parametrize("name", sorted(files()))
def test_a_file_is_what_its_bytes_say(name: str, tmp_path: Path) -> None:
    path = tmp_path / "misnamed.jpg"
    path.write_bytes(files()[name])
    if name.endswith("moving"):
        with pytest.raises(ImageError, match="an animation of 2 frames; save one frame"):
            read(path)
        return
    pixels = read(path)
    assert pixels.depth == (16 if "16 bits" in name or "10 bits" in name or name == "TIFF, big" else 8)
    assert pixels.colour.size > 1


def test_every_format_has_an_example_and_a_suffix() -> None:
    seen = {name.split(",")[0] for name in files()}
    assert {known.name for known in FORMATS} - seen <= OPTIONAL
    assert len(IMAGE_SUFFIXES) == sum(len(known.suffixes) for known in FORMATS)
    for known in FORMATS:
        assert [other.name for other in FORMATS if other.begins.match(files().get(known.name, b""))] in (
            [known.name],
            [] if known.name in OPTIONAL else [known.name],
        )


@pytest.mark.filterwarnings("ignore:IM image format is deprecated:DeprecationWarning")
def test_every_format_of_pillow_is_in_the_table_or_refused() -> None:
    Image.init()
    own = {name for name, (factory, _) in Image.OPEN.items() if factory.__module__.startswith("PIL.")}
    for name in own - {name for known in FORMATS for name in known.pillow}:
        with pytest.raises(ImageError, match="not an image of a format that is read"):
            opened(SIGNATURES[name].ljust(3000, b"\0") if name in SIGNATURES else of_pillow(name))


def of_pillow(name: str) -> bytes:
    """A file of a format that Pillow writes."""
    if name == "EPS":
        return POSTSCRIPT
    file = io.BytesIO()
    to_pillow(example(3, 8, height=16, width=16)).convert(MODES.get(name, "RGB")).save(file, name)
    return file.getvalue()


@pytest.mark.parametrize("known", [known for known in FORMATS if known.extra], ids=lambda known: known.name)
def test_an_extra_that_is_not_installed(known: object, monkeypatch: pytest.MonkeyPatch) -> None:
    heads = {"HEIC": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "JPEG XL": b"\xff\x0a\xff\x0a"}
    modules = {"HEIC": "pillow_heif", "JPEG XL": "pillow_jxl"}
    told = {
        "HEIC": "x: HEIC needs pillow_heif; pip install 'latticecodec[heif]'",
        "JPEG XL": "x: JPEG XL needs pillow_jxl; pip install 'latticecodec[jxl]'",
    }
    name = known.name  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, modules[name], None)
    with pytest.raises(ImageError, match=re.escape(told[name])):
        opened(heads[name])


def test_folders_are_searched_by_the_same_table(tmp_path: Path) -> None:
    for suffix in IMAGE_SUFFIXES:
        (tmp_path / f"a{suffix}").touch()
    (tmp_path / "B.JFIF").touch()
    for name in ("._photo.png", "notes.txt", "drawing.eps", "a.lcq"):  # the first one is what macOS keeps of a file
        (tmp_path / name).touch()
    assert [path.name for path in find_images(tmp_path)] == sorted(["B.JFIF", *(f"a{s}" for s in IMAGE_SUFFIXES)])


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than passed over, as if its pictures were not there."""
    (tmp_path / "a.png").touch()
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def closed(path: Any) -> Any:
        if os.fspath(path).endswith("closed"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(ImageError, match="closed: the folder cannot be read: Permission denied"):
        find_images(tmp_path)


def test_a_format_is_known_to_its_module_and_the_table_alone() -> None:
    """So that a new one touches these two files."""
    names = {name for known in FORMATS for name in (known.name, *known.pillow)}
    package = Path(picture.__file__).parent
    others = {path for path in package.glob("*.py") if path.name != "vp8l.py"}  # lossless WebP in our files
    for path in (*others, package / "formats" / "format.py", package / "formats" / "__init__.py"):
        texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        assert not texts & names, path
    modules = {path.stem for path in (package / "formats").glob("*.py")} - {"__init__", "format", "nclx", "wide"}
    assert len(modules) == len(FORMATS)


# ---- the process -----------------------------------------------------------------------------------------------------


class Watched(io.BytesIO):
    """A file that looks at the world whenever it is read."""

    seen: set[object] = set()  # noqa: RUF012

    def read(self, size: int | None = -1, /) -> bytes:
        self.seen.add(world())
        return super().read(size)


def test_a_limit_of_pillow_that_a_decoder_asks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    with pytest.raises(
        ImageError, match=r"has more pixels than Pillow's Image\.MAX_IMAGE_PIXELS allows; raise that first"
    ):
        read_file(io.BytesIO(files()["WebP"]), "WebP")


def test_a_profile_that_pillow_does_not_read_is_not_called_damage() -> None:
    file = io.BytesIO()
    save(replace(example(3, 8), icc=bytes(2**20 + 1)), ".png", file)
    texts, many = io.BytesIO(), PngInfo()
    for number in range(66):
        many.add_text(f"{number}", "a" * (2**20 - 1), zip=True)
    Image.new("L", (1, 1)).save(texts, "PNG", pnginfo=many)
    for long in (file, texts):
        with pytest.raises(ImageError, match="has a profile or texts of more bytes than Pillow reads; save it with"):
            read_file(long, "x")


def test_four_threads_leave_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """During the reads too: Pillow's limit on pixels, filters of warnings, settings of numpy and torch."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # smaller than the pictures, which have our own limit
    before, names = world(), ["JPEG", "PNG", "TIFF", "WebP", "AVIF", "GIF", "BMP", "PPM", "TIFF, JPEG", "PNG, 16 bits"]
    failed: list[Exception] = []

    def work() -> None:
        try:
            for name in 2 * names:
                if name != "WebP":  # its decoder asks for Pillow's limit itself
                    read_file(Watched(files()[name]), name)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert Watched.seen == {before}
    assert world() == before


# ---- messages ------------------------------------------------------------------------------------------------------


SENTENCES = (
    "the picture is damaged, cut short, or a kind of ",
    "not an image of a format",
    "the file is cut short",
    "an animation of 2 frames",
)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning", "ignore:Truncated File Read:UserWarning")
@pytest.mark.parametrize("name", sorted(files()))
def test_messages_about_damage_are_sentences_of_ours(name: str) -> None:
    data, draw = files()[name], np.random.default_rng(0)
    messages = [message_of(data[:cut]) for cut in draw.integers(1, len(data), 12)]
    assert [message for message in messages if message and not message.startswith(SENTENCES)] == []
    assert any(messages)


def message_of(data: bytes) -> str:
    """What is wrong with a file; empty for one that is read."""
    try:
        opened(data)
    except ImageError as error:
        return str(error).removeprefix("x: ")
    return ""


def test_what_decoders_say_is_no_more_than_a_hint() -> None:
    damage = "the picture is damaged, cut short, or a kind of {} that is not read; save it anew first"
    data = files()["PNG"]
    assert message_of(data[:-80] + data[-40:]).startswith(damage.format("PNG"))
    assert message_of(b"P5 2 2") == damage.format("PPM") + " (Reached EOF while reading header)"
    assert message_of(b"II*\0") == damage.format("TIFF")  # of which Python says something about buffers
    assert message_of(psd()[:24] + b"\0\x63" + psd()[26:]) == damage.format("PSD")  # a KeyError


def test_libraries_in_c_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    cut = "the file is cut short; take a whole copy of it"
    opened(files()["PNG, 16 bits"])  # whose profile libpng does not take for one
    assert message_of(files()["TIFF"][:700]) == message_of(files()["TIFF, 16 bits"][:900]) == cut
    assert capfd.readouterr() == ("", "")


# ---- HEIC and JPEG XL ------------------------------------------------------------------------------------------------


def test_heic() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    stacked = to_array(example(3, 16, 64, 64))
    file = io.BytesIO()
    image = pillow_heif.from_bytes("RGB;16", (64, 64), stacked.tobytes())
    image.save(file, quality=-1, chroma=444, exif=exif(6))
    pixels = opened(file.getvalue())
    assert (pixels.depth, pixels.channels) == (16, 3)
    assert np.abs(pixels.colour / 65535 - turned(stacked, 6) / 65535).mean() < 0.01
    assert orientation(pixels.exif) == 1  # as the pixels have been turned
    assert pixels.exif == exif(1)


def test_jpeg_xl() -> None:
    pytest.importorskip("pillow_jxl")
    for channels, depth in ((1, 8), (2, 8), (3, 16), (4, 16)):
        pixels = example(channels, depth, 40, 61)
        assert same(opened(imagecodecs.jpegxl_encode(to_array(pixels), lossless=True)), pixels)
    with pytest.raises(ImageError, match="an animation; save one frame"):
        opened(imagecodecs.jpegxl_encode(np.zeros((2, 8, 8, 3), np.uint8)))
    with pytest.raises(ImageError, match="has floating-point samples"):
        opened(imagecodecs.jpegxl_encode(np.zeros((8, 8, 3), np.float32)))


@pytest.mark.parametrize("size", [(8, 8), (512, 512), (16, 32), (1000, 3), (70, 9000), (480, 640), (99, 176)])
def test_the_size_of_a_jpeg_xl_file_is_known_before_it_is_decoded(size: tuple[int, int]) -> None:
    from latticecodec.picture.formats import jxl

    data = imagecodecs.jpegxl_encode(np.zeros(size, np.uint8), lossless=True, effort=1)
    assert jxl.header(data) == (size[1], size[0], False)

"""Pillow with `import latticecodec.pillow`: open, load, save, and its errors."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile, UnidentifiedImageError

import latticecodec.pillow
from latticecodec import FormatError, container
from latticecodec.container import Header, Tile
from latticecodec.container.file import read_header_of


@pytest.fixture
def installed(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny model, installed as `lattice`, and no other."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "models" / "lattice"))
    monkeypatch.setattr("latticecodec.zoo.models_path", [folder.parent])
    return folder


@pytest.fixture
def file(installed: Path, tmp_path: Path, photo: Image.Image) -> Path:
    """photo.lcq, 80x52."""
    photo.resize((80, 52)).save(tmp_path / "photo.lcq", quality=30)
    return tmp_path / "photo.lcq"


def test_open_and_load(file: Path, installed: Path) -> None:
    with Image.open(file) as picture:
        assert (picture.format, picture.size, picture.mode) == ("LCQ", (80, 52), "RGB")
        assert picture.get_format_mimetype() == "image/x-lcq"
        assert picture.info["quality"] == pytest.approx(30, abs=0.05)
        assert picture.info["model"] == latticecodec.read_header(file.read_bytes()).model.hex()
        expected = latticecodec.decode(file.read_bytes())
        np.testing.assert_array_equal(np.asarray(picture), np.asarray(expected))
        assert picture.resize((40, 26)).size == (40, 26)
        picture.putpixel((0, 0), (1, 2, 3))  # as every picture that is loaded
        assert picture.getpixel((0, 0)) == (1, 2, 3)


def test_streams_and_grey(installed: Path, photo: Image.Image) -> None:
    stream = io.BytesIO()
    photo.convert("L").crop((0, 0, 50, 30)).save(stream, "LCQ")
    picture = Image.open(stream)
    assert (picture.size, picture.mode) == ((50, 30), "L")
    picture.load()
    assert not stream.closed  # it is the caller's


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_modes_and_metadata(installed: Path, tmp_path: Path, photo: Image.Image, mode: str) -> None:
    small = photo.resize((40, 30))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(small.convert("L")).astype(np.uint16) * 257)
    else:
        picture = small.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "own.lcq", icc_profile=b"profile", exif=exif, xmp=b"<x/>")
    with Image.open(tmp_path / "own.lcq") as opened:
        for moment in ("open", "loaded"):
            assert (opened.mode, opened.size) == (mode, (40, 30)), moment
            assert opened.info["icc_profile"] == b"profile"
            assert opened.info["xmp"] == b"<x/>"
            assert opened.getexif()[0x0112] == 6
            opened.load()
        opened.save(tmp_path / "again.lcq")  # what was in `info` goes on
        opened.save(tmp_path / "bare.lcq", icc_profile=None, exif=b"", xmp=None)
    again = latticecodec.read_header((tmp_path / "again.lcq").read_bytes())
    assert (again.icc, again.xmp) == (b"profile", b"<x/>")
    assert again.exif == exif.tobytes().removeprefix(b"Exif\0\0")
    bare = latticecodec.read_header((tmp_path / "bare.lcq").read_bytes())
    assert not bare.metadata


def test_save_strips(installed: Path, photo: Image.Image) -> None:
    """Also what it was given itself."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    photo.crop((0, 0, 40, 24)).save(stream, "LCQ", exif=exif, xmp=b"<x/>", icc_profile=b"profile", strip="all")
    header = latticecodec.read_header(stream.getvalue())
    assert (header.exif, header.xmp, header.icc) == (None, None, b"profile")
    assert (header.width, header.height) == (24, 40)  # turned upright


def test_options_of_save(file: Path, installed: Path, tmp_path: Path, photo: Image.Image) -> None:
    large = photo.crop((0, 0, 192, 192))
    large.save(tmp_path / "better.lcq", quality=90, effort=0)
    large.save(tmp_path / "tuned.lcq", tune="ms-ssim", model=installed)
    assert (tmp_path / "better.lcq").read_bytes() == latticecodec.encode(large, quality=90, effort=0)
    assert latticecodec.read_header((tmp_path / "tuned.lcq").read_bytes()).tune == "ms-ssim"
    for wrong in ({"quality": 101}, {"effort": 10}, {"tune": "taste"}, {"tile": 100}, {"strip": "icc"}):
        with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
            large.save(tmp_path / "no.lcq", **wrong)
    for key in ("icc_profile", "exif", "xmp"):
        with pytest.raises(ValueError, match=f"{key} is 'text'; give its bytes, or None"):
            large.save(tmp_path / "no.lcq", **{key: "text"})
    with pytest.raises(OSError, match="unknown model 'lettuce'"):
        large.save(tmp_path / "no.lcq", model="lettuce")
    with pytest.raises(OSError, match="CMYK"):
        large.convert("CMYK").save(tmp_path / "no.lcq")
    assert not (tmp_path / "no.lcq").exists()


def test_targets_and_tiles_of_save(installed: Path, photo: Image.Image) -> None:
    for options in ({"bpp": 1.0}, {"size": 10_000}, {"psnr": 23.3}, {"tile": 64}):
        stream = io.BytesIO()
        photo.save(stream, "LCQ", **options)
        assert stream.getvalue() == latticecodec.encode(photo, **options)
        assert stream.getvalue() != latticecodec.encode(photo)
    with pytest.raises(ValueError, match="exclude each other"):
        photo.save(io.BytesIO(), "LCQ", size=10_000, bpp=1.0)


def test_sixteen_bits_can_be_told(installed: Path) -> None:
    """Pillow has no 16-bit colour; `info` says that the file has it, and decode gives it."""
    deep = np.arange(40 * 30 * 3, dtype=np.uint16).reshape(30, 40, 3) * 18
    data = latticecodec.encode(deep)
    picture = Image.open(io.BytesIO(data))
    assert (picture.mode, picture.info["bit_depth"]) == ("RGB", 16)
    assert latticecodec.decode(data, as_array=True).dtype == np.uint16


def test_a_file_can_be_saved_over_itself(file: Path) -> None:
    picture = Image.open(file)
    picture.save(file, quality=80)
    assert Image.open(file).info["quality"] == pytest.approx(80, abs=0.05)


def test_opening_does_not_import_torch(file: Path) -> None:
    code = (
        "import sys, latticecodec.pillow\n"
        "from PIL import Image\n"
        f"picture = Image.open({str(file)!r})\n"
        "print(picture.size, picture.mode, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(80, 52) RGB False\n"


def test_no_more_is_read_than_the_header(tmp_path: Path) -> None:
    """One with a basis of 8 KiB, in a file of 1 MiB."""
    header = Header(64, 64, 3, bytes(8), 0, 50.0, basis=(7,) * 4096)
    (tmp_path / "long.lcq").write_bytes(container.write(header, [Tile(bytes(1 << 20), 0)]))
    picture = Image.open(tmp_path / "long.lcq")
    assert picture.size == (64, 64)
    assert picture.fp is not None
    length = 32 + (5 + 2 * 4096) + 12  # fixed part, basis, tile table
    assert picture.fp.tell() == length + 4  # and the CRC


@pytest.mark.parametrize("chunk", [1, 100, 1024, 1 << 20])
def test_parser(file: Path, photo: Image.Image, chunk: int) -> None:
    """What is fed piece by piece has a size as soon as the header is there, and is a picture at the end."""
    data = file.read_bytes()
    parser = ImageFile.Parser()
    sizes = []
    for start in range(0, len(data), chunk):
        parser.feed(data[start : start + chunk])
        sizes.append(parser.image.size if parser.image else None)
    header = 32 + 12 + 4  # fixed part, tile table, CRC
    assert sizes.index((80, 52)) <= header // chunk
    np.testing.assert_array_equal(np.asarray(parser.close()), np.asarray(latticecodec.decode(data)))
    assert set(sizes) <= {None, (80, 52)}


def test_parser_that_is_fed_too_little(file: Path) -> None:
    parser = ImageFile.Parser()
    parser.feed(file.read_bytes()[:-5])
    with pytest.raises(OSError, match="truncated"):
        parser.close()
    parser = ImageFile.Parser()
    parser.feed(file.read_bytes()[:20])
    with pytest.raises(OSError, match="cannot parse this image"):
        parser.close()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_metadata_goes_on_into_other_formats(installed: Path, photo: Image.Image, kind: str) -> None:
    """As Pillow's own formats have it in `info`, and back again byte for byte."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    data = latticecodec.encode(photo.crop((0, 0, 40, 24)))
    stream = io.BytesIO()
    latticecodec.decode(data).save(stream, "LCQ", exif=block)
    opened = Image.open(stream)
    for picture in (opened, latticecodec.decode(stream.getvalue())):
        assert picture.info["exif"] == b"Exif\0\0" + block
        other = io.BytesIO()
        picture.save(other, kind, exif=picture.info["exif"])
        assert Image.open(other).getexif()[0x010F] == "a camera"
        assert latticecodec.read_header(latticecodec.encode(picture)).exif == block


def test_a_damaged_header_is_read_once(file: Path) -> None:
    """However much follows it, and whatever length it claims."""
    data = file.read_bytes()
    checksum = data[:20] + bytes([data[20] ^ 1]) + data[21:] + bytes(1 << 20)
    too_long = data[:10] + b"\xff\xff\xff\xff" + data[14:] + bytes(1 << 20)
    for bad, most in ((checksum, 48), (too_long, 32)):
        stream = io.BytesIO(bad)
        with pytest.raises(FormatError):
            read_header_of(stream)
        assert stream.tell() <= most


def test_verify(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tells damage of the payload without decoding it, so that no model is needed."""
    monkeypatch.setattr("latticecodec.zoo.models_path", [])
    Image.open(file).verify()
    data = file.read_bytes()
    flipped = data[:-3] + bytes([data[-3] ^ 4]) + data[-2:]
    for bad, words in ((flipped, "checksum does not match"), (data[:-5], "truncated"), (data + b"?", "goes on to")):
        with pytest.raises(OSError, match=words):
            Image.open(io.BytesIO(bad)).verify()
    picture = Image.open(file)
    picture.verify()
    with pytest.raises(RuntimeError, match="verify must be called directly after open"):
        picture.verify()


def test_damaged_files(file: Path) -> None:
    data = file.read_bytes()
    header_damaged = data[:20] + bytes([data[20] ^ 1]) + data[21:]
    for bad in (header_damaged, data[:30], data[:8], b"GIF89a" + data[6:]):
        with pytest.raises(UnidentifiedImageError):
            Image.open(io.BytesIO(bad))
    with pytest.raises(OSError, match=r"version 2\.0, this reader knows 1\.x"):
        Image.open(io.BytesIO(data[:8] + b"\x02" + data[9:]))
    payload_damaged = data[:-3] + bytes([data[-3] ^ 4]) + data[-2:]
    for bad, words in ((payload_damaged, "checksum does not match"), (data[:-5], "truncated")):
        picture = Image.open(io.BytesIO(bad))
        assert picture.size == (80, 52)
        with pytest.raises(OSError, match=words):
            picture.load()


def test_a_picture_that_was_closed_says_so(file: Path) -> None:
    """As Pillow's own pictures do."""
    picture = Image.open(file)
    picture.close()
    with pytest.raises(ValueError, match="Operation on closed image"):
        picture.load()


def test_a_model_that_is_not_installed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latticecodec.zoo.models_path", [])
    with pytest.raises(OSError, match="which is not installed"):
        Image.open(file).load()


def test_limits_on_pixels(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow's own, against decompression bombs, and the container's."""
    huge = container.write(Header(40_000, 40_000, 1, bytes(8), 0, 50.0), [Tile(b"", 0)])
    with pytest.raises(OSError, match="over the limit of 268,435,456"):
        Image.open(io.BytesIO(huge))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(file)

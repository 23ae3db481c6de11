"""Pictures of every kind on the command line: what is told of them, what is left out, what folders are searched for."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from latticecodec.cli import main
from picture_examples import exif
from picture_files import described, files, moving, saved, written
from PIL import Image

import latticecodec
from latticecodec.picture import read


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the process in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def compress(model: Path, *arguments: object) -> Result:
    """`lcodec compress`, in this process, with the smallest model."""
    return CliRunner().invoke(main, ["compress", *map(str, arguments), "--model", str(model), "--effort", "0"])


def test_what_is_left_out_is_told(here: Path, tiny_model: Path) -> None:
    (here / "phone.jpg").write_bytes(moving("MPO"))
    done = compress(tiny_model, "phone.jpg", "--json")
    assert done.exit_code == 0
    told = "holds several pictures; the first was taken"
    assert done.stderr == f"phone.jpg: {told}\n"
    assert json.loads(done.stdout)["notes"] == [told]


def test_folders_are_searched_for_every_format(here: Path, tiny_model: Path) -> None:
    (here / "in").mkdir()
    for name, format_ in (("a.jfif", "JPEG"), ("b.jp2", "JPEG 2000"), ("c.ico", "ICO"), ("d.pbm", "PPM, bits")):
        (here / "in" / name).write_bytes(files()[format_])
    (here / "in" / "._a.png").write_bytes(b"\0\5\x16\7")  # what macOS keeps beside a.png
    done = compress(tiny_model, "in", "-o", "out")
    assert done.exit_code == 0
    assert sorted(path.name for path in (here / "out").iterdir()) == ["a.lcq", "b.lcq", "c.lcq", "d.lcq"]


def test_strip(here: Path, tiny_model: Path) -> None:
    (here / "photo.jpg").write_bytes(written(described(), ".jpg"))
    assert compress(tiny_model, "photo.jpg", "-o", "whole.lcq").exit_code == 0
    assert compress(tiny_model, "photo.jpg", "-o", "all.lcq", "--strip", "all").exit_code == 0
    assert compress(tiny_model, "photo.jpg", "-o", "gps.lcq", "--strip", "gps").exit_code == 0
    found = {name: latticecodec.read_header((here / f"{name}.lcq").read_bytes()) for name in ("whole", "all", "gps")}
    assert (found["whole"].exif, found["all"].exif, found["all"].xmp) == (exif(), None, None)
    assert len(found["gps"].exif or b"") == len(exif())
    assert found["gps"].exif != exif()
    assert found["all"].icc == found["gps"].icc == found["whole"].icc is not None
    assert compress(tiny_model, "photo.jpg", "-o", "x.lcq", "--strip", "icc").exit_code == 2


def test_pillow_s_warnings_are_not_the_user_s(here: Path, tiny_model: Path, recwarn: pytest.WarningsRecorder) -> None:
    """Of damaged tags; who calls the library has filters of his own."""
    data = saved("TIFF")  # its directory comes first
    (here / "cut.tif").write_bytes(data[:60])
    with pytest.warns(UserWarning, match="Corrupt EXIF data|Truncated"), pytest.raises(latticecodec.ImageError):
        read(here / "cut.tif")
    recwarn.clear()
    done = compress(tiny_model, "cut.tif")
    assert recwarn.list == []
    assert done.exit_code == 1
    assert done.stderr.startswith(
        "Error: cut.tif: the picture is damaged, cut short, or a kind of TIFF that is not read"
    )
    assert done.stderr.count("\n") == 1


def test_avif_is_written(here: Path, tiny_model: Path) -> None:
    (here / "photo.png").write_bytes(written(described(4), ".png"))
    assert compress(tiny_model, "photo.png").exit_code == 0
    done = CliRunner().invoke(main, ["decompress", "photo.lcq", "-o", "back.avif", "--model", str(tiny_model)])
    assert (done.exit_code, done.stderr) == (0, "")
    with Image.open(here / "back.avif") as image:
        assert (image.format, image.mode) == ("AVIF", "RGBA")
    assert read(here / "back.avif").icc == described().icc

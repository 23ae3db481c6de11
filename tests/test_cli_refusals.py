"""What the command line refuses: one line an error, nothing lost and nothing left behind."""

import os
from pathlib import Path

import pytest
from command_line import fails_with, lcodec
from PIL import Image

import latticecodec


def test_bad_input_to_compress(here: Path) -> None:
    (here / "text.png").write_text("hello")
    (here / "empty.png").touch()
    Image.new("CMYK", (4, 4)).save("print.tif")
    fails_with(lcodec("compress", "text.png"), "text.png: not an image")
    fails_with(lcodec("compress", "empty.png"), "empty.png: not an image")
    fails_with(lcodec("compress", "print.tif"), "print.tif", "CMYK", "RGB")
    fails_with(lcodec("compress", "photo.png", "--tile", "100"), "100", "multiple of 64")
    fails_with(lcodec("compress", "photo.png", "-o", "no/where.lcq"), "no/where.lcq", "does not exist")
    fails_with(lcodec("compress", "photo.png", "--model", "lettuce"), "unknown model 'lettuce'", "lattice")
    (here / "there.lcq").write_bytes(b"precious")
    fails_with(lcodec("compress", "photo.png", "-o", "there.lcq"), "--force")
    assert (here / "there.lcq").read_bytes() == b"precious"
    assert lcodec("compress", "photo.png", "-o", "there.lcq", "--force").exit_code == 0
    left = sorted(path.name for path in here.iterdir())
    assert left == ["empty.png", "photo.png", "print.tif", "text.png", "there.lcq"]


def test_bad_input_to_decompress(packed: Path, here: Path, tiny_model: Path) -> None:
    data = packed.read_bytes()
    flipped = data[:-3] + bytes([data[-3] ^ 4]) + data[-2:]
    cases = {
        "empty.lcq": (b"", "not an .lcq file"),
        "text.lcq": (b"hello, this is no picture at all, but longer than a header", "not an .lcq file"),
        "short.lcq": (data[:-5], "truncated"),
        "flipped.lcq": (flipped, "damaged"),
        "future.lcq": (data[:8] + b"\x02" + data[9:], "version 2.0"),
    }
    for name, (content, words) in cases.items():
        (here / name).write_bytes(content)
        fails_with(lcodec("decompress", name, "-o", "x.png", "--model", tiny_model), words)
        fails_with(lcodec("verify", name, "--model", tiny_model), f"{name}: ", words)
        fails_with(lcodec("info", name), f"{name}: ", words)
        assert not (here / "x.png").exists()
    digest = latticecodec.read_header(data).model.hex()
    fails_with(lcodec("decompress", "photo.lcq", "-o", "x.png"), digest, "--model")
    fails_with(lcodec("decompress", "photo.lcq", "-o", "x.png", "--model", "lattice"), digest)
    fails_with(lcodec("decompress", "photo.lcq", "-o", "x.what", "--model", tiny_model), ".what")


def test_several_files_that_would_become_one(here: Path) -> None:
    Image.open("photo.png").save("photo.jpg")
    fails_with(lcodec("compress", "photo.png", "photo.jpg", "-o", "out"), "would both become")
    assert not (here / "out").exists()


def test_outputs_that_must_not_be_replaced(here: Path, tiny_model: Path) -> None:
    before = (here / "photo.png").read_bytes()
    done = lcodec("compress", "photo.png", "-o", "photo.png", "--force", "--model", tiny_model)
    fails_with(done, "photo.png: is the input itself")
    assert (here / "photo.png").read_bytes() == before
    os.mkfifo(here / "pipe")
    fails_with(lcodec("compress", "photo.png", "-o", "pipe", "--force"), "not a regular file")
    fails_with(lcodec("compress", "photo.png", "-o", "missing/"), "missing/: the folder does not exist")
    fails_with(lcodec("compress", ".", "-o", "out", "--model", "lettuce"), "unknown model")
    assert sorted(path.name for path in here.iterdir()) == ["photo.png", "pipe"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["compress", "photo.png", "-q", "101"],
        ["compress", "photo.png", "--nonsense"],
        ["eval", "missing"],
        ["decompress"],
        ["train", "--quantizer", "abacus"],
    ],
)
def test_what_click_rejects_exits_2(here: Path, arguments: list[str]) -> None:
    result = lcodec(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert sorted(path.name for path in here.iterdir()) == ["photo.png"]


@pytest.mark.parametrize("command", ["compress", "decompress", "info", "verify"])
def test_that_a_file_cannot_be_read_is_found_out_by_reading_it(
    command: str, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked beforehand, click would end the whole call with its usage."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (40, 24), "teal").save("a.png")
    own = ["--model", tiny_model, "--effort", 0]
    assert lcodec("compress", "a.png", *own).exit_code == 0
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.R_OK)
    asked = {"compress": ["a.png", "--force", *own], "decompress": ["a.lcq", "--force"]}.get(command, ["a.lcq"])
    given = [] if command in ("compress", "info") else ["--model", tiny_model]
    done = lcodec(command, *asked, *given)
    assert done.exit_code == 0, done.stderr

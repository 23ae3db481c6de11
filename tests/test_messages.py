"""Every error that a user can meet, caused, and held against messages.txt, which reads from top to bottom.

An entry of messages.txt is what somebody does, a command (`$ lcodec ...`) or a call (`>>> ...`), with the one line that
comes of it below; `...` in that line stands for anything. To add one, write both there, and into `folder` what it needs.
"""

import hashlib
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from latticecodec.cli import main
from lcq_parts import parts
from PIL import Image

import latticecodec
from latticecodec import LcqError, evaluation
from latticecodec.codec import Codec

TESTS = Path(__file__).parent
NAMES = {"np": np, "torch": torch, "Image": Image, "Path": Path, "lcq": latticecodec, "evaluation": evaluation}
ENTRIES = re.findall(r"^((?:\$|>>>) .+)\n(.+)$", (TESTS / "messages.txt").read_text(encoding="utf-8"), re.MULTILINE)
CONFIGS: dict[str, dict[str, Any]] = {  # model folders: what is wrong in their config.json
    "no-weights": {},
    "other-weights": {"weights_sha256": 64 * "0"},
    "odd-field": {"colour": "blue"},
    "odd-type": {"groups": 5},
    "odd-count": {"latents": 33},
    "odd-name": {"name": "../escape"},
    "odd-number": {"features": 0},
    "odd-digest": {"prior_sha256": "xyz"},
    "odd-tune": {"tune": "beauty"},
    "odd-quantizer": {"quantizer": "abacus"},
    "other-prior": {"prior_sha256": 64 * "0"},
    "other-shape": {"width8": 64},
    "other-base": {"base": "marble"},
}


@pytest.fixture(scope="module")
def folder(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the entries are about."""
    folder = tmp_path_factory.mktemp("messages")
    _pictures(folder)
    _models(folder, tiny_model)
    shutil.copytree(TESTS / "conformance" / "invalid", folder / "invalid")
    (folder / "frozen").symlink_to(TESTS / "conformance" / "models" / "lattice")
    (folder / "frozen-e8").symlink_to(TESTS / "conformance" / "models" / "lattice-e8")
    (folder / "frozen-vq").symlink_to(TESTS / "conformance" / "models" / "vq")
    codec = latticecodec.load(tiny_model, device="cpu")
    picture = Image.effect_noise((130, 100), 60)
    (folder / "whole.lcq").write_bytes(codec.encode(picture, tile=64))
    broken = parts(codec.encode(picture, tile=64))
    tile = broken.tiles[2]
    (folder / "damaged.lcq").write_bytes(broken.data()[:-3] + b"???")
    (folder / "rows.lcq").write_bytes(broken.with_tile(2, tile, tile).data())  # more than there are tiles
    (folder / "longer.lcq").write_bytes(broken.data() + b"more")
    (folder / "shorter.lcq").write_bytes(broken.data()[:-1])
    return folder


def _pictures(folder: Path) -> None:
    """Images that can be compressed, and files that cannot."""
    picture = Image.effect_noise((24, 16), 60).convert("RGB")
    picture.save(folder / "photo.png")
    picture.save(folder / "photo.jpg")
    (folder / "text.png").write_text("hello")
    (folder / "empty.png").touch()
    (folder / "cut.png").write_bytes((folder / "photo.png").read_bytes()[:200])
    (folder / "cut.ppm").write_bytes(b"P6 4 2 65535\n" + bytes(20))
    (folder / "text.ppm").write_text("P3 1 1 65535\n1 2 3\n")
    (folder / "large.ppm").write_bytes(b"P5 20000 20000 255\n")
    Image.new("L", (70_000, 1)).save(folder / "wide.png")
    Image.new("L", (16_384, 1)).save(folder / "strip.png")
    Image.new("CMYK", (4, 4)).save(folder / "cmyk.tif")
    Image.new("F", (4, 4)).save(folder / "float.tif")
    Image.new("L", (4, 4)).save(folder / "pages.tif", save_all=True, append_images=[Image.new("L", (4, 4))])
    picture.save(folder / "moving.gif", save_all=True, append_images=[picture.rotate(90)])
    picture.convert("RGBA").save(folder / "clear.png")
    (folder / "nothing").mkdir()
    (folder / "nothing" / "notes.txt").touch()
    (folder / "taken.lcq").write_text("what was there")
    (folder / "loop.lcq").symlink_to("loop.lcq")


def _models(folder: Path, tiny_model: Path) -> None:
    """Model folders: `tiny`, and those of CONFIGS."""
    shutil.copytree(tiny_model, folder / "tiny")
    config = json.loads((tiny_model / "config.json").read_text())
    for name, change in CONFIGS.items():
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(json.dumps(config | change))
        (folder / name / "model.safetensors").symlink_to(tiny_model / "model.safetensors")
    (folder / "no-weights" / "model.safetensors").unlink()
    (folder / "no-json").mkdir()
    (folder / "no-json" / "config.json").write_text("{")
    shutil.copytree(tiny_model, folder / "no-tensors")
    (folder / "no-tensors" / "model.safetensors").write_bytes(b"no tensors")
    digest = hashlib.sha256(b"no tensors").hexdigest()
    (folder / "no-tensors" / "config.json").write_text(json.dumps(config | {"weights_sha256": digest}))


def _come_of(done: str, codec: Codec) -> str:
    """The line that comes of what is done."""
    if done.startswith("$ lcodec "):
        result = CliRunner().invoke(main, shlex.split(done.removeprefix("$ lcodec ")))
        assert result.exit_code in (1, 2), result.output
        assert isinstance(result.exception, SystemExit)
        assert result.stdout == ""
        lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        assert len(lines) == 1 or "of" in lines[-1]
        return lines[0].removeprefix("Error: ")
    with pytest.raises(LcqError) as caught:
        eval(done.removeprefix(">>> "), NAMES | {"codec": codec})
    return str(caught.value)


@pytest.mark.parametrize(("done", "line"), ENTRIES, ids=[done for done, _ in ENTRIES])
def test_the_line_that_comes_of_it(
    folder: Path, done: str, line: str, tiny: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(path.name for path in folder.iterdir())
    told = _come_of(done, tiny)
    pattern = ".*".join(re.escape(part) for part in line.split("..."))
    assert re.fullmatch(pattern, told), told
    assert not re.search(r"Errno|Traceback|Exception|\bNone\b|<class|\(\)|\n|  ", told)
    assert not re.search(r"[:;,(\s]$", told)
    assert sorted(path.name for path in folder.iterdir()) == before  # nothing is left behind, nothing lost


def test_no_entry_stands_twice() -> None:
    assert len(ENTRIES) > 150
    assert len(dict(ENTRIES)) == len(ENTRIES)

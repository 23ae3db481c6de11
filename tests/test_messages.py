"""Every error that a user can meet, caused, and held against messages.txt, which reads from top to bottom.

An entry of messages.txt is what somebody does, a command (`$ lcodec ...`) or a call (`>>> ...`), with the one line that
comes of it below; `...` in that line stands for anything. To add one, write both there, and what it needs in `folder`.
"""

import ast
import hashlib
import io
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from latticecodec.cli import main
from latticecodec.cli.messages import OPTIONS, in_options
from lcq_parts import parts
from picture_files import psd
from PIL import Image
from safetensors.torch import save

import latticecodec
from latticecodec import LcqError
from latticecodec.codec import Codec
from latticecodec.lab import evaluation, quantizers
from latticecodec.lab.quantizers.signed import SignedLattice
from latticecodec.lab.training import run
from latticecodec.lab.training.parts import join_parts
from latticecodec.picture import read
from latticecodec.picture import save as save_picture

TESTS = Path(__file__).parent
ENTRIES = re.findall(r"^((?:\$|>>>) .+)\n(.+)$", (TESTS / "messages.txt").read_text(encoding="utf-8"), re.MULTILINE)
ELSEWHERE = re.findall(r"^~ ([^:]+): (.+)$", (TESTS / "messages.txt").read_text(encoding="utf-8"), re.MULTILINE)
ROOT = TESTS.parent
PLACES = (ROOT / "cli", ROOT / "latticecodec")  # whose errors are all here
PILLOWS = {"ValueError", "RuntimeError"}  # what those who open a picture with Pillow expect
OURS = {name for name in dir(latticecodec) if name.endswith("Error")} | {"ColumnError", "StorageError"}
NEIGHBOURS = 4  # words of a message by which it is found in the test that causes it
CONFIGS: dict[str, dict[str, Any]] = {  # model folders: what is wrong in their config.json
    "no-weights": {},
    "other-weights": {"weights_sha256": 64 * "0"},
    "odd-field": {"colour": "blue"},
    "odd-type": {"groups": 5},
    "odd-count": {"latents": 33},
    "odd-group": {"group": 3},
    "odd-name": {"name": "../escape"},
    "odd-number": {"features": 0},
    "odd-digest": {"prior_sha256": "xyz"},
    "odd-tune": {"tune": "beauty"},
    "odd-quantizer": {"quantizer": "abacus"},
    "odd-reach": {"reach": ["low", "high"]},
    "odd-groups": {"groups": [0]},
    "odd-codes": {"codes": 4},
    "odd-books": {"books": [2]},
    "odd-lambda": {"lambda_min": 1},
    "odd-octaves": {"octaves": 99},
    "odd-sums": {"latents": 1000},
    "odd-finite": {"lambda_max": "much"},
    "odd-string": {"name": 5},
    "odd-blocks": {"analysis_blocks": [0, 1]},
    "vq-groups": {"quantizer": "vq", "groups": [4], "codes": 16},
    "vq-width": {"quantizer": "vq", "groups": [32], "codes": 16, "context_width": 4},
    "adaptive-books": {"quantizer": "adaptive", "groups": 16 * [2], "codes": 28, "books": [16, 8, 3]},
    "adaptive-none": {"quantizer": "adaptive", "groups": 16 * [2], "codes": 28},
    "adaptive-groups": {"quantizer": "adaptive", "groups": 8 * [4], "codes": 28, "books": [16, 8, 4]},
    "larger": {"width8": 512},
    "other-prior": {"prior_sha256": 64 * "0"},
    "other-shape": {"width8": 64},
    "other-base": {"base": "marble"},
}


class Text:
    """A file that gives text."""

    def read(self, size: int = -1) -> str:
        return "text"[:size]


class Gone:
    """A file on a line that is cut."""

    def read(self, size: int = -1) -> bytes:
        raise OSError("no longer there")


CLOSED = io.BytesIO()
CLOSED.close()
NAMES = {
    "io": io,
    "np": np,
    "torch": torch,
    "Image": Image,
    "Path": Path,
    "Text": Text,
    "Gone": Gone,
    "closed": CLOSED,
    "lcq": latticecodec,
    "evaluation": evaluation,
    "quantizers": quantizers,
    "SignedLattice": SignedLattice,
    "run": run,
    "join_parts": join_parts,
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
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 130), np.uint8))
    (folder / "whole.lcq").write_bytes(codec.encode(picture, tile=64))
    broken = parts(codec.encode(picture, tile=64))
    (folder / "damaged.lcq").write_bytes(broken.data()[:-3] + b"???")
    (folder / "longer.lcq").write_bytes(broken.data() + b"more")
    (folder / "shorter.lcq").write_bytes(broken.data()[:-1])
    return folder


def _pictures(folder: Path) -> None:
    """Images that can be compressed, and files that cannot."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8))
    picture.save(folder / "photo.png")
    picture.save(folder / "photo.jpg")
    (folder / "text.png").write_text("hello")
    (folder / "no.parquet").write_text("hello")
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
    Image.new("I", (4, 4)).save(folder / "bits.tif")
    Image.new("I;16", (4, 4)).save(folder / "deep.png")
    picture.save(folder / "photo.tga")
    packed = io.BytesIO()
    save_picture(read(picture), "tif", packed)
    (folder / "zip.tif").write_bytes(packed.getvalue()[: packed.tell() // 2])
    picture.save(folder / "raw.tif", tiffinfo={254: 1})
    (folder / "layers.psd").write_bytes(psd(2, composite=False))
    (folder / "nothing").mkdir()
    (folder / "nothing" / "notes.txt").touch()
    (folder / "plots").mkdir()
    picture.save(folder / "plots" / "holiday.png")
    (folder / "taken.lcq").write_text("what was there")
    (folder / "loop.lcq").symlink_to("loop.lcq")
    (folder / "trained" / "model").mkdir(parents=True)
    (folder / "halfway").mkdir()
    (folder / "halfway" / "checkpoint.pt").touch()
    (folder / "halfway" / "stable.pt").touch()


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
    for name, data in {
        "no-tensors": b"no tensors",
        "double": save({"analysis.enter.bias": torch.zeros(3).double()}),
        "not-finite": save({"analysis.enter.bias": torch.full((3,), torch.nan)}),
    }.items():
        (folder / name).mkdir()
        (folder / name / "model.safetensors").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        (folder / name / "config.json").write_text(json.dumps(config | {"weights_sha256": digest}))


def _come_of(done: str, codec: Codec) -> str:
    """The line that comes of what is done."""
    if done.startswith("$ lcodec "):
        result = CliRunner().invoke(main, shlex.split(done.removeprefix("$ lcodec ")))
        assert result.exit_code in (1, 2), result.output
        assert isinstance(result.exception, SystemExit)
        assert result.stdout == ""
        first, *others = re.findall(r"^Error: (.*)$", result.stderr, re.MULTILINE)
        if others:  # a line for each file that failed, and their count
            counted = re.fullmatch(r"(\d+) (of \d+ files failed|cannot be worked on); .+", others[-1])
            assert counted, result.stderr
            assert int(counted[1]) == len(others)
        return str(first)
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


def test_every_message_of_the_code_is_there() -> None:
    """An error whose words no line has: cause it in messages.txt, or say there which test does."""
    assert len(dict(ENTRIES)) == len(ENTRIES)
    lines = [line for _, line in ENTRIES + ELSEWHERE]
    missing = [
        f"{path.relative_to(ROOT)}:{number}: {'...'.join(words)}"
        for place in PLACES
        for path in sorted(place.rglob("*.py"))
        for number, words in _made(path)
        if not any(all(part in line or in_options(part).strip("` ") in line for part in words) for line in lines)
    ]
    assert not missing, "\n".join(missing)


def test_parameters_have_options() -> None:
    """What errors of the library have in backticks is a name that the command line puts its own in the place of."""
    named = {
        name
        for path in (ROOT / "latticecodec").rglob("*.py")
        for _, words in _made(path)
        for word in words
        for name in re.findall(r"`([\w.]+)`", word)
    }
    assert named <= OPTIONS.keys()
    options = {option for name in main.commands for each in main.commands[name].params for option in each.opts}
    assert {option for option in OPTIONS.values() if option.startswith("-")} <= options
    assert in_options("`overwrite` begins `anew`") == "--force begins `anew`"


def _made(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line and words, what is filled in left out, of every error of ours that a file makes."""
    ours = OURS | PILLOWS if path == ROOT / "latticecodec" / "pillow.py" else OURS
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and getattr(node.func, "id", "") in ours:
            parts = (part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant))
            if words := [part.strip() for part in parts if isinstance(part, str) and re.search(r"\w{3}", part)]:
                yield node.lineno, words


@pytest.mark.parametrize("name", sorted({name for name, _ in ELSEWHERE if name != "guard"}))
def test_what_is_caused_elsewhere_is_there(name: str) -> None:
    """Four words of each message, in a row, stand in the test that is named, or in a helper that it imports."""
    file = ROOT / name
    told = {group for path in (file, *_helpers(file)) for text in _texts(path) for group in _neighbours(text)}
    assert [line for other, line in ELSEWHERE if other == name and not told & _neighbours(line)] == []


def _helpers(test: Path) -> list[Path]:
    """The modules beside a test that it imports names of."""
    imports = (
        node for node in ast.walk(ast.parse(test.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)
    )
    return [path for node in imports if (path := TESTS / f"{node.module}.py").exists()]


def _texts(path: Path) -> Iterator[str]:
    """Every text of a file but for documentation, as it is without the backslashes of patterns."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in documentation:
            text = node.value if isinstance(node.value, str) else node.value.decode(errors="ignore")
            yield text.replace("\\", "")


def _neighbours(text: str) -> set[tuple[str, ...]]:
    """So many words at a time."""
    words = re.findall(r"\w+", text)
    return {tuple(words[start : start + NEIGHBOURS]) for start in range(len(words) - NEIGHBOURS + 1)}

"""The script for a rented machine, from photographs to a model that compresses; rehearsed on the processor."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from PIL import Image
from short_runs import HASTY, train

from latticecodec import TrainingError, load
from latticecodec.lab.training.checkpoint import load_state
from latticecodec.lab.training.options import TrainOptions
from latticecodec.lab.training.parts import join_parts, write_parts
from latticecodec.lab.training.schedule import Schedule
from latticecodec.lab.training.synthetic import synthetic_picture

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "docs" / "rented_gpu.py"
CALLED = "    python docs/rented_gpu.py "
SMALL = ("--preset", "lc-test", "--device", "cpu", "--batch", "2", "--crop", "64")
NOT_THERE = (  # on such a machine
    "click", "constriction", "imagecodecs", "onnxruntime", "pytorch_msssim", "pytorch_optimizer",
)  # fmt: skip


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("rented_gpu", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Call = Callable[..., str]


@pytest.fixture
def call(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs the script in a folder that has photos/, where two steps are a trial; returns what it prints."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for seed in range(4):
        Image.fromarray(synthetic_picture(seed, 120, 160).permute(1, 2, 0).numpy()).save(f"photos/{seed}.png")
    monkeypatch.setattr(script, "TRIAL_STEPS", 2)

    def call(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["rented_gpu.py", *words])
        script.main()
        return capsys.readouterr().out

    return call


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--help"], "--from docs/training/lattice-2.pt"),
        (
            ["train", "--data", "photos", "--out", "weights", "--minutes", "0.001", *SMALL],
            "final-0.part, stable-0.part",
        ),
    ],
)
def test_it_works_where_little_is_installed(call: Call, words: list[str], told: str) -> None:
    """In a process of its own, which has imported nothing."""
    hidden = f"import runpy, sys; sys.modules.update(dict.fromkeys({NOT_THERE})); sys.argv = {['', *words]}; "
    started = f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", hidden + started], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert told in done.stdout


def test_what_needs_a_gpu_runs_where_little_is_installed(tmp_path: Path) -> None:
    """With constriction and pytest, but not what other tests take; without a GPU the rows of the processor run."""
    absent = {*NOT_THERE, "fsspec", "hypothesis", "pyarrow", "ray", "scipy", "skimage", "xdist"} - {"constriction"}
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules.update(dict.fromkeys({sorted(absent)}))")
    started = f"import runpy; runpy.run_path({str(SCRIPT)!r})['run_cuda_tests']()"
    alone = {"PYTHONPATH": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-k 'cpu or pass'"}
    command = [sys.executable, "-c", started]
    done = subprocess.run(command, env=os.environ | alone, capture_output=True, text=True, check=False)
    assert "CUDA tests: passed" in done.stdout, done.stdout + done.stderr
    assert re.search(r"6 passed, \d+ skipped" if not torch.cuda.is_available() else r"\d+ passed", done.stdout)


def of_pages() -> list[str]:
    """The lines of documents and model cards that call the script; two spaces begin a comment."""
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "models").glob("*/README.md")]
    lines = (line for page in pages for line in page.read_text(encoding="utf-8").splitlines())
    return [line.removeprefix(CALLED).split("  ")[0] for line in sorted(lines) if line.startswith(CALLED)]


def test_lines_of_documents_parse(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    for name in ("pack", "check", "train_parts", "join"):
        monkeypatch.setattr(script, name, lambda arguments: parsed.append(arguments.command))
    for line in of_pages():
        monkeypatch.setattr(sys, "argv", ["rented_gpu.py", *line.split()])
        script.main()
    assert set(parsed) == {"pack", "check", "train", "join"}


def test_photographs_to_parts_to_a_model(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tick(schedule: Schedule) -> None:  # a fifth of a second each time
        schedule.seconds += 0.2

    monkeypatch.setattr(Schedule, "tick", tick)
    Path("photos/program.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    packed = call("pack", "photos", "--out", "small")
    assert "left out: photos/program.jpg: not an image of a format that is read" in packed
    assert "4 of 5 pictures" in packed
    small = ("--data", "small", *SMALL)
    with monkeypatch.context() as patch:
        for name in NOT_THERE:
            patch.setitem(sys.modules, name, None)
        assert "s a step" in call("check", *small)
        assert "stable-0.part" in call("train", *small, "--minutes", "0.02", "--out", "weights")
        call("train", *small, "--minutes", "0.01", "--from", "weights", "--out", "more")
    assert "model written to" in call("join", "more", "--out", "home")
    codec = load(tmp_path / "home" / "model", device="cpu")
    picture = Image.open("photos/0.png")
    assert codec.decode(codec.encode(picture)).size == picture.size
    earlier, stable = (join_parts(tmp_path / name, "stable", tmp_path / f"{name}.pt") for name in ("weights", "more"))
    assert earlier["step"] < load_state(tmp_path / "home" / "final.pt")["step"]  # the second went on from the first
    assert stable["begun"] == earlier["step"]
    assert "optimiser" not in stable


def test_what_cannot_be_trained_is_said_before_a_minute_is_spent(call: Call) -> None:
    Path("weights").mkdir()
    Path("one").mkdir()
    Path("one/a.png").write_bytes(Path("photos/0.png").read_bytes())
    for data, out, told in (
        ("photos", "weights", "weights: exists already; choose another"),
        ("one", "new", "holds one"),
    ):
        with pytest.raises(SystemExit, match=told):
            call("train", "--data", data, "--out", out, "--minutes", "0.001", *SMALL)


def test_networks_that_cannot_learn_are_refused(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before minutes are spent on them: a context network that nothing comes out of, so that nothing goes back in."""
    train(tmp_path / "run", "lattice", options=TrainOptions(steps=2, batch=2, crop=64, warm_up=1))
    alive = tmp_path / "run" / "stable.pt"
    again = ("--data", "photos", *SMALL, "--from")
    assert "s a step" in call("check", *again, str(alive))
    with pytest.raises(SystemExit, match=r"stable\.pt: is of another model"):
        call("check", "--data", "photos", "--preset", "lc-s", *SMALL[2:], "--from", str(alive))
    state = load_state(alive)
    state["model"]["prior.hyper.enter.bias"] -= 9  # no unit above zero, as a first run once ended with
    torch.save(state, "sleeping.pt")
    assert "units of the prior that were never above zero and have a gradient again: " in call(
        "check", *again, "sleeping.pt"
    )
    monkeypatch.setattr("latticecodec.lab.training.loop.LOOK", 3)
    for kept in (state["model"], state["average"]):
        kept["prior.context.leave.weight"] *= 0
    torch.save(state, "dead.pt")
    told = r"^Error: no gradient up to step 3, so .* in [^;]*prior\.hyper\.\*,[^;]*; begin with other weights"
    with pytest.raises(SystemExit, match=told):
        call("check", *again, "dead.pt")
    with pytest.raises(SystemExit, match=told):
        call("train", *again, "dead.pt", "--minutes", "5", "--out", "weights")
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("pack", "nowhere", "--out", "small"), "nowhere: no such folder"),
        (("pack", "photos", "--mib", "0", "--out", "small"), "photos: holds no picture that can be read and fits"),
        (("check", "--data", "photos", *SMALL, "--crop", "100"), "--crop 100 is not a multiple of 64; try 128"),
        (("pack", "photos", "--out", "photos"), "photos: File exists; choose another --out"),
        (("check", "--data", "photos", *SMALL, "--from", "nowhere"), r"nowhere: holds no stable-0\.part"),
        (
            ("train", "--data", "photos", *SMALL, "--minutes", "1", "--out", "x", "--from", "photos/0.png"),
            "not a checkp",
        ),
        (("join", "photos", "--out", "home"), r"photos: holds no stable-0\.part"),
    ],
)
def test_what_it_cannot_use_is_one_line(call: Call, words: tuple[str, ...], line: str) -> None:
    with pytest.raises(SystemExit, match=rf"^Error: .*{line}[^\n]*$"):
        call(*words)
    assert not Path("small").exists()


@pytest.mark.parametrize("option", ["--crop", "--batch"])
def test_no_crops_are_refused_as_argparse_does(call: Call, capsys: pytest.CaptureFixture[str], option: str) -> None:
    with pytest.raises(SystemExit) as error:
        call("check", "--data", "photos", option, "0")
    assert error.value.code == 2
    assert f"argument {option}: '0' is not a whole number from 1 up" in capsys.readouterr().err


def test_parts_are_small_and_replace_older_ones(script: ModuleType, tmp_path: Path) -> None:
    train(tmp_path / "run", "lattice", options=HASTY)
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    many = write_parts(checkpoint, tmp_path / "parts", "w", part_bytes=20_000)
    assert len(many) > 10  # and -10 comes after -9
    assert all(path.stat().st_size <= 20_000 for path in many)
    whole, before = join_parts(tmp_path / "parts", "w", tmp_path / "whole.pt"), load_state(checkpoint)
    assert whole["step"] == 6
    assert all(torch.equal(value, before["model"][name].half()) for name, value in whole["average"].items())
    write_parts(checkpoint, tmp_path / "parts", "a", averaged=True)
    mean = join_parts(tmp_path / "parts", "a", tmp_path / "mean.pt")
    assert all(torch.equal(mean["model"][name], value.half()) for name, value in before["average"].items())
    for part in tmp_path.glob("parts/a-*"):
        part.unlink()
    fewer = write_parts(checkpoint, tmp_path / "parts", "w", part_bytes=200_000)
    assert sorted(tmp_path.glob("parts/*")) == sorted(fewer)
    with pytest.raises(TrainingError, match=r"holds no x-0\.part"):
        join_parts(tmp_path / "parts", "x", tmp_path / "none.pt")

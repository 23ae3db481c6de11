"""Data sets that papers are rerun with, and results that are kept: their keys, damaged files, the committed page."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from paper_rows import KINDS, result
from PIL import Image

from latticecodec.errors import OutputError, TrainingError
from latticecodec.lab.depends import PACKAGE
from latticecodec.lab.papers.datasets import DATASETS, load
from latticecodec.lab.papers.page.plots import pyplot
from latticecodec.lab.papers.results import Results, key
from latticecodec.lab.papers.run import source_files


def test_folders_of_pictures(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("test", 2)):
        (tmp_path / "mnist" / part / "7").mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (40, 56), (number, 0, 0)).save(tmp_path / "mnist" / part / "7" / f"{number}.png")
    pictures = load(DATASETS["mnist"], tmp_path)
    assert pictures.train.shape == (3, 1, 28, 28)
    assert pictures.test.dtype == torch.uint8


def test_data_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"cifar10.*get github.com"):
        load(DATASETS["cifar10"], tmp_path)
    np.savez(tmp_path / "mnist.npz", x_train=np.zeros((3, 32, 32), np.uint8), x_test=np.zeros((3, 28, 28), np.uint8))
    with pytest.raises(
        TrainingError, match=r"mnist.npz: x_train is uint8 \(3, 32, 32, 1\), not uint8 pictures of mnist"
    ):
        load(DATASETS["mnist"], tmp_path)
    np.savez(tmp_path / "cifar10.npz", x_train=np.zeros((0, 32, 32, 3), np.uint8), x_test=np.zeros(3))
    with pytest.raises(TrainingError, match="x_train has no pictures"):
        load(DATASETS["cifar10"], tmp_path)
    for part in ("train", "test"):
        (tmp_path / "tiny-imagenet" / part).mkdir(parents=True)
    with pytest.raises(TrainingError, match="train: holds no image files"):
        load(DATASETS["tiny-imagenet"], tmp_path)


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


PIXELS = np.random.default_rng(0).integers(0, 256, (9, 28, 28), np.uint8)
WHOLE = npz(x_train=PIXELS, x_test=PIXELS)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        WHOLE[:200],
        WHOLE[:90] + 50 * b"\xff" + WHOLE[140:],  # in the compressed pixels
        npy(PIXELS),
        npz(x_train=PIXELS),
        npz(x_train=PIXELS, x_test=np.array([None])),
    ],
    ids=["empty", "text", "cut short", "damaged", "one array", "no x_test", "objects"],
)
def test_an_npz_file_that_is_none_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fashion-mnist.npz").write_bytes(content)
    with pytest.raises(TrainingError, match=r"^\S+fashion-mnist.npz: is not an npz file with x_train and x_test.*$"):
        load(DATASETS["fashion-mnist"], tmp_path)


def test_plots_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(TrainingError, match=r"the plots need matplotlib: pip install 'latticecodec\[papers\]'"):
        pyplot()


def test_the_source_of_a_result_is_all_that_trains_and_measures_it() -> None:
    """Networks, quantizers and measures with what they import, the coder of real bytes among it; no table, no page."""
    decides = {str(file.relative_to(PACKAGE)) for file in source_files()}
    papers = {f"lab/papers/{name}.py" for name in ("bottleneck", "context", "loop", "measure", "stream", "datasets")}
    others = {"lab/nets/autoencoders.py", "lab/quantizers/signed.py", "lab/arithmetic.py", "lab/ranks.py"}
    assert papers | others | {"entropy/coder.py"} <= decides
    assert not {name for name in decides if name.startswith(("picture/", "kinds/", "lab/training/", "cli/"))}
    assert not {"tables", "verdicts", "page"} & {file.parent.name for file in source_files()}


def test_results_survive_an_interrupted_line_and_name_a_bad_one(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    Results(file).add(result(KINDS["vq"]))
    whole = file.read_text()
    file.write_text(whole + '{"key": "cut o')
    assert Results(file).get(KINDS["vq"], "fashion-mnist", "full", 0) is not None
    assert file.read_text() == whole
    file.write_text("something else\n" + whole)
    with pytest.raises(OutputError, match="line 1 is not a result of lcodec reproduce; take it out"):
        Results(file)
    file.write_text(whole[:-1])  # whole but for its end
    assert list(Results(file).known.values()) == [json.loads(whole)]
    assert file.read_text() == whole


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\xff",
        b"\xff",
        b"one line of somebody's",
        b"[" * 100_000 + b"\n",
        b"[]\n",
        b"\n",
    ],
    ids=["picture", "byte", "text", "brackets", "list", "empty line"],
)
def test_another_file_is_refused_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "results.jsonl"
    file.write_bytes(content)
    with pytest.raises(
        OutputError, match=r"^\S+results.jsonl: line 1 is not a result of lcodec reproduce; take it out"
    ):
        Results(file)
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    "change",
    [
        {"budget": 5},
        {"budget": "most"},
        {"budget": "nan %"},
        {"seed": None},
        {"metrics": {"mse": 0.1}},
        {"metrics": {"parameters": 64, "mse": "low"}},
        {"history": [{"step": 0}]},
        {"failed": 1},
    ],
    ids=str,
)
def test_a_result_that_lacks_what_all_have_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    """And not found out later, while the page is written."""
    file = tmp_path / "results.jsonl"
    file.write_text(json.dumps(result(KINDS["vq"]) | change) + "\n")
    with pytest.raises(OutputError, match="line 1 is not a result"):
        Results(file)


def test_the_folder_of_results_is_made_with_the_first(tmp_path: Path) -> None:
    results = Results(tmp_path / "new" / "results.jsonl")
    assert not (tmp_path / "new").exists()
    results.add(result(KINDS["vq"]))
    assert len(Results(results.file).known) == 1
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written: a part of its path is a file"):
        Results(tmp_path / "file" / "results.jsonl").add(result(KINDS["vq"]))


def test_the_key_of_a_full_result_knows_nothing_of_quick_settings() -> None:
    other = replace(KINDS["vq"], quick_steps=99)
    assert key(other, "mnist", "full", 0) == key(KINDS["vq"], "mnist", "full", 0)
    assert key(other, "mnist", "quick", 0) != key(KINDS["vq"], "mnist", "quick", 0)
    assert key(other, "mnist", "10 %", 0) == key(KINDS["vq"], "mnist", "10 %", 0) != key(other, "mnist", "full", 0)
    assert key(KINDS["vq"], "mnist", "full", 1) != key(KINDS["vq"], "mnist", "full", 0)


def test_every_line_of_the_committed_page_has_a_verdict() -> None:
    page = (Path(__file__).parent.parent / "docs" / "papers.md").read_text(encoding="utf-8")
    verdicts = [line.rsplit(" | ", 1)[1] for line in page.splitlines() if line.startswith("| ") and " | " in line]
    verdicts = [text for text in verdicts if not text.startswith("verdict")]
    words = ("reproduced", "direction only", "refuted", "the opposite", "not so", "not possible")
    assert len(verdicts) >= 60
    assert sum("not measured" not in text for text in verdicts) >= 35
    assert [text for text in verdicts if not text.startswith(words)] == []

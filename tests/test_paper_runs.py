"""Rows of a paper one after the other: interrupted ones go on, measured ones are not measured again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from paper_rows import FASHION, KINDS, TINY, result

from latticecodec.errors import TrainingError
from latticecodec.lab.papers import released, resume
from latticecodec.lab.papers.datasets import DATASETS, load, missing
from latticecodec.lab.papers.experiment import FULL
from latticecodec.lab.papers.figures import Gallery
from latticecodec.lab.papers.measure import measure
from latticecodec.lab.papers.model import PaperModel
from latticecodec.lab.papers.results import Result, Results
from latticecodec.lab.papers.run import Job, plan, run
from latticecodec.lab.papers.tables import find

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


def test_an_interrupted_row_goes_on_to_the_same_result(
    small_fashion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "MINUTES", 0.0)  # saved before every step
    experiment = replace(KINDS["adaptive"], quick_steps=7, flip=True)
    job = Job("balance-2", "adaptive", experiment, "fashion-mnist", 0)

    def results_in(name: str, advance: Callable[[int, int], None] = lambda *_: None) -> Results:
        results = Results(tmp_path / f"{name}.jsonl")
        run([job], small_fashion, TINY, results, CPU, advance, lambda *_: None)
        return results

    def interrupted(done: int, total: int) -> None:
        if done >= total // 2:
            raise KeyboardInterrupt

    (whole,) = results_in("whole").known.values()
    with pytest.raises(KeyboardInterrupt):
        results_in("parts", interrupted)
    assert [file.suffix for file in (tmp_path / "parts-unfinished").iterdir()] == [".pt"]
    moves: list[int] = []
    (parts,) = results_in("parts", lambda done, total: moves.append(done)).known.values()
    assert moves[0] == 1000 * 4 // 7  # the step before which it was interrupted
    for name in ("metrics", "history", "learning_steps"):
        assert parts[name] == whole[name]
    assert not (tmp_path / "parts-unfinished").exists()
    first, second = (sorted((tmp_path / f"{name}-pictures").iterdir()) for name in ("whole", "parts"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_a_row_that_goes_on_elsewhere_names_both_machines_and_no_seconds(
    small_fashion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the type of networks that it began with; in another it begins anew, and has the seconds of one machine."""
    monkeypatch.setattr(resume, "MINUTES", 0.0)
    job = Job("ll-5", "LL-VQ-VAE", KINDS["lattice"], "fashion-mnist", 0)

    def row(name: str, stop: int = 9, machine: str = "one", fast: bool = False) -> Result:
        """What the file of this name has after a training that is interrupted at a step."""
        monkeypatch.setattr("latticecodec.lab.papers.loop.hardware", lambda device: machine)
        monkeypatch.setattr("latticecodec.lab.papers.run.has_fast_bfloat16", lambda device: fast)
        results = Results(tmp_path / f"{name}.jsonl")

        def advance(done: int, total: int) -> None:
            if done >= 1000 * stop // 3:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            run([job], small_fashion, TINY, results, CPU, advance, lambda *_: None)
        return next(iter(results.known.values()), {})

    hardware, metrics = {}, []
    for name, machine, fast in (("same", "one", False), ("moved", "other", False), ("type", "other", True)):
        assert row(name, stop=1) == {}
        if name == "moved":
            assert row(name, stop=2, machine=machine) == {}
        parts = row(name, machine=machine, fast=fast)
        hardware[name], metrics = parts["hardware"], [*metrics, parts["metrics"]]
        assert (parts["seconds"] is None) == (name == "moved")
        assert list(Results(tmp_path / f"{name}.jsonl").known) == [parts["key"]]
    assert hardware == {"same": "one", "moved": "one, then other", "type": "other"}
    assert metrics == 3 * metrics[:1]


def test_results_of_other_pictures_are_neither_taken_nor_added_to(small_fashion: Path, tmp_path: Path) -> None:
    results = Results(tmp_path / "results.jsonl")
    jobs = [Job("ll-5", "VQ-VAE", KINDS[kind], "fashion-mnist", 0) for kind in ("vq", "lattice")]
    results.add(result(KINDS["vq"], budget="quick") | {"digest": load(FASHION, small_fashion).digest})
    run(jobs[:1], small_fashion, TINY, results, CPU, lambda *_: None, lambda *_: None)  # it is there already
    other = tmp_path / "data"
    other.mkdir()
    pixels = np.zeros((24, 28, 28), np.uint8)
    np.savez(other / "fashion-mnist.npz", x_train=pixels, x_test=pixels)
    for job in jobs:
        line = (
            rf"results.jsonl: has results of other pictures of fashion-mnist than {other}/fashion-mnist.npz has; name"
        )
        with pytest.raises(TrainingError, match=line):
            run([job], other, TINY, results, CPU, lambda *_: None, lambda *_: None)
    assert len(Results(results.file).known) == 1


def test_a_row_does_not_go_on_from_what_other_code_has_left(small_fashion: Path, tmp_path: Path) -> None:
    gallery = Gallery(tmp_path, "vq", load(FASHION, small_fashion), CPU)
    resume.Resumable(tmp_path / "row.pt", "one", gallery).save({"step": 3})
    assert resume.Resumable(tmp_path / "row.pt", "one", gallery).load() == {"step": 3}
    assert resume.Resumable(tmp_path / "row.pt", "another", gallery).load() is None
    torch.save([1, 2], tmp_path / "row.pt")
    assert resume.Resumable(tmp_path / "row.pt", "one", gallery).load() is None
    (tmp_path / "row.pt").write_bytes(b"cut short")
    assert resume.Resumable(tmp_path / "row.pt", "one", gallery).load() is None


def test_released_weights_are_measured_in_place_of_a_training(small_fashion: Path, tmp_path: Path) -> None:
    """A checkpoint with the names and the order of the authors' code gives what the model that it came from gives."""
    weights = "ll-vq-vae/fashion-mnist/sparse_lattice.ckpt"
    experiment = replace(KINDS["lattice"], weights=weights)
    data = tmp_path / "data"
    (data / weights).parent.mkdir(parents=True)
    (data / "fashion-mnist.npz").symlink_to(small_fashion / "fashion-mnist.npz")
    assert "released weights: not in" in released.missing(experiment, data)
    model = PaperModel(KINDS["lattice"], 1, 1, seed=5).eval()
    state = {f"_encoder.{number}": value for number, value in enumerate(model.encoder.parameters())}
    state |= {f"_decoder.{number}": value for number, value in enumerate(model.decoder.parameters())}
    state |= {"_quantizer.embedding.weight": model.bottleneck.codewords()}
    torch.save({"state_dict": state}, data / weights)
    results = Results(tmp_path / "results.jsonl")
    job = Job("ll-released", "LL-VQ-VAE", experiment, "fashion-mnist", 0)
    run([job], data, TINY, results, CPU, lambda *_: None, lambda *_: None)
    (measured,) = results.known.values()
    assert (measured["budget"], measured["steps"], measured["history"]) == ("full", 0, [])
    assert measured["metrics"] == measure(model, load(FASHION, small_fashion), FULL, CPU)
    for content in (b"nothing", b"", b"PK\x03\x04abc"):
        (data / weights).write_bytes(content)
        with pytest.raises(TrainingError, match="is not a checkpoint of lattice"):
            released.load(experiment, data, 1)


def test_each_experiment_is_planned_once(small_fashion: Path) -> None:
    jobs, lacking = plan(find(("ll-5", "ll-k", "rotation-3")), small_fashion, [0, 1])
    assert len({(job.experiment, job.seed) for job in jobs}) == len(jobs) == 2 * (8 + 6)
    assert lacking == [missing(DATASETS["cifar10"], small_fashion)]
    with pytest.raises(TrainingError, match="no table 'll-9'"):
        find(("ll-9",))

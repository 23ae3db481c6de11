"""Rerunning a row: training, real bytes, pictures, the command and its page."""

import importlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import lcodec
from paper_rows import KINDS, result
from PIL import Image

from latticecodec.errors import OutputError, TrainingError
from latticecodec.lab.papers import released, resume
from latticecodec.lab.papers.datasets import DATASETS, load, missing
from latticecodec.lab.papers.experiment import FULL, Budget
from latticecodec.lab.papers.experiment import part as budget_of
from latticecodec.lab.papers.figures import MAP_SIDE, Gallery
from latticecodec.lab.papers.loop import train
from latticecodec.lab.papers.measure import measure, used_moving
from latticecodec.lab.papers.model import PaperModel
from latticecodec.lab.papers.results import Result, Results
from latticecodec.lab.papers.run import Job, plan, run
from latticecodec.lab.papers.tables import TABLES, find, rotation

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
TINY = Budget("quick", 0.0, fit_pictures=16, test_pictures=8, coded_pictures=4, looks=3)
FASHION = DATASETS["fashion-mnist"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small fashion-mnist.npz: bright squares on black."""
    result = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    parts = {"x_train": np.zeros((24, 28, 28), np.uint8), "x_test": np.zeros((8, 28, 28), np.uint8)}
    for pictures in parts.values():
        for picture in pictures:
            top, left = generator.integers(2, 14, 2)
            picture[top : top + 12, left : left + 10] = generator.integers(100, 255)
    np.savez(result / "fashion-mnist.npz", **parts)
    return result


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_trains_and_its_indices_come_back_from_bytes(kind: str, folder: Path) -> None:
    pictures = load(FASHION, folder)
    trained = train(KINDS[kind], pictures, TINY, 0, CPU, lambda *_: None)
    assert trained.steps == 3
    assert [entry["step"] for entry in trained.history] == [0, 1, 2, 3]
    metrics = measure(trained.model, pictures, TINY, CPU)
    assert metrics["mse"] == pytest.approx(metrics["mse_forward"], rel=1e-4)
    assert metrics["bpp"] == 8 * metrics["bytes"] / (4 * 28 * 28)  # type: ignore[operator]
    assert 1 <= metrics["perplexity"] <= metrics["used"]  # type: ignore[operator]
    moves = kind in ("vq-ema", "projected", "rotation", "rescaled", "k-means")
    assert (metrics["used_moving"] is not None) == moves
    assert (metrics["live_dimensions"] is not None) == (kind == "lattice")
    again = train(KINDS[kind], pictures, TINY, 0, CPU, lambda *_: None)
    assert again.history == trained.history
    assert train(KINDS[kind], pictures, TINY, 1, CPU, lambda *_: None).history != trained.history


def test_an_interrupted_row_goes_on_to_the_same_result(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "MINUTES", 0.0)  # saved before every step
    experiment = replace(KINDS["adaptive"], quick_steps=7, flip=True)
    job = Job("balance-2", "adaptive", experiment, "fashion-mnist", 0)

    def results_in(name: str, advance: Callable[[int, int], None] = lambda *_: None) -> Results:
        results = Results(tmp_path / f"{name}.jsonl")
        run([job], folder, TINY, results, CPU, advance, lambda *_: None)
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
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
            run([job], folder, TINY, results, CPU, advance, lambda *_: None)
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


def test_results_of_other_pictures_are_neither_taken_nor_added_to(folder: Path, tmp_path: Path) -> None:
    results = Results(tmp_path / "results.jsonl")
    jobs = [Job("ll-5", "VQ-VAE", KINDS[kind], "fashion-mnist", 0) for kind in ("vq", "lattice")]
    results.add(result(KINDS["vq"], budget="quick") | {"digest": load(FASHION, folder).digest})
    run(jobs[:1], folder, TINY, results, CPU, lambda *_: None, lambda *_: None)  # it is there already
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


def test_a_row_does_not_go_on_from_what_other_code_has_left(folder: Path, tmp_path: Path) -> None:
    gallery = Gallery(tmp_path, "vq", load(FASHION, folder), CPU)
    resume.Resumable(tmp_path / "row.pt", "one", gallery).save({"step": 3})
    assert resume.Resumable(tmp_path / "row.pt", "one", gallery).load() == {"step": 3}
    assert resume.Resumable(tmp_path / "row.pt", "another", gallery).load() is None
    torch.save([1, 2], tmp_path / "row.pt")
    assert resume.Resumable(tmp_path / "row.pt", "one", gallery).load() is None
    (tmp_path / "row.pt").write_bytes(b"cut short")
    assert resume.Resumable(tmp_path / "row.pt", "one", gallery).load() is None


def test_adaptive_codebooks_log_how_often_each_is_chosen_and_its_loss(folder: Path) -> None:
    entry = train(KINDS["adaptive"], load(FASHION, folder), TINY, 0, CPU, lambda *_: None).history[-1]
    shares, losses = ([entry[f"{name}_{codes}"] for codes in (8, 16, 32)] for name in ("share", "loss"))
    assert sum(shares) == pytest.approx(1)
    assert sum(losses) / 3 == pytest.approx(entry["quantization_error"])


def test_codewords_that_move_are_counted_once_for_every_batch(folder: Path) -> None:
    """How a codebook of 16 shows more than 16 embeddings: three batches, in each of which codewords are others."""
    pictures = load(FASHION, folder)
    experiment = replace(KINDS["k-means"], batch=8)
    model = train(experiment, pictures, TINY, 0, CPU, lambda *_: None).model
    before = model.bottleneck.codewords().clone()
    each = [used_moving(model, part, CPU) for part in torch.split(pictures.train, 8)]
    together = used_moving(model, pictures.train, CPU)
    assert together is not None
    assert together > max(each)  # type: ignore[type-var]
    assert together > 16
    assert torch.equal(model.bottleneck.codewords(), before)  # it moves a copy


def test_a_batch_of_one_embedding_has_a_perplexity_of_one(folder: Path) -> None:
    """The mean over batches is below the perplexity of all pictures together."""
    pictures = load(FASHION, folder)
    experiment = replace(KINDS["k-means"], batch=2)
    metrics = measure(PaperModel(experiment, 1, 1, 0).eval(), pictures, TINY, CPU)
    assert 1 <= metrics["batch_perplexity_train"] <= metrics["perplexity"] + 1e-9  # type: ignore[operator]


def test_dimensions_that_never_leave_zero_are_not_live(folder: Path) -> None:
    pictures = load(FASHION, folder)
    model = PaperModel(replace(KINDS["lattice"], width=0.001), 1, 1, 0).eval()
    live = measure(model, pictures, TINY, CPU)["live_dimensions"]
    model.bottleneck.quantizer.b.data[:2] = 1e6  # type: ignore[union-attr]
    assert measure(model, pictures, TINY, CPU)["live_dimensions"] == live - 2  # type: ignore[operator]


def test_pictures_are_made_at_the_quarters_of_a_training(folder: Path) -> None:
    steps: list[int] = []

    def look(step: int, model: PaperModel) -> None:
        steps.append(step)

    train(replace(KINDS["vq"], quick_steps=8), load(FASHION, folder), TINY, 0, CPU, lambda *_: None, look)
    assert steps == [0, 2, 4, 6, 8]


def test_codebooks_by_tsne_are_beside_the_maps(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    gallery = Gallery(tmp_path, "vq", load(FASHION, folder), CPU, tsne=True)
    train(KINDS["vq"], load(FASHION, folder), TINY, 0, CPU, lambda *_: None, gallery.look)
    gallery.write()
    with Image.open(tmp_path / "vq-tsne.png") as picture:
        assert picture.size == (3 * MAP_SIDE, MAP_SIDE)
        assert len(picture.getcolors()) >= 2


def test_the_published_rotation_code_decodes_what_its_indices_do_not_hold(folder: Path) -> None:
    experiment = replace(rotation.AS_CODED, codes=16, dimensions=8, start="k-means", quick_steps=3, quick_batch=4)
    pictures = load(FASHION, folder)
    metrics = measure(train(experiment, pictures, TINY, 0, CPU, lambda *_: None).model, pictures, TINY, CPU)
    assert metrics["mse"] != pytest.approx(metrics["mse_forward"], rel=1e-6)


def test_a_learning_rate_of_zero_after_an_epoch_ends_learning(folder: Path) -> None:
    steps = {"quick_steps": 10, "rate": 1e-2}
    pictures = load(FASHION, folder)
    stopped = train(replace(KINDS["vq"], **steps), pictures, TINY, 0, CPU, lambda *_: None)  # type: ignore[arg-type]
    going = replace(KINDS["vq"], **steps, rate_decay=1.0)  # type: ignore[arg-type]
    errors = [entry["mse"] for entry in stopped.history]
    assert errors[0] != errors[2] == errors[-1]  # 5 epochs in 10 steps
    assert train(going, pictures, TINY, 0, CPU, lambda *_: None).history[-1]["mse"] != errors[-1]
    assert (stopped.steps, stopped.learning_steps) == (10, 2)


def test_moving_averages_go_on_at_a_learning_rate_of_zero(folder: Path) -> None:
    """As in the published code, where they are no parameters of the optimiser."""
    experiment = replace(KINDS["vq-ema"], quick_steps=10)
    history = train(experiment, load(FASHION, folder), TINY, 0, CPU, lambda *_: None).history
    errors = [entry["quantization_error"] for entry in history]
    assert len(set(errors)) == len(errors)


def test_a_loss_that_is_no_number_names_the_step(folder: Path) -> None:
    with pytest.raises(TrainingError, match="the loss is no longer a number at step"):
        train(replace(KINDS["vq"], rate=1e20, rate_decay=1.0), load(FASHION, folder), TINY, 0, CPU, lambda *_: None)


def test_maps_of_a_codebook_show_how_it_moves(folder: Path, tmp_path: Path) -> None:
    pictures = load(FASHION, folder)
    gallery = Gallery(tmp_path, "vq", pictures, CPU)
    train(replace(KINDS["vq"], rate_decay=1.0), pictures, TINY, 0, CPU, lambda *_: None, gallery.look)
    assert not torch.equal(gallery.maps[0], gallery.maps[-1])


def test_released_weights_are_measured_in_place_of_a_training(folder: Path, tmp_path: Path) -> None:
    """A checkpoint with the names and the order of the authors' code gives what the model that it came from gives."""
    weights = "ll-vq-vae/fashion-mnist/sparse_lattice.ckpt"
    experiment = replace(KINDS["lattice"], weights=weights)
    data = tmp_path / "data"
    (data / weights).parent.mkdir(parents=True)
    (data / "fashion-mnist.npz").symlink_to(folder / "fashion-mnist.npz")
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
    assert measured["metrics"] == measure(model, load(FASHION, folder), FULL, CPU)
    for content in (b"nothing", b"", b"PK\x03\x04abc"):
        (data / weights).write_bytes(content)
        with pytest.raises(TrainingError, match="is not a checkpoint of lattice"):
            released.load(experiment, data, 1)


def test_each_experiment_is_planned_once(folder: Path) -> None:
    jobs, lacking = plan(find(("ll-5", "ll-k", "rotation-3")), folder, [0, 1])
    assert len({(job.experiment, job.seed) for job in jobs}) == len(jobs) == 2 * (8 + 6)
    assert lacking == [missing(DATASETS["cifar10"], folder)]
    with pytest.raises(TrainingError, match="no table 'll-9'"):
        find(("ll-9",))


def test_the_command_lists_trains_resumes_and_renders(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    listed = json.loads(lcodec("reproduce", "list", "--data", folder, "--json").stdout)
    assert listed["tables"][0]["table"] == "ll-2"
    assert any(line.startswith("mnist: neither") for line in listed["missing"])
    importlib.import_module("latticecodec.lab.papers.page.page")  # whose claims are of all rows
    short = replace(
        TABLES["ll-gamma"], rows=tuple(replace(row, experiment=KINDS["lattice"]) for row in TABLES["ll-gamma"].rows[:1])
    )
    monkeypatch.setitem(TABLES, "ll-gamma", short)
    out = tmp_path / "results.jsonl"
    done = lcodec("reproduce", "ll-gamma", "--data", folder, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)) == 1
    assert [path.suffix for path in (tmp_path / "results-pictures").iterdir()] == [".png"]
    again = lcodec("reproduce", "ll-gamma", "--data", folder, "--out", out, "--json")
    assert json.loads(again.stdout) == []
    page = tmp_path / "docs" / "papers.md"
    assert lcodec("reproduce", "render", "--out", out, "--page", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "| gamma 0.001 | fashion-mnist | none | mse " in text
    assert (page.parent / "papers" / "ll-gamma-fashion-mnist.png").exists()
    assert lcodec("reproduce", "render", "--out", out, "--page", page).exit_code == 0  # in place of its own
    page.write_text("My notes")
    done = lcodec("reproduce", "ll-gamma", "--data", folder, "--seed", 1, "--out", out, "--page", page)
    assert (done.exit_code, len(Results(out).known)) == (1, 1)
    assert page.read_text() == "My notes"


def test_a_file_of_another_kind_is_no_file_of_results(tmp_path: Path) -> None:
    """Not even one of a single line without an end, as a result is that was being written."""
    (tmp_path / "diary.txt").write_text("Dear diary")
    with pytest.raises(OutputError, match=r"diary\.txt: line 1 is not a result of lcodec reproduce"):
        Results(tmp_path / "diary.txt")
    assert (tmp_path / "diary.txt").read_text() == "Dear diary"
    (tmp_path / "results.jsonl").write_text('{"key": "0123456789abcdef", "tab')
    assert Results(tmp_path / "results.jsonl").known == {}


def test_what_the_command_refuses(folder: Path, tmp_path: Path) -> None:
    assert lcodec("reproduce", "list", "ll-5").exit_code == 2
    missing_data = lcodec("reproduce", "rotation-3", "--data", folder, "--out", tmp_path / "x.jsonl")
    assert missing_data.exit_code == 1
    assert "see lcodec reproduce list" in missing_data.stderr
    assert not (tmp_path / "x.jsonl").exists()
    nothing = lcodec("reproduce", "render", "--out", tmp_path / "x.jsonl")
    assert (nothing.exit_code, "no results to render" in nothing.stderr) == (1, True)


def test_budgets_exclude_each_other_and_the_longest_counts(folder: Path, tmp_path: Path) -> None:
    assert lcodec("reproduce", "ll-5", "--full", "--share", "0.1", "--data", folder).exit_code == 2
    assert lcodec("reproduce", "ll-5", "--share", "1", "--data", folder).exit_code == 2
    results = Results(tmp_path / "results.jsonl")
    for budget in ("quick", "10 %", "2.5 %"):
        results.add(result(KINDS["vq"], budget=budget))
    assert results.budgets() == ["10 %", "2.5 %", "quick"]
    assert results.of(KINDS["vq"], "fashion-mnist")[0] == budget_of(0.1).name == "10 %"

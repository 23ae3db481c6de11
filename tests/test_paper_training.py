"""A row of a paper: its training, what is measured, its pictures."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from paper_rows import FASHION, KINDS, TINY
from PIL import Image

from latticecodec.errors import TrainingError
from latticecodec.lab.papers.datasets import load
from latticecodec.lab.papers.figures import MAP_SIDE, Gallery
from latticecodec.lab.papers.loop import train
from latticecodec.lab.papers.measure import measure, used_moving
from latticecodec.lab.papers.model import PaperModel
from latticecodec.lab.papers.tables import rotation

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_trains_and_its_indices_come_back_from_bytes(kind: str, small_fashion: Path) -> None:
    pictures = load(FASHION, small_fashion)
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


def test_psnr_is_of_clamped_pictures_and_mse_is_not(small_fashion: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = load(FASHION, small_fashion)
    white = replace(pictures, test=torch.full_like(pictures.test, 255))
    monkeypatch.setattr(PaperModel, "decode", lambda self, rows, shape: torch.full((shape[0], 1, 28, 28), 9.5))
    metrics = measure(PaperModel(KINDS["vq"], 1, 1, 0).eval(), white, TINY, CPU)
    assert (metrics["psnr"], metrics["mse"]) == (pytest.approx(120), pytest.approx(81))  # white is 0.5 to the network


def test_adaptive_codebooks_log_how_often_each_is_chosen_and_its_loss(small_fashion: Path) -> None:
    entry = train(KINDS["adaptive"], load(FASHION, small_fashion), TINY, 0, CPU, lambda *_: None).history[-1]
    shares, losses = ([entry[f"{name}_{codes}"] for codes in (8, 16, 32)] for name in ("share", "loss"))
    assert sum(shares) == pytest.approx(1)
    assert sum(losses) / 3 == pytest.approx(entry["quantization_error"])


def test_codewords_that_move_are_counted_once_for_every_batch(small_fashion: Path) -> None:
    """How a codebook of 16 shows more than 16 embeddings: three batches, in each of which codewords are others."""
    pictures = load(FASHION, small_fashion)
    experiment = replace(KINDS["k-means"], batch=8)
    model = train(experiment, pictures, TINY, 0, CPU, lambda *_: None).model
    before = model.bottleneck.codewords().clone()
    each = [used_moving(model, part, CPU) for part in torch.split(pictures.train, 8)]
    together = used_moving(model, pictures.train, CPU)
    assert together is not None
    assert together > max(each)  # type: ignore[type-var]
    assert together > 16
    assert torch.equal(model.bottleneck.codewords(), before)  # it moves a copy


def test_a_batch_of_one_embedding_has_a_perplexity_of_one(small_fashion: Path) -> None:
    """The mean over batches is below the perplexity of all pictures together."""
    pictures = load(FASHION, small_fashion)
    experiment = replace(KINDS["k-means"], batch=2)
    metrics = measure(PaperModel(experiment, 1, 1, 0).eval(), pictures, TINY, CPU)
    assert 1 <= metrics["batch_perplexity_train"] <= metrics["perplexity"] + 1e-9  # type: ignore[operator]


def test_dimensions_that_never_leave_zero_are_not_live(small_fashion: Path) -> None:
    pictures = load(FASHION, small_fashion)
    model = PaperModel(replace(KINDS["lattice"], width=0.001), 1, 1, 0).eval()
    live = measure(model, pictures, TINY, CPU)["live_dimensions"]
    model.bottleneck.quantizer.b.data[:2] = 1e6  # type: ignore[union-attr]
    assert measure(model, pictures, TINY, CPU)["live_dimensions"] == live - 2  # type: ignore[operator]


def test_pictures_are_made_at_the_quarters_of_a_training(small_fashion: Path) -> None:
    steps: list[int] = []

    def look(step: int, model: PaperModel) -> None:
        steps.append(step)

    train(replace(KINDS["vq"], quick_steps=8), load(FASHION, small_fashion), TINY, 0, CPU, lambda *_: None, look)
    assert steps == [0, 2, 4, 6, 8]


def test_codebooks_by_tsne_are_beside_the_maps(small_fashion: Path, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    gallery = Gallery(tmp_path, "vq", load(FASHION, small_fashion), CPU, tsne=True)
    train(KINDS["vq"], load(FASHION, small_fashion), TINY, 0, CPU, lambda *_: None, gallery.look)
    gallery.write()
    with Image.open(tmp_path / "vq-tsne.png") as picture:
        assert picture.size == (3 * MAP_SIDE, MAP_SIDE)
        assert len(picture.getcolors()) >= 2


def test_the_published_rotation_code_decodes_what_its_indices_do_not_hold(small_fashion: Path) -> None:
    experiment = replace(rotation.AS_CODED, codes=16, dimensions=8, start="k-means", quick_steps=3, quick_batch=4)
    pictures = load(FASHION, small_fashion)
    metrics = measure(train(experiment, pictures, TINY, 0, CPU, lambda *_: None).model, pictures, TINY, CPU)
    assert metrics["mse"] != pytest.approx(metrics["mse_forward"], rel=1e-6)


def test_a_learning_rate_of_zero_after_an_epoch_ends_learning(small_fashion: Path) -> None:
    steps = {"quick_steps": 10, "rate": 1e-2}
    pictures = load(FASHION, small_fashion)
    stopped = train(replace(KINDS["vq"], **steps), pictures, TINY, 0, CPU, lambda *_: None)  # type: ignore[arg-type]
    going = replace(KINDS["vq"], **steps, rate_decay=1.0)  # type: ignore[arg-type]
    errors = [entry["mse"] for entry in stopped.history]
    assert errors[0] != errors[2] == errors[-1]  # 5 epochs in 10 steps
    assert train(going, pictures, TINY, 0, CPU, lambda *_: None).history[-1]["mse"] != errors[-1]
    assert (stopped.steps, stopped.learning_steps) == (10, 2)


def test_moving_averages_go_on_at_a_learning_rate_of_zero(small_fashion: Path) -> None:
    """As in the published code, where they are no parameters of the optimiser."""
    experiment = replace(KINDS["vq-ema"], quick_steps=10)
    history = train(experiment, load(FASHION, small_fashion), TINY, 0, CPU, lambda *_: None).history
    errors = [entry["quantization_error"] for entry in history]
    assert len(set(errors)) == len(errors)


def test_a_loss_that_is_no_number_names_the_step(small_fashion: Path) -> None:
    with pytest.raises(TrainingError, match="the loss is no longer a number at step"):
        train(
            replace(KINDS["vq"], rate=1e20, rate_decay=1.0), load(FASHION, small_fashion), TINY, 0, CPU, lambda *_: None
        )


def test_maps_of_a_codebook_show_how_it_moves(small_fashion: Path, tmp_path: Path) -> None:
    pictures = load(FASHION, small_fashion)
    gallery = Gallery(tmp_path, "vq", pictures, CPU)
    train(replace(KINDS["vq"], rate_decay=1.0), pictures, TINY, 0, CPU, lambda *_: None, gallery.look)
    assert not torch.equal(gallery.maps[0], gallery.maps[-1])

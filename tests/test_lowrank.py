"""Low-rank additions: a small model that refers to a base, trained for MS-SSIM, and what `tune` takes it for."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import short_runs
import torch
from PIL import Image
from short_runs import QUICK, trainable

from latticecodec import ModelError, TargetError, TrainingError, decode, encode, load, read_header, zoo
from latticecodec.lab.distortion import structural_error
from latticecodec.lab.tensors import as_tensors
from latticecodec.lab.training.export import write_model
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.kinds.lowrank import add_low_rank
from latticecodec.lab.training.kinds.lowrank_start import start_low_rank
from latticecodec.lab.training.synthetic import synthetic_picture
from latticecodec.lowrank import with_low_rank

pytestmark = pytest.mark.usefixtures("one_thread")

STRUCTURAL = dataclasses.replace(
    QUICK, steps=4, batch=1, crop=192, validate_every=4, learning_rate=0.02, tune="ms-ssim", rank=2
)


@pytest.fixture(scope="module")
def installed(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with a tiny `lattice`, and `tuned`, trained for MS-SSIM as additions to it."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(tiny_model, folder / "lattice")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoo, "models_path", [folder])
        model = short_runs.train(
            tmp_path_factory.mktemp("run") / "out", "lattice", name="tuned", options=STRUCTURAL, init_from="lattice"
        )
        shutil.copytree(model, folder / "tuned")
    return folder


@pytest.fixture
def models(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder, and nothing else is installed."""
    monkeypatch.setattr(zoo, "models_path", [installed])
    return installed


def own_tensors(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")  # type: ignore[no-any-return]


def weights(info: zoo.ModelInfo) -> dict[str, torch.Tensor]:
    return as_tensors(zoo.read_weights(info))


def test_additions_change_nothing_at_the_start(models: Path) -> None:
    info = zoo.find("lattice")
    x, t = synthetic_picture(0, 64, 64)[None].float() / 255, torch.tensor([0.5])
    with torch.no_grad():
        before = trainable(info).eval()(x, t).x_hat
        after = start_low_rank(LatticeModel, info, info.config, 3).eval()(x, t).x_hat
    torch.testing.assert_close(after, before)


def test_what_trains_is_small(models: Path) -> None:
    info = zoo.find("lattice")
    model = trainable(info)
    assert isinstance(model, LatticeModel)
    add_low_rank(model, 3)
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    assert trained["analysis.enter.parametrizations.weight.0.left"].shape == (32, 3)
    assert trained["analysis.enter.parametrizations.weight.0.right"].shape == (3, 192)
    assert {"synthesis.gain8.slope", "prior.context.leave.bias", "quantizer.log_basis"} <= set(trained)
    assert not [name for name in trained if name.endswith(("original", ".weight"))]


def test_a_model_of_additions_is_its_base_and_what_it_adds(models: Path) -> None:
    base, tuned = zoo.find("lattice"), zoo.find("tuned")
    assert (tuned.config.base, tuned.config.tune) == ("lattice", "ms-ssim")
    assert tuned.weight_bytes < base.weight_bytes / 3
    own, theirs, whole = own_tensors(tuned.folder), own_tensors(base.folder), weights(tuned)
    assert whole.keys() == theirs.keys()
    assert [name for name in own if name.startswith("prior.") and name.endswith("weight")] == []
    for name in ("analysis.enter.weight", "synthesis.blocks8.0.reduce.weight"):
        left, right = own[f"{name}.left"].double(), own[f"{name}.right"].double()
        assert left.abs().max() > 0
        torch.testing.assert_close(whole[name].double(), theirs[name].double() + left @ right, atol=1e-5, rtol=1e-5)
    assert not torch.equal(whole["prior.context.leave.bias"], theirs["prior.context.leave.bias"])
    assert torch.equal(whole["prior.hyper.enter.bias"], theirs["prior.hyper.enter.bias"])


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("analysis.enter.weight.left", lambda left: left[:-1], "model tuned: the additions .* do not have its shape"),
        ("analysis.enter.weight.right", lambda right: None, "model tuned: .* is not three matrices"),
        ("prior.context.leave.weight.left", lambda left: torch.zeros(64, 2), "float32; it must be int8 or int32"),
    ],
)
def test_additions_that_fit_nothing(models: Path, tmp_path: Path, name: str, change: object, words: str) -> None:
    info, tensors = zoo.find("tuned"), own_tensors(models / "tuned")
    changed = change(tensors.pop(name, None))  # type: ignore[operator]
    if changed is not None:
        tensors[name] = changed
    write_model(tmp_path / "broken", info.config, tensors, "", info.config.prior_sha256)
    with pytest.raises(ModelError, match=words):
        load(tmp_path / "broken", device="cpu")


def test_additions_go_over_to_other_weights_of_the_base(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the old base beside them; what they add to the new one is what they added to the old one."""
    shutil.copytree(models, tmp_path / "old")
    base = zoo.find("lattice")
    tensors = weights(base)
    for name in ("analysis.enter.weight", "synthesis.gain16.slope"):
        tensors[name] = tensors[name] + 0.25
    write_model(tmp_path / "new" / "lattice", base.config, tensors, "", base.config.prior_sha256)
    monkeypatch.setattr(zoo, "models_path", [tmp_path / "new"])
    info = zoo.find(tmp_path / "old" / "tuned")
    before, after = own_tensors(tmp_path / "old" / "lattice"), weights(info)
    carried = start_low_rank(LatticeModel, info, info.config, 2)
    assert isinstance(carried, LatticeModel)
    for name, value in (
        ("analysis.enter.weight", carried.analysis.enter.weight),
        ("synthesis.gain16.slope", carried.synthesis.gain16.slope),
        ("synthesis.leave.weight", carried.synthesis.leave.weight),
    ):
        expected = tensors[name].float() + after[name].float() - before[name].float()
        torch.testing.assert_close(value.detach(), expected, atol=1e-6, rtol=1e-5)
    with pytest.raises(TrainingError, match="not of the rank of `rank`"):
        start_low_rank(LatticeModel, info, info.config, 3)


def test_resuming_gives_the_same_additions(models: Path, tmp_path: Path) -> None:
    settings = {
        "name": "tuned",
        "options": dataclasses.replace(STRUCTURAL, checkpoint_minutes=0.0),
        "init_from": "lattice",
    }
    with short_runs.interrupted(after=2):
        short_runs.train(tmp_path / "part", "lattice", **settings)
    resumed = short_runs.train(tmp_path / "part", "lattice", **settings, resume=tmp_path / "part" / "checkpoint.pt")
    assert (resumed / "model.safetensors").read_bytes() == (models / "tuned" / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("quantizer", "change", "settings", "words"),
    [
        ("lattice", {}, {}, "name it with `init_from`"),
        ("vq", {}, {"init_from": "lattice"}, "for `quantizer` lattice, not for vq"),
        ("lattice", {"crop": 128}, {"init_from": "lattice"}, "too small for `tune` ms-ssim"),
    ],
)
def test_trainings_that_cannot_be(
    models: Path, tmp_path: Path, quantizer: str, change: dict[str, int], settings: dict[str, str], words: str
) -> None:
    options = dataclasses.replace(STRUCTURAL, **change)
    with pytest.raises(TrainingError, match=words):
        short_runs.train(tmp_path / "out", quantizer, options=options, **settings)
    assert not (tmp_path / "out").exists()


def test_additions_need_an_installed_base(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "models_path", [tmp_path])
    with pytest.raises(TrainingError, match="need an installed lattice model"):
        short_runs.train(tmp_path / "out", "lattice", options=STRUCTURAL, init_from=models / "lattice")


def test_additions_to_another_model_of_that_name_are_refused(models: Path, tmp_path: Path) -> None:
    """As `lcodec train` calls every lattice: those of the installed one would count in the place of its weights."""
    shutil.copytree(models / "lattice", tmp_path / "mine")
    config = dataclasses.replace(zoo.find(tmp_path / "mine").config, weights_sha256="ab" * 32)
    config.write(tmp_path / "mine" / "config.json")
    with pytest.raises(TrainingError, match="need an installed lattice model"):
        short_runs.train(tmp_path / "out", "lattice", options=STRUCTURAL, init_from=tmp_path / "mine")


def test_tune_takes_the_model_that_was_trained_for_it(models: Path, photo: Image.Image) -> None:
    assert zoo.tuned("lattice", "ms-ssim").name == "tuned"
    assert zoo.tuned("lattice", "psnr").name == "lattice"
    assert zoo.tuned("tuned", "ms-ssim").name == "tuned"
    small = photo.resize((176, 176))
    data = encode(small, tune="ms-ssim", device="cpu")
    header = read_header(data)
    assert (header.tune, header.model) == ("ms-ssim", zoo.find("tuned").digest)
    assert decode(data, device="cpu").size == small.size
    assert read_header(encode(small, device="cpu")).model == zoo.find("lattice").digest


def test_a_model_of_its_own_stays_itself(models: Path, tiny_e8: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(models / "lattice", tmp_path / "mine")
    tensors = weights(zoo.find(mine))
    tensors["analysis.enter.bias"] = tensors["analysis.enter.bias"] + 1
    info = zoo.find(mine)
    shutil.rmtree(mine)
    write_model(mine, info.config, tensors, "", info.config.prior_sha256)
    assert zoo.tuned(mine, "ms-ssim").folder == mine


def test_a_model_trained_for_it_aims_at_it(models: Path, photo: Image.Image) -> None:
    """Without being told, and without effort, on pictures of any size."""
    codec, small = load("tuned", device="cpu"), photo.resize((48, 32))
    assert read_header(codec.encode(small, effort=0)).tune == "ms-ssim"
    with pytest.raises(TargetError, match="effort of 1 or more"):
        load("lattice", device="cpu").encode(small, effort=0, tune="ms-ssim")


def test_structural_error() -> None:
    """Nothing for the same picture, much for lost structure, and a little for another brightness."""
    x = torch.stack([synthetic_picture(seed, 192, 192) for seed in (0, 1)]).float() / 255  # [2, 3, 192, 192]
    assert structural_error(x, x).abs().max() < 0.01
    flat = x.mean((2, 3), keepdim=True).expand_as(x)
    brighter = x + (flat - x).square().mean().sqrt()  # of the same squared error
    assert (structural_error(flat, x) > 3 * structural_error(brighter, x)).all()
    noisy = (x + 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).requires_grad_(True)
    structural_error(noisy, x).sum().backward()  # type: ignore[no-untyped-call]
    assert noisy.grad is not None
    assert bool(noisy.grad.isfinite().all())


def test_validation_logs_what_the_model_is_trained_for(models: Path, tmp_path: Path) -> None:
    options = dataclasses.replace(STRUCTURAL, steps=1, validate_every=1)
    short_runs.train(tmp_path / "out", "lattice", options=options, init_from="lattice")
    head, row = (tmp_path / "out" / "log.csv").read_text().splitlines()
    values = dict(zip(head.split(","), map(float, row.split(",")), strict=True))
    assert 0 < values["ms-ssim@0"] < values["ms-ssim@1"] < 40
    assert not np.isnan(values["loss"])


def test_an_older_version_is_taken_where_the_newest_has_none_that_was_trained_for_it(
    models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = shutil.copytree(models, tmp_path / "models")
    tensors = weights(zoo.find("lattice"))
    tensors["analysis.enter.bias"] = tensors["analysis.enter.bias"] + 1
    config = zoo.find("lattice").config
    write_model(folder / "lattice-2", dataclasses.replace(config, name="lattice-2"), tensors, "", config.prior_sha256)
    monkeypatch.setattr(zoo, "models_path", [folder])
    found = {name: zoo.tuned(name, "ms-ssim").name for name in ("lattice", "lattice-1", "lattice-2")}
    assert found == {"lattice": "tuned", "lattice-1": "tuned", "lattice-2": "lattice-2"}
    assert zoo.tuned("tuned", "psnr").name == "lattice"  # its base


def test_additions_that_overflow_are_refused(recwarn: pytest.WarningsRecorder) -> None:
    large = np.full((4, 1), 3e38, np.float32)
    with pytest.raises(ValueError, match="layer with its additions has values that are not finite numbers"):
        with_low_rank({"layer": np.zeros((4, 4), np.float32), "layer.left": large, "layer.right": large.T})
    assert not recwarn.list

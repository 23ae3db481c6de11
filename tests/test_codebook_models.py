"""Models with product codebooks, vq and rotation: trained, exported, and coding pictures at any rate."""

import csv
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import psnr
from PIL import Image
from plain_reader import PlainReader
from short_runs import FROZEN, QUICK, interrupted, train, trainable

from latticecodec import Codec, ImageError, ModelError, TrainingError, container, load, read_header
from latticecodec.codec import EncodeOptions
from latticecodec.config import PRESETS
from latticecodec.lab.training.data import Crops
from latticecodec.lab.training.kinds import MODELS
from latticecodec.lab.training.kinds.codebook import CodebookModel
from latticecodec.lab.training.kinds.diagnosis import diagnose
from latticecodec.lab.training.options import TrainOptions
from latticecodec.lab.training.start import new_model
from latticecodec.lab.training.synthetic import synthetic_picture
from latticecodec.zoo import find, read_weights

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")


@pytest.fixture(scope="module", params=["vq", "rotation"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("run") / request.param, request.param)


@pytest.fixture(scope="module")
def codec(model: Path) -> Codec:
    return load(model, device="cpu")


@pytest.fixture
def fresh() -> CodebookModel:
    """A model that no step has trained."""
    model = new_model(MODELS["vq"].configured(PRESETS["lc-test"]), Crops([synthetic_picture(0)], size=64, batch=2))
    assert isinstance(model, CodebookModel)
    return model


# ---- files ----------------------------------------------------------------------------------------------------------


def test_every_quality_is_a_rate_and_comes_back(codec: Codec, photo: Image.Image) -> None:
    sizes = []
    for quality in (0, 25, 50, 75, 100):
        encoding = codec.encode_detailed(photo, EncodeOptions(quality=quality))
        assert read_header(encoding.data).scale == -round(quality / 100 * round(1024 * codec.config.octaves))
        assert encoding.quality == pytest.approx(quality, abs=0.02)
        assert encoding.indices.shape == (8, 13, 20)
        assert codec.decode(encoding.data).size == photo.size
        np.testing.assert_array_equal(codec.decode_indices(encoding.data), encoding.indices)
        assert len(encoding.data) <= 1.01 * encoding.estimated_bits / 8 + 48 + 8  # the coder's last words
        sizes.append(len(encoding.data))
    assert sizes == sorted(sizes)
    assert sizes[-1] > 1.5 * sizes[0]


def test_targets_are_met(codec: Codec, photo: Image.Image) -> None:
    least, most = (len(codec.encode(photo, quality=quality)) for quality in (0, 100))
    size = (least + most) // 2
    assert 0.97 * size <= len(codec.encode(photo, size=size)) <= size
    bpp = 8 * size / (photo.width * photo.height)
    assert len(codec.encode(photo, bpp=bpp)) == pytest.approx(size, rel=0.02)
    middle = sum(psnr(photo, codec.decode(codec.encode(photo, quality=quality))) for quality in (0, 100)) / 2
    assert psnr(photo, codec.decode(codec.encode(photo, psnr=middle))) == pytest.approx(middle, abs=0.1)


@pytest.mark.parametrize("block", [7, PlainReader.BLOCK])
def test_the_document_is_enough_to_decode(
    codec: Codec, model: Path, photo: Image.Image, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """The second reader gets the same indices, also where a pass has several blocks of positions."""
    monkeypatch.setattr("latticecodec.entropy.categorical.ROWS", block)
    monkeypatch.setattr(PlainReader, "BLOCK", block)
    data = codec.encode(photo.resize((90, 70)), quality=60)
    np.testing.assert_array_equal(PlainReader(data, model).indices(), codec.decode_indices(data))


def test_the_encoder_weighs_bits_against_distance(
    codec: Codec, photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are no larger than those of nearest codewords."""
    qualities = (0, 25, 50, 75, 100)
    sizes = [len(codec.encode(photo, quality=quality)) for quality in qualities]
    monkeypatch.setattr("latticecodec.kinds.codebook.BIT", 0.0)
    nearest = [len(codec.encode(photo, quality=quality)) for quality in qualities]
    assert all(own <= other for own, other in zip(sizes, nearest, strict=True))
    assert sum(sizes) < sum(nearest)


def test_indices_are_public(codec: Codec, photo: Image.Image) -> None:
    indices = codec.to_indices(photo, quality=40)
    assert 0 <= indices.min() <= indices.max() < 16
    redrawn = codec.from_indices(indices, quality=40, width=photo.width, height=photo.height)
    np.testing.assert_array_equal(np.asarray(redrawn), np.asarray(codec.decode(codec.encode(photo, quality=40))))
    other = codec.from_indices(indices, quality=60, width=photo.width, height=photo.height)  # on a finer basis
    assert (np.asarray(other) != np.asarray(redrawn)).any()


def test_indices_outside_the_alphabet_are_one_clear_error(codec: Codec) -> None:
    with pytest.raises(ImageError, match="indices from 0 to 16; expected 0 to 15"):
        codec.from_indices(np.full((8, 4, 4), 16) * np.eye(4, dtype=int), quality=30)
    with pytest.raises(ImageError, match=r"expected integers \[8, h, w\]"):
        codec.from_indices(np.zeros((7, 4, 4), dtype=np.int32), quality=30)


def test_codebooks_have_no_lattice_basis(codec: Codec, photo: Image.Image) -> None:
    with pytest.raises(ModelError, match="codebooks, not a lattice basis"):
        codec.encode(photo, embed_basis=True)
    header, tiles = container.read(codec.encode(photo))
    data = container.write(dataclasses.replace(header, basis=(0,) * 32), tiles)
    with pytest.raises(ModelError, match="the file has a lattice basis"):
        codec.decode(data)


# ---- training -------------------------------------------------------------------------------------------------------


def test_the_log_says_how_the_codebooks_are_used(model: Path) -> None:
    rows = list(csv.DictReader((model.parent / "log.csv").open()))
    assert [row["step"] for row in rows] == ["3", "6"]
    assert 0 < float(rows[-1]["share_used"]) <= 1
    assert 1 <= float(rows[-1]["perplexity"]) <= 16
    assert 0 <= int(rows[-1]["dead"]) < 8 * 16
    assert float(rows[-1]["quantization_error"]) > 0
    assert float(rows[-1]["gradient_gap"]) > 0


def test_a_collapsed_codebook_is_reported(fresh: CodebookModel) -> None:
    for quantizer in fresh.quantizer.quantizers:
        quantizer.begin_at(torch.zeros(16, 4), 1e6 * torch.eye(16)[0] + 1)  # all alike, index 0 by far the cheapest
    fresh.prior.context.leave.bias.data.view(8, 16)[:, 0] = 20.0
    with pytest.warns(UserWarning, match="less than a tenth of the codes in use, in codebooks 0, 1, 2, 3, 4, 5, 6, 7"):
        diagnosis = diagnose(fresh.eval(), synthetic_picture(0, 64, 64)[None], torch.device("cpu"))
    assert diagnosis.perplexity == pytest.approx(1)


def test_rotation_changes_the_gradient_and_nothing_else() -> None:
    crops = Crops([synthetic_picture(0)], size=64, batch=2)
    models = [new_model(MODELS[kind].configured(PRESETS["lc-test"]), crops) for kind in ("vq", "rotation")]
    x, t = crops.batch(0).float() / 255, torch.tensor([0.5, 1.0])
    results = [model(x, t) for model in models]
    assert torch.equal(results[0].x_hat, results[1].x_hat)
    for result in results:
        result.mse.mean().backward()
    gradients = [model.analysis.leave.weight.grad for model in models]
    assert not torch.allclose(*gradients)


def test_bits_teach_the_analysis(fresh: CodebookModel) -> None:
    """The indices are integers, but the expected bits of a soft choice have a gradient."""
    fresh(torch.rand(2, 3, 64, 64), torch.tensor([0.5, 1.0])).bpp.sum().backward()
    assert fresh.analysis.leave.weight.grad.abs().max() > 0
    assert fresh.log_basis.grad.abs().max() > 0
    assert fresh.synthesis.leave.weight.grad is None


def test_evaluation_learns_nothing(fresh: CodebookModel) -> None:
    x, t = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)), torch.tensor([0.5, 1.0])
    fresh(x, t)
    fresh.eval()
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    first, second = fresh(x, t), fresh(x, t)
    assert torch.equal(first.x_hat, second.x_hat)
    assert torch.equal(first.bpp, second.bpp)
    assert all(torch.equal(value, before[name]) for name, value in fresh.state_dict().items())


@pytest.mark.parametrize("options", [QUICK, FROZEN], ids=["all", "frozen transforms"])
def test_resuming_gives_the_same_model(tmp_path: Path, options: TrainOptions) -> None:
    whole = train(tmp_path / "whole", "vq", options=options)
    with interrupted(after=3):
        train(tmp_path / "part", "vq", options=options)
    resumed = train(tmp_path / "part", "vq", options=options, resume=tmp_path / "part" / "checkpoint.pt")
    assert (resumed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


# ---- frozen transforms ----------------------------------------------------------------------------------------------


def test_frozen_transforms_stay_while_codebooks_and_prior_train(tmp_path: Path, model: Path) -> None:
    folder = train(tmp_path / "run", find(model).config.quantizer, init_from=model, options=FROZEN)
    assert "--freeze transforms" in (folder / "README.md").read_text()  # the command that repeats it
    trained = read_weights(find(folder))
    before = read_weights(find(model))
    same = {name for name, value in before.items() if np.array_equal(value, trained[name])}
    transforms = {name for name in before if name.startswith(("analysis.", "synthesis."))}
    assert transforms | {"quantizer.log_basis"} <= same
    assert not same & {"quantizer.codebooks", "prior.context.leave.bias", "hyper_analysis.down64.weight"}


def test_frozen_steps_run_no_synthesis(fresh: CodebookModel) -> None:
    """Their loss takes distances for errors of pixels: at the slope that the encoder weighs bits with."""
    x, t = torch.rand(2, 3, 64, 64), torch.tensor([0.0, 1.0])
    fresh.freeze("transforms")
    fresh.synthesis.forward = None
    result = fresh(x, t)
    (result.bpp.sum() + result.loss).backward()
    trained = {name.split(".")[0] for name, value in fresh.named_parameters() if value.grad is not None}
    assert trained == {"hyper_analysis", "prior"}
    assert result.mse.min() > 0


def test_a_lattice_has_no_frozen_transforms(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="`freeze` transforms: a lattice is trained as one with its transforms"):
        train(tmp_path / "run", "lattice", options=FROZEN)


# ---- starting from another model ------------------------------------------------------------------------------------


@torch.no_grad()
def test_a_warm_start_begins_where_the_model_ended(model: Path, codec: Codec) -> None:
    """At the rates and the errors that its files have."""
    info = find(model)
    again = trainable(info).eval()
    picture = synthetic_picture(5, 256, 256)
    for quality in (20, 80):
        result = again((picture.float() / 255)[None], torch.tensor([quality / 100]))
        encoding = codec.encode_detailed(picture, EncodeOptions(quality=quality))
        assert float(result.bpp) == pytest.approx(encoding.estimated_bits / 256**2, rel=0.05)
        decoded = torch.from_numpy(np.array(codec.decode(encoding.data))).permute(2, 0, 1)
        error = (decoded.float() - picture.float()).square().mean() / 255**2
        assert float((result.x_hat.clamp(0, 1) - picture / 255).square().mean()) == pytest.approx(float(error), rel=0.1)


def test_only_parts_of_an_installed_base_train_and_only_they_are_stored(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_model, tmp_path / "models" / "lattice")
    config = tmp_path / "models" / "lattice" / "config.json"
    config.write_text(config.read_text().replace('"name": "tiny"', '"name": "lattice"'))
    monkeypatch.setattr("latticecodec.zoo.models_path", [tmp_path / "models"])
    base = find("lattice")
    folder = train(tmp_path / "run", "vq", init_from="lattice")
    info = find(folder)
    assert info.config.base == base.config.name
    assert info.weight_bytes < base.weight_bytes
    codec = load(folder, device="cpu")
    assert codec.decode(codec.encode(np.zeros((40, 40, 3), dtype=np.uint8))).size == (40, 40)


def test_vq_and_rotation_start_from_each_other(model: Path, tmp_path: Path) -> None:
    other = {"vq": "rotation", "rotation": "vq"}[find(model).config.quantizer]
    options = dataclasses.replace(QUICK, steps=1)
    config = find(train(tmp_path / "run", other, init_from=model, options=options)).config
    assert (config.quantizer, config.groups) == (other, (4,) * 8)


def test_a_lattice_does_not_start_from_codebooks(model: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="lattice cannot start from it"):
        train(tmp_path / "run", "lattice", init_from=model)


def test_a_model_with_an_unknown_quantizer(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model, tmp_path / "odd")
    config = tmp_path / "odd" / "config.json"
    quantizer = find(model).config.quantizer
    config.write_text(config.read_text().replace(f'"quantizer": "{quantizer}"', '"quantizer": "abacus"'))
    with pytest.raises(ModelError, match="abacus"):
        load(tmp_path / "odd", device="cpu")

"""Models with residual codebooks, vq and rotation: trained, exported, and coding pictures at the rates they offer."""

import csv
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from plain_reader import PlainReader

from latticecodec import ChecksumError, Codec, FormatError, ImageError, ModelError, TrainingError, load, read_header
from latticecodec.config import PRESETS, ModelConfig, with_codebooks
from latticecodec.training.adopt import adopt
from latticecodec.training.data import Crops
from latticecodec.training.diagnosis import diagnose
from latticecodec.training.export import trainable
from latticecodec.training.loop import TrainOptions, new_model
from latticecodec.training.run import run
from latticecodec.training.synthetic import synthetic_picture
from latticecodec.training.vector import VectorModel
from latticecodec.zoo import find

PICTURES = 3
QUICK = TrainOptions(steps=6, batch=2, crop=64, validate_every=3, checkpoint_minutes=0.0, warm_up=2)


def train(out: Path, quantizer: str, **settings: object) -> Path:
    """Six steps on three small pictures."""
    data = out.parent / "pictures"
    data.mkdir(exist_ok=True)
    for seed in range(PICTURES):
        Image.fromarray(synthetic_picture(seed, 96, 96).permute(1, 2, 0).numpy()).save(data / f"{seed}.png")
    defaults: dict[str, object] = {"name": quantizer, "preset": "lc-test", "data": data, "val": data, "device": "cpu"}
    return run(quantizer=quantizer, out=out, options=QUICK, **(defaults | settings))  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=["vq", "rotation"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("run") / request.param, request.param)


@pytest.fixture(scope="module")
def codec(model: Path) -> Codec:
    return load(model, device="cpu")


def test_every_rate_on_offer_comes_back(codec: Codec, photo: Image.Image) -> None:
    sizes = []
    for stages in range(1, 5):
        encoding = codec.encode_detailed(photo, quality=100 * (stages - 1) / 3)
        header = read_header(encoding.data)
        assert header.scale == stages
        assert encoding.indices.shape == (stages, 13, 20)
        assert codec.decode(encoding.data).size == photo.size
        np.testing.assert_array_equal(codec.decode_indices(encoding.data), encoding.indices)
        assert len(encoding.data) <= 1.01 * encoding.estimated_bits / 8 + 48 + 8  # the coder's last words
        sizes.append(len(encoding.data))
    assert sizes == sorted(sizes)


def test_the_document_is_enough_to_decode(codec: Codec, model: Path, photo: Image.Image) -> None:
    data = codec.encode(photo.resize((90, 70)), quality=60)
    np.testing.assert_array_equal(PlainReader(data, model).indices(), codec.decode_indices(data))


def test_quality_is_that_of_the_nearest_rate(codec: Codec, photo: Image.Image) -> None:
    assert codec.encode_detailed(photo, quality=40).quality == pytest.approx(100 / 3)
    assert codec.encode(photo, quality=40) == codec.encode(photo, quality=30)


def test_fewer_stages_are_the_first_indices_of_more(codec: Codec, photo: Image.Image) -> None:
    all_stages, two = codec.to_indices(photo, quality=100), codec.to_indices(photo, quality=100 / 3)
    np.testing.assert_array_equal(all_stages[:2], two)
    assert 0 <= all_stages.min() <= all_stages.max() < 16
    redrawn = codec.from_indices(two, quality=100 / 3, width=photo.width, height=photo.height)
    np.testing.assert_array_equal(np.asarray(redrawn), np.asarray(codec.decode(codec.encode(photo, quality=100 / 3))))


def test_indices_outside_the_alphabet_are_one_clear_error(codec: Codec) -> None:
    with pytest.raises(ImageError, match="indices from 0 to 16; expected 0 to 15"):
        codec.from_indices(np.full((2, 4, 4), 16) * np.eye(4, dtype=int), quality=30)
    with pytest.raises(ImageError, match=r"expected integers \[2, h, w\] at quality 33.33"):
        codec.from_indices(np.zeros((3, 4, 4), dtype=np.int32), quality=30)


def test_stages_the_model_does_not_have_are_refused(codec: Codec, photo: Image.Image) -> None:
    from latticecodec import container

    header, tiles = container.read(codec.encode(photo, quality=0))
    with pytest.raises(FormatError, match="9 stages, its model 1 to 4"):
        codec.decode(container.write(dataclasses.replace(header, scale=9), tiles))
    with pytest.raises((ChecksumError, FormatError)):
        codec.decode(container.write(dataclasses.replace(header, scale=3), tiles))


def test_there_is_no_basis_to_embed(codec: Codec, photo: Image.Image) -> None:
    with pytest.raises(ModelError, match="codebooks, not a lattice basis"):
        codec.encode(photo, embed_basis=True)


def test_the_log_says_how_the_codebooks_are_used(model: Path) -> None:
    rows = list(csv.DictReader((model.parent / "log.csv").open()))
    assert [row["step"] for row in rows] == ["3", "6"]
    assert 0 < float(rows[-1]["share_used"]) <= 1
    assert 1 <= float(rows[-1]["perplexity"]) <= 16
    assert 0 <= int(rows[-1]["dead"]) < 4 * 16
    assert float(rows[-1]["quantization_error"]) > 0
    assert float(rows[-1]["gradient_gap"]) > 0


def test_a_collapsed_codebook_is_reported() -> None:
    crops = Crops([synthetic_picture(0)], size=64, batch=2)
    model = new_model(with_codebooks(PRESETS["lc-test"], "vq"), crops).eval()
    for stage in model.quantizer.quantizers:
        stage.begin_at(torch.zeros(16, 32))  # all alike: index 0 is always the nearest
    with pytest.warns(UserWarning, match="less than a tenth of the codes in use, in codebooks 0, 1, 2, 3"):
        diagnosis = diagnose(model, crops.batch(0), torch.device("cpu"))
    assert diagnosis is not None
    assert diagnosis.perplexity == pytest.approx(1)


def test_rotation_changes_the_gradient_and_nothing_else() -> None:
    crops = Crops([synthetic_picture(0)], size=64, batch=2)
    models = [new_model(with_codebooks(PRESETS["lc-test"], kind), crops) for kind in ("vq", "rotation")]
    x, t = crops.batch(0).float() / 255, torch.tensor([0.5, 1.0])
    results = [model(x, t) for model in models]
    assert torch.equal(results[0].x_hat, results[1].x_hat)
    for result in results:
        result.mse.mean().backward()
    gradients = [model.analysis.leave.weight.grad for model in models]
    assert not torch.allclose(*gradients)


def test_evaluation_learns_nothing() -> None:
    crops = Crops([synthetic_picture(0)], size=64, batch=2)
    model = new_model(with_codebooks(PRESETS["lc-test"], "vq"), crops)
    x, t = crops.batch(0).float() / 255, torch.tensor([0.5, 1.0])
    model(x, t)
    model.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first, second = model(x, t), model(x, t)
    assert torch.equal(first.x_hat, second.x_hat)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_resuming_gives_the_same_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(tmp_path / "whole", "vq")
    from latticecodec.training.loop import save_checkpoint

    def stop(path: Path, model: object, average: object, optimiser: object, step: int, options: object) -> None:
        save_checkpoint(path, model, average, optimiser, step, options)  # type: ignore[arg-type]
        if step == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("latticecodec.training.loop.save_checkpoint", stop)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "part", "vq")
    resumed = train(tmp_path / "part", "vq", resume=tmp_path / "part" / "checkpoint.pt")
    assert (resumed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_warm_start_begins_where_the_model_ended(model: Path) -> None:
    info = find(model)
    again = trainable(info, info.config)
    assert isinstance(again, VectorModel)
    x = torch.rand(1, 3, 64, 64)
    expected = load(model, device="cpu")
    picture = (x[0] * 255).round() / 255
    indices = again.eval().quantizer.quantize(again.analysis(picture[None])[0].flatten(1).T)  # [16, G]
    np.testing.assert_array_equal(indices.T.reshape(4, 4, 4), expected.to_indices(picture, quality=100))


def test_the_transforms_of_a_lattice_model_are_adopted(tiny_model: Path) -> None:
    """With as many latents as the base has, nothing but the axes changes: the picture without quantization stays."""
    info = find(tiny_model)
    base = trainable(info, info.config).eval()
    pictures = torch.stack([synthetic_picture(seed, 64, 64) for seed in range(4)]).float() / 255  # [4, 3, 64, 64]
    model = VectorModel(_adopting(info.config, "")).eval()
    adopt(model, base, pictures)  # type: ignore[arg-type]
    t = torch.full((4,), 0.5)
    with torch.no_grad():
        expected = base.synthesis(base.analysis(pictures), t)
        torch.testing.assert_close(model.synthesis(model.analysis(pictures), t), expected, atol=1e-4, rtol=1e-4)


def _adopting(config: ModelConfig, base: str) -> ModelConfig:
    return dataclasses.replace(with_codebooks(config, "vq"), name="vq", base=base)


def test_only_parts_of_an_installed_base_train_and_only_they_are_stored(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_model, tmp_path / "models" / "lattice")
    config = tmp_path / "models" / "lattice" / "config.json"
    config.write_text(config.read_text().replace('"name": "tiny"', '"name": "lattice"'))
    monkeypatch.setattr("latticecodec.zoo._models_folder", lambda: tmp_path / "models")
    base = find("lattice")
    folder = train(tmp_path / "run", "vq", init_from="lattice")
    info = find(folder)
    assert info.config.base == base.config.name
    assert info.weight_bytes < base.weight_bytes
    codec = load(folder, device="cpu")
    assert codec.decode(codec.encode(np.zeros((40, 40, 3), dtype=np.uint8))).size == (40, 40)


def test_a_lattice_does_not_start_from_codebooks(model: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="lattice cannot start from it"):
        train(tmp_path / "run", "lattice", init_from=model)


def test_a_model_with_an_unknown_quantizer(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model, tmp_path / "odd")
    config = tmp_path / "odd" / "config.json"
    text = config.read_text()
    quantizer = find(model).config.quantizer
    config.write_text(text.replace(f'"quantizer": "{quantizer}"', '"quantizer": "abacus"'))
    with pytest.raises(ModelError, match="abacus"):
        load(tmp_path / "odd", device="cpu")

"""SSIMULACRA2 as what training and encoders aim at: the metric in torch, the encoder's step, a model trained for it."""

import dataclasses
import io
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import short_runs
import torch
from click.testing import CliRunner
from latticecodec.cli import main
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from short_runs import QUICK, trainable

from latticecodec import Codec, decode, encode, pillow, read_header, zoo
from latticecodec.bulk.task import Task
from latticecodec.codec import EncodeOptions
from latticecodec.lab.arithmetic import mixed_precision
from latticecodec.lab.distortion import fidelity, perceptual, perceptual_error, squared_error
from latticecodec.lab.evaluation import ssimulacra2
from latticecodec.lab.ssimulacra2 import score, weighted_error
from latticecodec.lab.training.data import Crops
from latticecodec.lab.training.drawn import drawn_page
from latticecodec.lab.training.error import measured_units, unit_at
from latticecodec.lab.training.synthetic import synthetic_picture

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")

SEEN = dataclasses.replace(QUICK, steps=2, validate_every=2, drawn=0.0, tune="ssimulacra2", rank=2, learning_rate=0.02)


def jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def distorted(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Blocks, blur and noise, much and little."""
    noise = np.random.default_rng(0).normal(0, 4, pixels.shape)
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.8)))
    return [jpeg(pixels, 15), jpeg(pixels, 90), blurred, np.clip(pixels + noise, 0, 255).astype(np.uint8)]


def tensor(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """Pixels [H, W, 3] as float32 [1, 3, H, W] in [0, 1]."""
    return torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255


SIZES = ((232, 240), (160, 225), (100, 131), (33, 64), (8, 9))  # six scales of the metric, five, ... one


@pytest.mark.parametrize(("size", "draw"), [*itertools.product(SIZES, (synthetic_picture, drawn_page))])
def test_the_metric_agrees_with_the_package(size: tuple[int, int], draw: object) -> None:
    """Ten pictures, each at four distortions; the package takes whole numbers from files."""
    pytest.importorskip("ssimulacra2")
    original = draw(7, *size).permute(1, 2, 0).numpy().copy()  # type: ignore[operator]
    for pixels in distorted(original):
        found = float(score(weighted_error(tensor(pixels), tensor(original))))
        assert found == pytest.approx(ssimulacra2(pixels, original), abs=0.02)


def test_equal_pictures_lose_nothing() -> None:
    x = tensor(synthetic_picture(0, 40, 50).permute(1, 2, 0).numpy())
    error = weighted_error(x, x)
    assert error.shape == (1,)
    assert float(error) < 1e-4
    assert float(score(error)) == pytest.approx(100, abs=0.02)
    assert float(fidelity(255 * x, 255 * x, "ssimulacra2")) == pytest.approx(100, abs=0.02)


def test_the_gradient_leads_to_the_original() -> None:
    """It is finite everywhere, also where the two are equal or out of range, and a step down makes the error less."""
    x = torch.stack([synthetic_picture(seed, 48, 40) for seed in (0, 1)]).float() / 255  # [2, 3, 48, 40]
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    x_hat = x + 0.2 * noise * (torch.arange(40) >= 20)  # the left half stays
    x_hat.requires_grad_(True)
    before = weighted_error(x_hat, x)
    (gradient,) = torch.autograd.grad(before.sum(), x_hat)
    assert bool(gradient.isfinite().all())
    assert (weighted_error(x_hat - 1e-3 * gradient / gradient.abs().max(), x) < before).all()


def test_what_an_encoder_goes_down() -> None:
    """Squared error and SSIMULACRA2 at equal cost, its slope cut; the squared error alone where a side is short."""
    x = tensor(synthetic_picture(0, 48, 40).permute(1, 2, 0).numpy())
    x_hat = (x + 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).requires_grad_(True)
    cost = perceptual(x_hat, x, 0.01)
    squared = squared_error(x_hat, x, 0.01)
    assert cost.item() == pytest.approx(squared.item() / 2)
    (ours,) = torch.autograd.grad(cost - squared / 4, x_hat)
    (metric,) = torch.autograd.grad(weighted_error(x_hat, x).sum(), x_hat)
    root = metric.square().mean().sqrt()
    assert float(metric.abs().max()) > 3 * root
    torch.testing.assert_close(ours / ours.abs().max(), (metric / root).clamp(-1, 1), atol=1e-4, rtol=1e-3)
    short = (x_hat[:, :, :7], x[:, :, :7], 0.01)
    assert torch.equal(perceptual(*short), squared_error(*short))


@pytest.mark.parametrize("effort", [1, 3, 5])
def test_tuning_for_ssimulacra2(lattice: Codec, photo: Image.Image, effort: int) -> None:
    """More of it for a bit, by the package, and the header says so."""
    pytest.importorskip("ssimulacra2")
    face, worth = photo.crop((64, 0, 320, 208)).resize((256, 228)), {}
    for tune in ("psnr", "ssimulacra2"):
        data = lattice.encode(face, 40, tune=tune, effort=effort)
        worth[tune] = ssimulacra2(np.asarray(lattice.decode(data)), np.asarray(face)) / len(data)
        assert read_header(data).tune == tune
    assert worth["ssimulacra2"] > 1.03 * worth["psnr"], worth


@pytest.mark.parametrize("size", [(1, 1), (3, 70), (7, 7), (8, 8), (200, 7)])
@pytest.mark.parametrize("effort", [1, 2, 4])
def test_pictures_of_every_size(tiny: Codec, size: tuple[int, int], effort: int) -> None:
    picture = Image.fromarray(synthetic_picture(0, 70, 200).permute(1, 2, 0).numpy()).resize(size)
    options = EncodeOptions(tune="ssimulacra2", effort=effort, exact=False)  # a single pixel is cheaper exact
    data = tiny.encode_detailed(picture, options).data
    assert (read_header(data).tune, tiny.decode(data).size) == ("ssimulacra2", size)


# ---- training -------------------------------------------------------------------------------------------------------


def test_units_are_interpolated_in_the_logarithm() -> None:
    units = torch.tensor([1.0, 4.0, 4.0, 8.0, 32.0])
    at = unit_at(torch.tensor([0.0, 0.125, 0.25, 0.5, 0.875, 1.0]), units)
    torch.testing.assert_close(at, torch.tensor([1.0, 2.0, 4.0, 4.0, 16.0, 32.0]))


def test_units_are_what_makes_the_two_errors_equal(tiny_model: Path) -> None:
    """On the crops they were measured on, and again the same."""
    info = zoo.find(tiny_model)
    model, cpu = trainable(info), torch.device("cpu")
    pictures = [synthetic_picture(seed, 64, 64) for seed in range(3)]
    units = measured_units(model, Crops(pictures, 64, 16), cpu)
    assert torch.equal(units, measured_units(model, Crops(pictures, 64, 16), cpu))
    x = Crops(pictures, 64, 16).batch(0).float() / 255  # [16, 3, 64, 64]
    with torch.no_grad(), mixed_precision(cpu):  # as training sees the model
        result = model(x, torch.full((16,), 0.75))
    error = perceptual_error(result.x_hat, x, units[3].expand(16))
    assert float(error.mean()) == pytest.approx(255**2 * float(result.mse.mean()), rel=1e-5)


@pytest.fixture(scope="module")
def installed(tiny_model: Path, small_validation: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with a tiny `lattice`, and `seen`, trained for SSIMULACRA2 as additions to it."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(tiny_model, folder / "lattice")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoo, "models_path", [folder])
        out = tmp_path_factory.mktemp("run") / "out"
        model = short_runs.train(out, "lattice", name="seen", options=SEEN, init_from="lattice")
        shutil.copytree(model, folder / "seen")
        (out / "log.csv").rename(folder / "log.csv")
    return folder


@pytest.fixture
def models(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder, and nothing else is installed."""
    monkeypatch.setattr(zoo, "models_path", [installed])
    return installed


def test_the_tune_takes_the_model_that_was_trained_for_it(models: Path) -> None:
    """Without being told, and at effort 0 too; by the name of its base, with --tune."""
    config = zoo.find("seen").config
    assert (config.tune, config.base) == ("ssimulacra2", "lattice")
    picture = synthetic_picture(0, 40, 50)
    data = encode(picture, tune="ssimulacra2", effort=0, device="cpu")
    assert (read_header(data).tune, read_header(data).model) == ("ssimulacra2", zoo.find("seen").digest)
    assert decode(data, device="cpu").size == (50, 40)
    assert zoo.tuned("lattice", "ms-ssim").name == "lattice"


def test_where_nothing_is_said_it_is_for_eyes_everywhere(models: Path, tmp_path: Path) -> None:
    """From Python, by Pillow and on the command line."""
    picture = Image.fromarray(synthetic_picture(0, 40, 50).permute(1, 2, 0).numpy())
    picture.save(tmp_path / "photo.png")
    picture.save(tmp_path / "pillow.lcq", pillow.FORMAT)
    result = CliRunner().invoke(main, ["compress", str(tmp_path / "photo.png"), "--device", "cpu"])
    assert result.exit_code == 0, result.output
    headers = [read_header(tmp_path / "photo.lcq"), read_header(tmp_path / "pillow.lcq"), read_header(encode(picture))]
    assert [(header.tune, header.model) for header in headers] == [("ssimulacra2", zoo.find("seen").digest)] * 3


def test_a_psnr_as_target_means_the_least_squared_error(models: Path) -> None:
    """Where neither a model nor a tune is named, and in collections as well."""
    header = read_header(encode(synthetic_picture(0, 40, 50), psnr=20, device="cpu"))
    assert (header.tune, header.model) == ("psnr", zoo.find("lattice").digest)
    asked = EncodeOptions(psnr=20)
    for options in (asked.for_model(None), Task("compress", asked).options):
        assert options is not None
        assert options.tune == "psnr"
    assert asked.for_model("seen") == Task("compress", asked, "seen").options == asked
    assert EncodeOptions(psnr=20, tune="ms-ssim").for_model(None).tune == "ms-ssim"


def test_without_such_a_model_it_is_the_model_itself() -> None:
    assert zoo.tuned("lattice-1", "ssimulacra2").name == "lattice"


def test_validation_logs_scores(models: Path) -> None:
    head, *rows = (models / "log.csv").read_text().splitlines()
    values = dict(zip(head.split(","), map(float, rows[-1].split(",")), strict=True))
    assert values["ssimulacra2@0"] < values["ssimulacra2@1"] <= 100


def test_resuming_gives_the_same_model(models: Path, tmp_path: Path) -> None:
    """The units are those of the base, not of what has been trained since."""
    settings = {"name": "seen", "options": SEEN, "init_from": "lattice"}
    with short_runs.interrupted(after=1):
        short_runs.train(tmp_path / "part", "lattice", **settings)
    resumed = short_runs.train(tmp_path / "part", "lattice", **settings, resume=tmp_path / "part" / "checkpoint.pt")
    assert (resumed / "model.safetensors").read_bytes() == (models / "seen" / "model.safetensors").read_bytes()

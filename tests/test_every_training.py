"""`lcodec train` with every quantizer: with pictures and without, from scratch and from a model, at every preset."""

import dataclasses
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from latticecodec.cli import main
from PIL import Image
from short_runs import HASTY_E8

from latticecodec.config import PRESETS
from latticecodec.kinds import check
from latticecodec.lab.training.kinds import MODELS, TWINS
from latticecodec.lab.training.kinds.adaptive import AdaptiveModel
from latticecodec.lab.training.kinds.adopt import adopt
from latticecodec.lab.training.kinds.codebook import CodebookModel
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.kinds.rotation import RotationModel
from latticecodec.lab.training.kinds.vq import VqModel
from latticecodec.lab.training.synthetic import synthetic_picture
from latticecodec.zoo import find

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")

SMALL = ["--steps", "1", "--batch", "1", "--crop", "64", "--optimiser", "adamw", "--device", "cpu"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The process beside a folder of one picture; all is small and in a hurry, and keeps no checkpoint."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    Image.fromarray(synthetic_picture(0, 64, 64).permute(1, 2, 0).numpy()).save("photos/0.png")
    monkeypatch.setattr("latticecodec.lab.training.kinds.fit.ITERATIONS", 2)
    monkeypatch.setattr("latticecodec.lab.training.validation.VALIDATION_POINTS", (1.0,))
    monkeypatch.setattr("latticecodec.lab.training.loop.save_checkpoint", lambda *_: None)
    monkeypatch.setattr("latticecodec.lab.training.loop.save_stable", lambda *_: None)
    monkeypatch.setattr("latticecodec.lab.training.run.TWIN_CROP", 64)
    monkeypatch.setitem(TWINS, "lattice-e8", HASTY_E8)
    monkeypatch.setattr("latticecodec.lab.training.run.synthetic_picture", lambda seed: synthetic_picture(seed, 64, 64))
    return tmp_path


def trained(*arguments: object) -> Path:
    """The model of a command line."""
    words = [str(argument) for argument in arguments]
    small = [] if set(words) & set(TWINS) else SMALL
    result = CliRunner().invoke(main, ["train", *words, *small, "--out", "run"])
    assert result.exit_code == 0, f"{' '.join(words)}: {result.output}{result.exception!r}"
    return Path("run/model")


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("quantizer", MODELS)
def test_from_scratch(quantizer: str, preset: str) -> None:
    config = find(trained("--quantizer", quantizer, "--preset", preset, "--data", "photos")).config
    assert (config.quantizer, config.latents) == (quantizer, PRESETS[preset].latents)


@pytest.mark.parametrize("data", [["--data", "photos"], []], ids=["pictures", "drawn"])
@pytest.mark.parametrize("quantizer", [*MODELS, *TWINS])
def test_from_a_model(quantizer: str, data: list[str], tiny_model: Path, tiny_e8: Path) -> None:
    base = tiny_e8.parent / "lattice" if quantizer == "lattice-e8" else tiny_model
    folder = trained("--quantizer", quantizer, "--init-from", base, *data)
    config = find(folder).config
    assert (config.quantizer, config.latents) == (quantizer, 32)
    card = (folder / "README.md").read_text()
    assert ("--val" not in card, "--data photos" in card) == (True, bool(data))


@pytest.mark.parametrize("quantizer", ["vq", "adaptive", "rotation"])  # tests/test_cli.py has the lattice
def test_without_pictures(quantizer: str) -> None:
    assert find(trained("--quantizer", quantizer)).config.quantizer == quantizer


def test_adaptive_from_the_installed_lattice() -> None:
    """Its 64 groups, sorted by bits, fill a square."""
    config = find(trained("--quantizer", "adaptive", "--init-from", "lattice-1", "--data", "photos")).config
    assert (len(config.groups), sum(config.groups), config.base) == (64, 256, "lattice")
    assert list(config.groups) != [4] * 64


def test_adaptive_from_a_lattice_of_the_largest_preset() -> None:
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    groups = adopt(LatticeModel(PRESETS["lc-m"]), AdaptiveModel, "", pictures).config.groups
    assert (len(groups), sum(groups)) == (64, 320)


def test_e8_chooses_its_threshold_on_what_is_held_out(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    counting = dataclasses.replace(HASTY_E8, make=lambda base, pictures, *_, **__: seen.append((len(pictures),)))
    monkeypatch.setitem(TWINS, "lattice-e8", counting)
    for seed in range(1, 25):
        Image.new("RGB", (64, 64), (seed, 0, 0)).save(f"photos/{seed}.png")
    trained("--quantizer", "lattice-e8", "--init-from", tiny_model, "--data", "photos")
    assert seen == [(2,)]  # every 20th of 25


def test_validation_pictures_count_without_data() -> None:
    result = CliRunner().invoke(main, ["train", *SMALL, "--val", "nowhere", "--out", "run"])
    assert result.exit_code == 1
    assert "nowhere: no such folder" in result.stderr


def test_the_error_of_a_foreign_option_is_one_line() -> None:
    for quantizer in (*MODELS, *TWINS):
        option, value, owner = ("--gamma", "1", "lattice")
        if quantizer == "lattice":
            option, value, owner = ("--selection", "attention", "adaptive")
        result = CliRunner().invoke(main, ["train", "--quantizer", quantizer, "--data", "photos", option, value])
        assert result.exit_code == 1
        assert result.stderr == f"Error: {option} is for --quantizer {owner}, not for {quantizer}\n"
    assert not Path("runs").exists()


# ---- groups that fit ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [VqModel, AdaptiveModel, RotationModel])
def test_groups_of_about_equal_width_fit_any_number_of_latents(kind: type[CodebookModel]) -> None:
    for latents in range(4, 560, 4):
        config = kind.configured(dataclasses.replace(PRESETS["lc-s"], latents=latents))
        check(config)
        assert sum(config.groups) == latents
        assert config.groups[-1] - config.groups[0] <= 1
    assert kind.configured(PRESETS["lc-s"]).groups == (4,) * 64
    assert AdaptiveModel.configured(PRESETS["lc-m"]).groups == (5,) * 64

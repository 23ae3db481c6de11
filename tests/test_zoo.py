"""Finding models: by name and version, by digest, in folders of one's own."""

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from latticecodec.cli import main
from PIL import Image

import latticecodec
from latticecodec import ModelError, zoo
from latticecodec.config import ModelConfig

MODELS = Path(__file__).parent.parent / "models"


def test_finding_models(tiny_model: Path, tmp_path: Path) -> None:
    assert zoo.find(tiny_model).folder == tiny_model.resolve()
    shipped = zoo.find("lattice-1")
    assert zoo.find_by_digest(shipped.digest).name == "lattice"
    with pytest.raises(ModelError, match=r"unknown model .lettuce.*lattice"):
        zoo.find("lettuce")
    with pytest.raises(ModelError, match="not a model folder"):
        zoo.find(tmp_path)
    with pytest.raises(
        ModelError, match=r"not installed: name its folder with `model`, or .* `latticecodec\.models_path"
    ):
        zoo.find_by_digest(b"\0" * 8)


@pytest.fixture
def versions(tiny_model: Path, tiny_e8: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with three versions of `lattice`, with one, two and three bytes of weights, and `lattice-e8`."""
    for number, name in enumerate(("lattice", "lattice-2", "lattice-10"), start=1):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(bytes(number))
        config = ModelConfig.read(tiny_model / "config.json")
        dataclasses.replace(config, name=name, weights_sha256=f"{number:064x}").write(folder / "config.json")
    shutil.copytree(tiny_e8, tmp_path / "models" / "lattice-e8")
    monkeypatch.setattr("latticecodec.zoo.models_path", [tmp_path / "models"])
    return tmp_path / "models"


def test_a_plain_name_means_the_newest_version(versions: Path) -> None:
    names = ("lattice", "lattice-1", "lattice-2", "lattice-10", "lattice-e8", "lattice-e8-1")
    found = ["lattice-10", "lattice", "lattice-2", "lattice-10", "lattice-e8", "lattice-e8"]
    assert [zoo.find(name).folder.name for name in names] == found
    assert zoo.installed("lattice").folder.name == "lattice"
    for name in ("lattice-3", "lattice-01", "lattice-", "latt"):
        with pytest.raises(ModelError, match=f"unknown model '{name}'"):
            zoo.find(name)
    assert zoo.find_by_digest(zoo.find("lattice-1").digest).name == "lattice"  # old files go on decoding


def test_a_base_is_the_version_it_was_made_for(tiny_model: Path, versions: Path) -> None:
    shutil.rmtree(versions / "lattice")
    shutil.copytree(tiny_model, versions / "lattice")
    info = zoo.find("lattice-e8")
    assert zoo.find("lattice").name == "lattice-10"
    assert zoo.base_of(info) == zoo.find("lattice-1")
    assert zoo.load(info.name, device="cpu").config == info.config


@pytest.fixture
def own(tiny_model: Path, tiny_e8: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, behind that of the package: with `mine`, and with two names that the package has too."""
    for name, model in (("mine", tiny_model), ("lattice", tiny_e8.parent / "lattice"), ("lattice-e8", tiny_e8)):
        shutil.copytree(model, tmp_path / "own" / name)
    monkeypatch.setattr(zoo, "models_path", [*zoo.models_path, tmp_path / "own", tmp_path / "nowhere"])
    return tmp_path / "own"


def test_models_of_ones_own(own: Path, tiny_model: Path, photo: Image.Image) -> None:
    """Their names are those of their folders; where the package has one of that name, it goes first."""
    small = photo.crop((0, 0, 40, 24))
    data = latticecodec.encode(small, model="mine")
    assert latticecodec.decode(data).size == (40, 24)
    assert zoo.find_by_digest(zoo.find(tiny_model).digest).folder.parent == own.resolve()
    assert zoo.find("lattice-1").folder == MODELS / "lattice"
    assert zoo.find("lattice-e8").folder == MODELS / "lattice-e8"
    hidden = zoo.find(own / "lattice-e8")
    assert zoo.find_by_digest(hidden.digest).folder == hidden.folder  # its files are decoded all the same
    names = [model.name for model in latticecodec.list_models()]
    assert names == sorted(names)
    assert names.count("lattice") == 2
    listed = [line for line in CliRunner().invoke(main, ["models"]).stdout.splitlines() if line.startswith("lattice ")]
    assert "means another one" not in listed[0]
    assert str(own / "lattice") in listed[1]
    with pytest.raises(ModelError, match=r"unknown model 'yours': not a folder, and not .*mine.*; looked for in .*own"):
        zoo.find("yours")


def test_a_model_is_called_so_that_it_is_found_whatever_follows(
    own: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name and number; one that another one hides, or that lies elsewhere, by its folder."""
    assert zoo.called(zoo.find(MODELS / "lattice")) == "lattice-1"
    assert zoo.called(zoo.find("mine")) == "mine-1"
    assert zoo.called(zoo.find(tiny_model)) == str(tiny_model)
    monkeypatch.chdir(own.parent)
    assert zoo.called(zoo.find(own / "lattice")) == "own/lattice"
    models = [*latticecodec.list_models(), zoo.find(tiny_model)]
    assert [zoo.find(zoo.called(model)) for model in models] == models


def test_a_damaged_model_of_ones_own_does_not_stop_the_decoding_of_others(own: Path) -> None:
    (own / "mine" / "config.json").write_text("{")
    assert zoo.find_by_digest(zoo.find(MODELS / "lattice").digest).folder == MODELS / "lattice"
    with pytest.warns(UserWarning, match=r"mine/config\.json: not valid JSON .*; it is left out"):
        assert "mine" not in [model.name for model in latticecodec.list_models()]
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(ModelError, match=r"mine/config\.json: not valid JSON"),
    ):
        zoo.find("mine")
    done = CliRunner().invoke(main, ["models"])
    assert (done.exit_code, done.stdout.splitlines()[0].split()[0]) == (0, "adaptive")
    assert done.stderr.startswith(f"Warning: {own / 'mine' / 'config.json'}: not valid JSON")
    assert done.stderr.count("\n") == 1


def test_a_folder_of_models_that_is_not_there_is_told_by_the_list_alone(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LCODEC_MODELS", os.pathsep.join([str(own), "", str(tmp_path / "not mounted")]))
    done = CliRunner().invoke(main, ["models"])
    told = f"Warning: {(tmp_path / 'not mounted').resolve()}: no such folder; correct LCODEC_MODELS, which names it\n"
    assert (done.exit_code, done.stderr) == (0, told)
    assert "\nmine " in done.stdout
    assert CliRunner().invoke(main, ["info", str(MODELS.parent / "tests" / "shipped" / "vq.lcq")]).stderr == ""


def test_a_model_without_weights_does_not_stop_the_list(own: Path) -> None:
    (own / "mine" / "model.safetensors").unlink()
    done = CliRunner().invoke(main, ["models", "--json"])
    assert done.exit_code == 0
    assert done.stderr == f"Warning: {(own / 'mine').resolve()}: holds no model.safetensors; it is left out\n"
    assert "mine" not in [row["name"] for row in json.loads(done.stdout)]


def test_a_path_that_holds_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "models_path", [*zoo.models_path, 5])
    with pytest.raises(ModelError, match="models_path holds 5, which is no folder; append text or a Path"):
        latticecodec.list_models()


@pytest.mark.parametrize(
    ("entry", "words"), [("~nobody-of-that-name/models", "Could not determine home directory"), ("a\0b", "null byte")]
)
def test_a_path_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch, entry: str, words: str) -> None:
    monkeypatch.setattr(zoo, "models_path", [*zoo.models_path, entry])
    with pytest.raises(ModelError, match=f"LCODEC_MODELS, holds '.*': .*{words}"):
        latticecodec.list_models()


@pytest.mark.parametrize("name", ["a" * 5000, Path("a" * 5000)])
def test_a_name_that_no_file_can_have(name: str | Path) -> None:
    with pytest.raises(ModelError, match=r"unknown model 'a+': not a folder"):
        zoo.find(name)


def test_the_path_comes_from_the_environment(tiny_model: Path, tmp_path: Path) -> None:
    """Folders of models, or a model itself, after those of the package."""
    code = "import latticecodec; print(latticecodec.models_path); print([m.name for m in latticecodec.list_models()])"
    paths = os.pathsep.join([str(tmp_path), str(tiny_model), ""])
    environment = os.environ | {"LCODEC_MODELS": paths}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    path, names = done.stdout.splitlines()
    assert path.endswith(f", {str(tmp_path)!r}, {str(tiny_model)!r}]")
    assert "'lattice'" in names
    assert "'tiny'" in names


def test_the_list_says_what_a_plain_name_means(versions: Path) -> None:
    lines = CliRunner().invoke(main, ["models"]).stdout.splitlines()
    notes = {line.split()[0]: line.partition("  this is ")[2] for line in lines}
    assert notes == {
        "lattice": "what lattice-1 means",
        "lattice-10": "what lattice means",
        "lattice-2": "",
        "lattice-e8": "",
    }


def test_shipped_weights_are_those_of_the_manifest() -> None:
    """A model that shipped is neither changed nor removed; a better one gets a new name (CONTRIBUTING.md)."""
    rows = [line.split("  ") for line in (MODELS / "MANIFEST").read_text().splitlines()]
    assert rows
    for digest, name in rows:
        assert hashlib.sha256((MODELS / name).read_bytes()).hexdigest() == digest, name
    models = zoo.list_models()
    assert {name for _, name in rows} == {
        f"{model.name}/{file}" for model in models for file in (zoo.WEIGHTS, zoo.CONFIG)
    }
    assert all(model.folder.name == model.name for model in models)

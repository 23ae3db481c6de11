"""Adding a kind of model is one file: what CONTRIBUTING.md says of it, done to `dead-zone`, from training to pixels."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import fails_with, lcodec
from fifth_kind import ZONE, DeadZone, DeadZoneModel
from short_runs import HASTY

from latticecodec import ModelError, VersionError, container, kinds, load, read_header
from latticecodec.lab.ranks import Ranks
from latticecodec.lab.training.kinds import MODELS, TWINS
from latticecodec.lab.training.options import Asked, TrainOptions
from latticecodec.lab.training.run import run
from latticecodec.lab.training.synthetic import synthetic_picture
from latticecodec.lab.training.twin import Twin
from latticecodec.zoo import ModelInfo

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")

STEPS = 30
PICTURE = synthetic_picture(7, 96, 80).permute(1, 2, 0).numpy()  # [96, 80, 3]


@pytest.fixture(autouse=True, scope="module")
def added() -> Iterator[None]:
    """The kind is in both tables."""
    kinds.add(DeadZone)
    MODELS[DeadZoneModel.kind] = DeadZoneModel
    yield
    del kinds.KINDS[DeadZone.name], MODELS[DeadZoneModel.kind]
    container.QUANTIZERS.remove(DeadZone.format_id)


@pytest.fixture(scope="module")
def model(added: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained for thirty steps on pictures that training draws itself."""
    options = TrainOptions(**vars(HASTY) | {"steps": STEPS, "batch": 2, "validate_every": STEPS, "learning_rate": 5e-3})
    out = tmp_path_factory.mktemp("fifth") / "run"
    return run(Asked("dead-zone", "mine", "lc-test", None, None, out), options, "cpu")


def test_its_training_is_one_of_its_own(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    assert (config["quantizer"], config["name"]) == ("dead-zone", "mine")
    assert "Quantizer: dead-zone." in (model / "README.md").read_text()


def test_a_picture_comes_back(model: Path) -> None:
    codec = load(model, device="cpu")
    sizes = []
    for quality in (10, 50, 90):
        data = codec.encode(PICTURE, quality=quality)
        sizes.append(len(data))
        assert (codec.decode_indices(data) == codec.to_indices(PICTURE, quality=quality)).all()
        assert codec.decode(data, as_array=True).shape == PICTURE.shape
    assert sizes == sorted(sizes)
    error = np.square(codec.decode(data, as_array=True).astype(float) - PICTURE).mean()
    assert error < np.square(PICTURE - PICTURE.mean((0, 1))).mean() / 4


def test_its_points_are_those_of_its_definition(model: Path) -> None:
    """Zero up to 0.7 steps, one from there to 1.7, in the middle of that cell; so in training too."""
    kind = load(model, device="cpu").kind
    rate = kind.rates.of_quality(50)
    step = float(kind.values(np.full((32, 1, 1), 1, np.int32), rate, None)[0, 0, 0]) / (1 + ZONE)
    u = np.array([-1.8, -0.75, -0.65, 0.0, 0.65, 0.75, 1.65, 1.75], np.float32) * step
    y = np.zeros((32, 1, len(u)), np.float32)
    y[0, 0] = u
    k = kind.encode(kind.prepare(y, rate, None), rate, 0).indices
    assert k[0, 0].tolist() == [-2, -1, 0, 0, 0, 1, 1, 2]
    np.testing.assert_allclose(kind.values(k, rate, None)[0, 0] / step, [-2.2, -1.2, 0, 0, 0, 1.2, 1.2, 2.2], rtol=1e-5)


def test_its_files_say_so_and_need_it(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "picture.lcq"
    path.write_bytes(load(model, device="cpu").encode(PICTURE))
    header = read_header(path)
    assert (header.quantizer, header.family) == DeadZone.format_id
    facts = json.loads(lcodec("info", "--json", path).stdout)
    assert (facts["quantizer"], facts["lattice"], facts["basis"]) == ("dead-zone", "diagonal", "of the model")
    monkeypatch.delitem(kinds.KINDS, "dead-zone")
    container.QUANTIZERS.remove(DeadZone.format_id)
    with pytest.raises(VersionError, match="quantizer 15, family 1 needs a newer latticecodec"):
        read_header(path)
    container.QUANTIZERS.add(DeadZone.format_id)


def test_the_command_knows_it(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "lattice|lattice-e8|vq|adaptive|rotation|dead-zone" in lcodec("train", "--help").stdout
    result = lcodec("train", "--quantizer", "dead-zone", "--gamma", "1")
    assert (result.exit_code, result.stderr) == (1, "Error: --gamma is for --quantizer lattice, not for dead-zone\n")
    monkeypatch.delitem(MODELS, "dead-zone")
    result = lcodec("train", "--quantizer", "dead-zone")
    assert "no training for quantizer 'dead-zone'; choose one of lattice, vq, adaptive, rotation" in result.stderr
    monkeypatch.delitem(kinds.KINDS, "dead-zone")
    result = lcodec("train", "--quantizer", "dead-zone")
    assert result.exit_code == 2
    assert "'dead-zone' is not one of 'lattice', 'lattice-e8', 'vq', 'adaptive', 'rotation'" in result.stderr
    assert not Path("runs").exists()


def test_a_kind_that_is_made_of_another_needs_no_line_of_the_command(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`dead-zone` as what is not trained: the command asks the table, and prints what it is told."""

    def make(base: ModelInfo, pictures: Sequence[np.ndarray], folder: Path, **told: Any) -> None:
        told["report"](f"{base.name} with {len(pictures)} pictures to {folder}")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(TWINS, "dead-zone", Twin("dead-zone", str(model), make))
    monkeypatch.setattr("latticecodec.lab.training.run.TWIN_CROP", 64)
    done = lcodec("train", "--quantizer", "dead-zone")
    made = Path("runs/dead-zone-1/model")
    told = f"mine with 2 pictures to {made}\nmodel written to {made}; use it with --model {made}\n"
    assert (done.exit_code, done.stdout) == (0, told)
    monkeypatch.setattr("latticecodec.lab.ranks.told", lambda: Ranks(1, 2))
    told = "--quantizer dead-zone trains nothing that could be shared out; run it without torchrun"
    fails_with(lcodec("train", "--quantizer", "dead-zone"), told)


def test_its_configuration_is_checked(model: Path, tmp_path: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"codes": 16}))
    with pytest.raises(ModelError, match=r"config\.json: config: a dead-zone has no groups and no codes"):
        load(tmp_path)

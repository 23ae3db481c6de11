"""The config file of a model: kinds, sizes, what is refused."""

import dataclasses
import json
from pathlib import Path

import pytest

from latticecodec import ModelError, zoo
from latticecodec.config import PRESETS, ModelConfig
from latticecodec.lab.training.kinds.rotation import RotationModel
from latticecodec.lab.training.kinds.vq import VqModel

MODELS = Path(__file__).parent.parent / "models"


def test_config_round_trip(tmp_path: Path) -> None:
    config = dataclasses.replace(PRESETS["lc-m"], name="mine", octaves=3.25)
    config.write(tmp_path / "config.json")
    assert ModelConfig.read(tmp_path / "config.json") == config


def test_configs_of_codebooks(tmp_path: Path) -> None:
    """Groups of equal width unless told; the octaves are those between the least and the largest lambda."""
    config = VqModel.configured(PRESETS["lc-s"])
    assert (config.quantizer, config.groups, config.codes) == ("vq", (4,) * 64, 256)
    assert 2 ** (2 * config.octaves) == pytest.approx(config.lambda_max / config.lambda_min, rel=0.01)
    config = RotationModel.configured(PRESETS["lc-s"], (1,) * 40 + (9,) * 24)
    config.write(tmp_path / "config.json")
    assert ModelConfig.read(tmp_path / "config.json") == config


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"latents": 255}, "multiple of 4"),
        ({"latents": 0}, "latents is 0"),
        ({"latents": "many"}, "latents is 'many'"),
        ({"latents": 2048}, "24 bits"),
        ({"analysis_blocks": 3}, "wrong type"),
        ({"reach": [1, 0]}, "reach 1 to 0"),
        ({"colour": "blue"}, "unknown: colour"),
        ({"base": 5}, "base is 5; it must be a string"),
        ({"base": "../lattice"}, "plain name"),
        ({"groups": [128, 128]}, "a lattice has no groups and no codes"),
        ({"codes": 16}, "a lattice has no groups and no codes"),
        ({"groups": 256}, "wrong type"),
        ({"groups": [256, 0]}, "list of positive integers"),
        ({"quantizer": "vq", "groups": [100, 100], "codes": 16}, "must cover 256 latents"),
        ({"quantizer": "vq", "groups": [128, 128], "codes": 1}, "2 codes or more"),
        ({"quantizer": "rotation"}, "must cover 256 latents"),
        ({"octaves": 0}, "not a range of scales"),
        ({"reach": [10**400, 10**401]}, r"reach is \[10{78}; it must be two finite numbers"),
        ({"reach": [1, 10**308]}, r"reach 1 to 10{79}, not a range"),
        ({"lambda_max": 10**308}, r"lambda_max 10{79}, not a range"),
        ({"groups": [10**400]}, "list of positive integers, up to 4096"),
        ({"books": [4096] * 1000}, r"books is \[4096(, 4096){12}, 4; of a lattice it must be"),
        ({"octaves": 10**400}, "octaves is 10{79}; it must be a finite number"),
    ],
)
def test_configs_that_are_refused(tmp_path: Path, change: dict[str, object], words: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(dataclasses.asdict(ModelConfig()) | change))
    with pytest.raises(ModelError, match=words):
        zoo.find(tmp_path)


def test_configs_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be read \(No such .*\); a model folder holds config\.json"):
        ModelConfig.read(tmp_path / "config.json")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelError, match="not valid JSON"):
        ModelConfig.read(tmp_path / "config.json")

"""Model folders that somebody made to do harm, or damaged: one line of ModelError, no code run, no memory taken."""

import dataclasses
import hashlib
import json
import os
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

import latticecodec
from latticecodec import ModelError, container
from latticecodec.config import CONFIG_MAX, COUNT_MAX, ModelConfig
from latticecodec.kinds import check
from latticecodec.weights import WEIGHTS_MAX

ROOT = Path(__file__).parent.parent
Change = Callable[[dict[str, Tensor]], object]


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model."""
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


def put(folder: Path, data: bytes, **fields: Any) -> None:
    """Replace the weights, and fields of config.json, with a SHA-256 that fits."""
    (folder / "model.safetensors").write_bytes(data)
    config = json.loads((folder / "config.json").read_text())
    config |= {"weights_sha256": hashlib.sha256(data).hexdigest()} | fields
    (folder / "config.json").write_text(json.dumps(config))


def refused(folder: Path, *words: str) -> None:
    """Loading the model is one line of ModelError with these words."""
    with pytest.raises(ModelError) as caught:
        latticecodec.load(folder, device="cpu")
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda t: t.pop("analysis.enter.weight"),
            "tensor analysis.enter.weight should have shape (32, 192), has None",
        ),
        (lambda t: t.update({"synthesis.more": torch.zeros(3)}), "synthesis.more should have shape None, has (3,)"),
        (lambda t: t.update({"analysis.enter.bias": torch.zeros(7)}), "should have shape (32,), has (7,)"),
        (lambda t: t.pop("prior.context.leave.weight"), "context.leave.weight"),
        (lambda t: t.pop("prior.tables.first"), "tables.first"),
        (lambda t: t["analysis.enter.weight"].view(-1)[5:].fill_(torch.nan), "analysis.enter.weight' holds values"),
        (lambda t: t["quantizer.log_basis"].fill_(torch.inf), "quantizer.log_basis' holds values"),
        (lambda t: t.update({"analysis.enter.bias": torch.zeros(32).double()}), "type float64; it must be float16 or"),
        (lambda t: t.update({"analysis.enter.bias": torch.zeros(32).bfloat16()}), "of type bfloat16"),
        (
            lambda t: t.update({"prior.z": t["prior.z"].float()}),
            "'prior.z' is of type float32; it must be int8 or int32",
        ),
        (lambda t: t.update({"prior.z": t["prior.z"][:, :5]}), "prior table z: it must hold means and scales of"),
        (lambda t: t["prior.z"].fill_(600), "prior table z: it must hold means and scales of"),
        (lambda t: t["prior.tables.first"].add_(1000), "prior table first: it must hold the first of"),
        (lambda t: t["prior.tables.shifts"].sub_(1), "prior table shifts: it must hold"),
        (lambda t: t["prior.tables.means"].fill_(-(2**31)), "prior table means: it must hold"),
        (lambda t: t["prior.tables.offsets"].add_(1), "frequency tables: offsets do not fit"),
        (lambda t: t["prior.tables.frequencies"].fill_(0), "frequencies must be at least 1 and sum to 2^"),
        (lambda t: t["prior.hyper.leave.exponent"].fill_(2), "prior layer hyper.leave: exponents must be"),
        (
            lambda t: t["prior.hyper.leave.weight"].fill_(-128),
            "prior layer hyper.leave: sums of its weights can exceed 2^24",
        ),
        (lambda t: t.update({"prior.compand": torch.zeros(0, dtype=torch.int8)}), "do not fit its config.json"),
        (
            lambda t: t.update({"prior.compand": torch.full((9,), 256, dtype=torch.int32)}),
            "prior table compand: its entries must be -255 to 255",
        ),
        (lambda t: t.update({"prior.hyper.leave.bias": torch.zeros(5, 7, dtype=torch.int32)}), "do not fit"),
    ],
)
def test_tensors(folder: Path, change: Change, words: str) -> None:
    tensors = load((folder / "model.safetensors").read_bytes())
    change(tensors)
    put(folder, save({name: tensor.contiguous() for name, tensor in tensors.items()}))
    refused(folder, words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["prior.e8.threshold"].fill_(65), "E8 threshold of 65"),
        (lambda t: t["prior.e8.even"].fill_(-1), "prior table e8.even"),
        (lambda t: t["prior.e8.even"].fill_(2**30), "prior table e8.even"),
        (lambda t: t["prior.e8.rho"].fill_(4096), "prior table e8.rho"),
    ],
)
def test_tensors_of_e8(tiny_e8: Path, tmp_path: Path, change: Change, words: str) -> None:
    shutil.copytree(tiny_e8.parent / "lattice", tmp_path / "lattice")
    folder = Path(shutil.copytree(tiny_e8, tmp_path / "lattice-e8"))
    tensors = load((folder / "model.safetensors").read_bytes())
    change(tensors)
    put(folder, save(tensors))
    refused(folder, words)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("analysis.enter.weight", 3e38, "its networks give values that are not numbers"),
        ("synthesis.leave.bias", 3e38, "its networks give values that are not numbers"),
        ("quantizer.log_basis", -1e4, "its networks give values that are not numbers"),
        ("hyper_analysis.enter.weight", 3e38, "the model's hyper-analysis gives values that are not numbers"),
    ],
)
def test_weights_beyond_all_numbers(folder: Path, name: str, value: float, words: str) -> None:
    tensors = load((folder / "model.safetensors").read_bytes())
    tensors[name] = torch.full(tensors[name].shape, value)
    put(folder, save(tensors))
    with pytest.raises(ModelError, match=words):
        latticecodec.load(folder, device="cpu").encode(np.zeros((64, 64, 3), np.uint8) + 200)


@pytest.mark.parametrize("value", [40.0, -40.0, 1e4])
def test_a_basis_that_no_file_holds(folder: Path, value: float) -> None:
    tensors = load((folder / "model.safetensors").read_bytes())
    tensors["quantizer.log_basis"] = torch.full((32,), value)
    put(folder, save(tensors))
    codec = latticecodec.load(folder, device="cpu")
    with pytest.raises(ModelError, match="its lattice basis is beyond what a file can hold"):
        codec.encode(np.zeros((64, 64, 3), np.uint8), embed_basis=True)


def test_networks_larger_than_the_weights(folder: Path) -> None:
    """config.json alone would make networks of 100 GB."""
    data = (folder / "model.safetensors").read_bytes()
    put(folder, data, width8=4096, width16=4096, analysis_blocks=[64, 64], synthesis_blocks=[64, 64])
    refused(folder, "asks for 26,", "numbers or more")


def test_files_that_are_no_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    for data in (b"", b"garbage", (2**63).to_bytes(8, "little") + b"{}", b"\x02\0\0\0\0\0\0\0[]"):
        put(folder, data)
        refused(folder, "not a safetensors file")
    header = b'{"analysis.enter.weight":{"dtype":"F16","shape":[4294967296,4294967296],"data_offsets":[0,2]}}'
    put(folder, len(header).to_bytes(8, "little") + header + b"\0\0")
    refused(folder, "not a safetensors file")
    with path.open("wb") as file:
        file.truncate(WEIGHTS_MAX + 1)  # a hole, on no disk
    refused(folder, "268,435,457 bytes of weights; beyond the limit of 268,435,456")
    path.unlink()
    os.mkfifo(path)
    refused(folder, "not a file")


class Harm:
    """What runs when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (os.mkdir, ("harm",))


def test_a_pickle_is_not_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(folder, pickle.dumps(Harm()))
    refused(folder, "not a safetensors file")
    torch.save(Harm(), folder / "model.pt")
    put(folder, (folder / "model.pt").read_bytes())
    refused(folder, "not a safetensors file")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "a\x1b[2J\nname"}, "name is 'a\\x1b[2J\\nname'; it must be a plain name"),
        ({"name": ""}, "plain name"),
        ({"name": "n" * 65}, "plain name"),
        ({"quantizer": "../lattice"}, "config field quantizer"),
        ({"quantizer": "abacus"}, "unknown quantizer 'abacus'"),
        ({"lambda_min": float("nan")}, "lambda_min is nan; it must be a finite number"),
        ({"lambda_max": 0.0001}, "not a range of weights"),
        ({"lambda_max": 1e200, "reach": [0.0, 2.0]}, "not a range of weights"),
        ({"octaves": "3"}, "octaves is '3'"),
        ({"octaves": float("inf")}, "octaves is inf"),
        ({"reach": [float("nan"), 1.0]}, "reach is [nan, 1.0]; it must be two finite numbers"),
        ({"group": 3}, "config.json: config field group is 3; it must divide width8, 32"),
        ({"latents": -4}, "latents is -4"),
        ({"context_blocks": 10**30}, "an integer from 1 to 4096"),
        ({"context_blocks": 4096}, "do not fit"),
    ],
)
def test_fields_of_the_configuration(folder: Path, fields: dict[str, object], words: str) -> None:
    put(folder, (folder / "model.safetensors").read_bytes(), **fields)
    refused(folder, words)


def test_codebooks_need_hidden_units() -> None:
    config = ModelConfig()
    with pytest.raises(ModelError, match="codebooks need 6 or more"):
        check(dataclasses.replace(config, quantizer="vq", groups=(4,) * 64, codes=16, context_width=5))


@pytest.mark.parametrize("text", ["[" * 100_000, "\0", '{"name": "x"', "9" * 5000])
def test_configurations_that_are_no_json(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    refused(folder, "config.json: not valid JSON")


def test_a_configuration_without_end(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to("/dev/zero")
    with pytest.raises(ModelError, match="not a model folder"):
        latticecodec.load(folder, device="cpu")
    with pytest.raises(ModelError, match="not valid JSON"):
        ModelConfig.read(folder / "config.json")


def test_the_limits_in_the_security_policy_are_those_of_the_code() -> None:
    """Every number of its table, row by row; that of the page is in its JavaScript."""
    policy, opener = ((ROOT / path).read_text(encoding="utf-8") for path in ("SECURITY.md", "web/page/opener.js"))
    powers = re.findall(r"^const PIXELS_MAX = (\d+) \*\* (\d+);", opener, re.MULTILINE)
    limits = [
        [container.SIZE_MAX],
        [container.PIXELS_MAX, *(int(base) ** int(exponent) for base, exponent in powers)],
        [container.PIXELS_PER_BYTE, container.EXACT_PIXELS_PER_BYTE],
        [container.HEADER_MAX],
        [container.BASIS_MAX],
        [WEIGHTS_MAX],
        [CONFIG_MAX],
        [COUNT_MAX],
    ]
    (table,) = re.findall(r"^\| what \| limit \| where \|\n\|[-|]+\n((?:\|.*\n)+)", policy, re.MULTILINE)
    written = [re.findall(r"\d[\d,]*", row) for row in table.splitlines()]
    assert [[int(number.replace(",", "")) for number in row] for row in written] == limits


def test_a_width_beyond_the_limit(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text()) | {"width8": COUNT_MAX, "group": 1}
    (folder / "config.json").write_text(json.dumps(config))
    assert ModelConfig.read(folder / "config.json").width8 == COUNT_MAX
    (folder / "config.json").write_text(json.dumps(config | {"width8": COUNT_MAX + 1}))
    with pytest.raises(ModelError, match="width8 is 4097; it must be an integer from 1 to 4096"):
        ModelConfig.read(folder / "config.json")

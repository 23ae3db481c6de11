"""Model folders: damaged ones, and such whose parts do not belong together, are refused."""

import dataclasses
import errno
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

import latticecodec
from latticecodec import ModelError
from latticecodec.config import ModelConfig

MODELS = Path(__file__).parent.parent / "models"


def test_damaged_weights_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "copy"))
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(bytes(data))
    with pytest.raises(ModelError, match="SHA-256"):
        latticecodec.load(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="cannot be read, it is not there or not a file"):
        latticecodec.load(folder)


def test_weights_that_may_not_be_read(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "copy")  # which nobody has loaded

    def refuse(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ModelError, match=r"model\.safetensors: cannot be read \(Permission denied\)"):
        latticecodec.load(folder)


def test_a_base_must_be_tied_to_weights(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "copy"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"base": "lattice"}))
    with pytest.raises(ModelError, match=r"its base is 'lattice', but no tensor base\.sha256"):
        latticecodec.load(folder)


def test_config_that_does_not_belong_to_the_weights(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "copy"))
    config = ModelConfig.read(folder / "config.json")
    dataclasses.replace(config, width8=64).write(folder / "config.json")
    with pytest.raises(ModelError, match="do not fit"):
        latticecodec.load(folder, device="cpu")
    dataclasses.replace(config, prior_sha256="0" * 64).write(folder / "config.json")
    with pytest.raises(ModelError, match="self-test"):
        latticecodec.load(folder, device="cpu")


def test_a_package_that_cannot_be_imported_is_no_fault_of_the_weights(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_model, tmp_path / "copy")
    monkeypatch.setitem(sys.modules, "latticecodec.backends.onnx", None)  # as where it is broken
    with pytest.raises(ImportError, match="onnx"):
        latticecodec.load(tmp_path / "copy", device="cpu")

"""Trainings that were stopped before the code was moved about go on: checkpoints hold names, shapes and numbers alone.

checkpoints/*.json are checkpoints of such trainings, `lcodec train --preset lc-test` stopped after three steps, with a
type and a shape in place of every tensor; the tests put random numbers in.
"""

import dataclasses
import errno
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from latticecodec import OutputError, TrainingError
from latticecodec.config import PRESETS, ModelConfig
from latticecodec.lab.training.checkpoint import RENAMED, Training, resume, save_checkpoint
from latticecodec.lab.training.guard import Guard
from latticecodec.lab.training.kinds import MODELS
from latticecodec.lab.training.optimiser import Average, make_optimiser, parameter_groups
from latticecodec.lab.training.options import TrainOptions
from latticecodec.lab.training.quantizer_options import QuantizerOptions
from latticecodec.lab.training.run import export_checkpoint
from latticecodec.lab.training.schedule import Schedule

pytestmark = pytest.mark.usefixtures("one_thread")

FOLDER = Path(__file__).parent / "checkpoints"


def filled(value: Any) -> Any:
    """What stands for a checkpoint, as one: "float32 32 192" becomes a tensor, a list of a configuration a tuple."""
    if isinstance(value, dict):
        return {int(key) if key.isdigit() else key: filled(entry) for key, entry in value.items()}
    if isinstance(value, str) and value.split(" ")[0] in ("float32", "int64"):
        kind, *shape = value.split()
        return torch.rand([int(size) for size in shape]).to(getattr(torch, kind))
    return tuple(value) if isinstance(value, list) else value


def state_of(quantizer: str) -> dict[str, Any]:
    """A checkpoint of a training that was stopped after three steps."""
    state: dict[str, Any] = filled(json.loads((FOLDER / f"{quantizer}.json").read_text()))
    state["optimiser"]["param_groups"] = [filled(group) for group in state["optimiser"]["param_groups"]]
    return state


def training_of(state: dict[str, Any], quantizer: str) -> Training:
    """A training with the options of a checkpoint, before it is taken over."""
    given = {RENAMED.get(name, name): value for name, value in state["options"].items()}
    options = TrainOptions(**given | {"quantizer": QuantizerOptions(**given["quantizer"])})
    model = MODELS[quantizer](ModelConfig(**state["config"], name="old"), options.quantizer)
    average = Average(model)
    optimiser = make_optimiser(options.optimiser, parameter_groups(model), options.learning_rate)
    schedule = Schedule(options.steps, options.minutes, options.warm_up)
    return Training(model, average, optimiser, Guard(model, average), schedule, options)


@pytest.mark.parametrize("quantizer", ["lattice", "vq"])
def test_an_old_checkpoint_is_taken_over_and_trains(quantizer: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = state_of(quantizer)
    assert state["options"]["rate"] == 0.002  # what the learning rate was once called
    torch.save(state, tmp_path / "checkpoint.pt")
    training = training_of(state, quantizer)
    model, average, optimiser = training.model, training.average, training.optimiser
    resume(training, tmp_path / "checkpoint.pt")
    assert training.step == 3
    assert all(torch.equal(value, state["model"][name]) for name, value in model.state_dict().items())
    assert all(torch.equal(value, state["average"][name]) for name, value in average.state().items())
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    assert state["optimiser"]["state"]
    for number, kept in state["optimiser"]["state"].items():  # the optimiser knows parameters by their order alone
        same = torch.equal(optimiser.state[parameters[number]]["mean"], kept["mean"])
        assert same, f"parameter {number}"
        assert parameters[number].numel() * len(kept["mean"]) == kept["mean"].numel(), f"parameter {number}"
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()


@pytest.mark.parametrize("limit", [10_000, 60_000])
def test_a_checkpoint_that_a_full_disk_cannot_take_is_one_line(
    limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before stays, and nothing else is left."""
    training, path = training_of(state_of("lattice"), "lattice"), tmp_path / "checkpoint.pt"
    path.write_bytes(b"the one before")

    class Full(io.FileIO):
        """A file on a disk with some room."""

        def write(self, data: Any) -> int:
            if self.tell() + memoryview(data).nbytes > limit:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    monkeypatch.setattr(io, "FileIO", Full)
    with pytest.raises(OutputError, match=r"checkpoint\.pt: cannot be written: No space left on device$"):
        save_checkpoint(training, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert path.read_bytes() == b"the one before"


@pytest.mark.parametrize(
    "change",
    [
        {"config": [1]},
        {"options": None},
        {"options": torch.zeros(2)},
        {"options": {"steps": torch.zeros(2)}},
        {"step": "three"},
        {"units": "none"},
        {"model": {}},
        {"model": [1]},
        {"average": {}},
        {"guard": {}},
        {"optimiser": {"a": 1}},
    ],
    ids=str,
)
def test_a_checkpoint_of_odd_contents_is_one_line(change: dict[str, Any], tmp_path: Path) -> None:
    state, path = state_of("lattice"), tmp_path / "checkpoint.pt"
    torch.save(state | change, path)
    told = (
        r"^\S+/checkpoint\.pt: is damaged, or a checkpoint of another model; name another checkpoint\.pt or stable\.pt$"
    )
    with pytest.raises(TrainingError, match=told):
        resume(training_of(state, "lattice"), path)


def test_a_checkpoint_of_another_preset_names_the_two(tmp_path: Path) -> None:
    state, path = state_of("lattice"), tmp_path / "checkpoint.pt"
    torch.save(state, path)
    training = training_of(state, "lattice")
    training.model.config = dataclasses.replace(PRESETS["lc-s"], tune="ms-ssim")
    told = (
        "checkpoint.pt: is of another model (`preset` lc-test where lc-s is asked for, `tune` psnr where ms-ssim is "
        "asked for); give the `quantizer`, `preset` or `init_from`, and `tune` that it had"
    )
    with pytest.raises(TrainingError, match=re.escape(told) + "$"):
        resume(training, path)
    training.model.config = dataclasses.replace(PRESETS["lc-test"], octaves=2.0)  # as a model may that was begun from
    with pytest.raises(TrainingError, match=re.escape("(`octaves` 3.7 where 2.0 is asked for)")):
        resume(training, path)


def test_tensors_of_other_shapes_are_one_line(tmp_path: Path) -> None:
    state, path = state_of("lattice"), tmp_path / "checkpoint.pt"
    state["model"], state["average"] = {name: torch.zeros(3, 3) for name in state["model"]}, {}
    torch.save(state, path)
    with pytest.raises(TrainingError, match="is damaged, or a checkpoint of another model"):
        resume(training_of(state, "lattice"), path)
    with pytest.raises(TrainingError, match="is damaged, or a checkpoint of another model"):
        export_checkpoint(path, tmp_path / "model", "")
    assert not (tmp_path / "model").exists()

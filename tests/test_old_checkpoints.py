"""Trainings that were stopped before the code was moved about go on: checkpoints hold names, shapes and numbers alone.

checkpoints/*.json are checkpoints of such trainings, `lcodec train --preset lc-test` stopped after three steps, with a
type and a shape in place of every tensor; the tests put random numbers in.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from latticecodec.config import ModelConfig
from latticecodec.lab.training.checkpoint import Training, load_state, resume
from latticecodec.lab.training.guard import Guard
from latticecodec.lab.training.kinds import MODELS
from latticecodec.lab.training.optimiser import Average, make_optimiser, parameter_groups
from latticecodec.lab.training.options import TrainOptions
from latticecodec.lab.training.quantizer_options import QuantizerOptions
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


@pytest.mark.parametrize("quantizer", ["lattice", "vq"])
def test_an_old_checkpoint_is_taken_over_and_trains(quantizer: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = filled(json.loads((FOLDER / f"{quantizer}.json").read_text()))
    state["optimiser"]["param_groups"] = [filled(group) for group in state["optimiser"]["param_groups"]]
    torch.save(state, tmp_path / "checkpoint.pt")
    assert state["options"]["rate"] == 0.002  # what the learning rate was once called
    state = load_state(tmp_path / "checkpoint.pt")
    options = TrainOptions(**state["options"] | {"quantizer": QuantizerOptions(**state["options"]["quantizer"])})
    model = MODELS[quantizer](ModelConfig(**state["config"], name="old"), options.quantizer)
    average = Average(model)
    optimiser = make_optimiser(options.optimiser, parameter_groups(model), options.learning_rate)
    schedule = Schedule(options.steps, options.minutes, options.warm_up)
    training = Training(model, average, optimiser, Guard(model, average), schedule, options)
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

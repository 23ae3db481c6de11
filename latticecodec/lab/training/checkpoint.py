"""A training in a file: everything it needs to go on as if never stopped, or to fall from anew.

`checkpoint.pt` is the present state and resumes with the options it was made with, to the same result. `stable.pt` is
the last state before the learning rate began to fall: training goes on from it at the full one, for other steps or
minutes, with another learning rate, crop or batch, on any pictures; its optimiser may be missing and its numbers may
be of half precision. Both are written after a look of the guard alone, so that they hold what is good, and nothing is
half counted.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from ...config import PRESETS, ModelConfig
from ...errors import TrainingError
from ...outputs import write_file
from ..ranks import ALONE, Ranks
from .guard import Guard
from .model import PhotoModel
from .optimiser import Average
from .options import LATER, RENEWED, UNSETTLED, TrainOptions
from .schedule import Schedule

RENAMED = {"rate": "learning_rate"}  # options of older checkpoints, and what they are called now
CHECKPOINT, STABLE = "checkpoint.pt", "stable.pt"
OF_EXPORT = ("name", "reach", "weights_sha256", "prior_sha256")  # fields of a configuration that training leaves alone
WANTED: dict[str, type | tuple[type, ...]] = {  # in every checkpoint
    "config": dict,
    "options": dict,
    "step": int,
    "begun": int,
    "seconds": (int, float),
    "stable": bool,
    "guard": dict,
    "model": dict,
    "average": dict,
}
_SIZES = tuple(  # what presets differ in
    field.name
    for field in dataclasses.fields(ModelConfig)
    if field.name != "name" and len({getattr(preset, field.name) for preset in PRESETS.values()}) > 1
)
COLD = 50  # steps of warm-up where the optimiser's state is missing


@dataclass
class Training:
    """What changes while a model trains."""

    model: PhotoModel
    average: Average
    optimiser: Optimizer
    guard: Guard
    schedule: Schedule
    options: TrainOptions
    step: int = 0  # steps taken
    units: Tensor | None = None  # [5] of the error, where that is SSIMULACRA2's (error.py)
    origin: str = ""  # path of the stable.pt that the schedule began from, if any
    ranks: Ranks = ALONE  # the processes that train


def save_checkpoint(training: Training, folder: Path) -> None:
    """Write checkpoint.pt, and stable.pt until the learning rate falls; an old file stays until the new one is whole.

    The first of several processes writes, as a process alone would, with what all of them have; all together. Raises
    OutputError where the file cannot be written.
    """
    _save(training, folder / CHECKPOINT, stable=False)
    if not training.schedule.falling(training.step):
        save_stable(training, folder)


def save_stable(training: Training, folder: Path) -> None:
    """Write stable.pt alone; all together. Raises OutputError as `save_checkpoint`."""
    _save(training, folder / STABLE, stable=True)


def _save(training: Training, path: Path, stable: bool) -> None:
    state = {
        "config": _settings(training.model.config, OF_EXPORT),
        "options": _settings(training.options, UNSETTLED),
        "step": training.step,
        "begun": training.schedule.begun,
        "origin": training.origin,
        "warm_up": training.schedule.warm_up,
        "seconds": training.schedule.seconds,
        "stable": stable,
        "units": training.units,
        "guard": training.guard.state(),
        "model": training.model.state_dict(),
        "average": training.average.state(),
        "optimiser": training.optimiser.state_dict(),
    }
    with training.ranks.all_or_none():
        if training.ranks.first:
            write_file(path, lambda file: _fill(file, state))


def _fill(file: IO[bytes], state: dict[str, Any]) -> None:
    """Write a checkpoint to an open file; raises OSError where that cannot take it."""
    try:
        torch.save(state, file)
    except RuntimeError as error:  # what torch makes of it while it closes the file
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise


def resume(training: Training, path: Path) -> None:
    """Take over a checkpoint; weights from before the fall begin a new schedule, without warm-up.

    Raises TrainingError where it is no checkpoint, or one of other options.
    """
    state = load_state(path)
    with contents_of(path):
        _take_over(training, path, state)


def _take_over(training: Training, path: Path, state: dict[str, Any]) -> None:
    config, options = _settings(training.model.config, OF_EXPORT), _settings(training.options, UNSETTLED)
    if state["config"] != config:
        told = _differences(*_by_preset(state["config"], config))
        advice = "give the `quantizer`, `preset` or `init_from`, and `tune` that it had"
        raise TrainingError(f"{path}: is of another model ({told}); {advice}")
    free = set(RENEWED) if state["stable"] else set(LATER) - set(state["options"])
    fixed = {key: value for key, value in options.items() if key not in free}
    if told := _differences({key: state["options"].get(key) for key in fixed}, fixed):
        raise TrainingError(f"{path}: was made with other options ({told}); repeat them to resume")
    training.model.load_state_dict(state["model"])
    training.average.load(state["average"])
    if not training.average.is_finite():
        raise TrainingError(f"{path}: its weights are not all numbers; go on from an earlier checkpoint or stable.pt")
    training.guard.load(state["guard"] | ({"share": 1.0} if state["stable"] else {}), training.model, training.average)
    training.step = state["step"]
    units = state.get("units")  # older checkpoints have none
    training.units = None if units is None else units.to(next(training.model.parameters()).device)
    cold = "optimiser" not in state
    if not cold:
        training.optimiser.load_state_dict(state["optimiser"])
    if state["stable"]:
        training.origin = str(path)
        training.schedule.begun, training.schedule.warm_up = training.step, COLD if cold else 0
    else:
        training.schedule.begun, training.schedule.warm_up = state["begun"], state["warm_up"]
        training.schedule.seconds = state["seconds"]
        training.origin = state.get("origin", "")  # older checkpoints have none


def load_state(path: Path) -> dict[str, Any]:
    """The contents of a checkpoint, on the processor; raises TrainingError where it is none."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        missing = WANTED.keys() - set(state)
    except Exception:  # torch raises anything from OSError to UnpicklingError here
        raise TrainingError(f"{path}: not a checkpoint of lcodec train; name a checkpoint.pt or stable.pt") from None
    if missing:
        lacks = ", ".join(sorted(missing))
        raise TrainingError(f"{path}: a checkpoint of another version of lcodec train, without {lacks}; start anew")
    with contents_of(path):
        odd = [key for key, kind in WANTED.items() if not isinstance(state[key], kind)]
        if odd:
            raise TypeError(odd)
    options = {RENAMED.get(name, name): value for name, value in state["options"].items()}
    return dict(state) | {"options": options}


@contextmanager
def contents_of(path: Path) -> Iterator[None]:
    """Within, what comes of contents that are of another type, shape or number than belongs there is TrainingError."""
    try:
        yield
    except torch.cuda.OutOfMemoryError:
        raise
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, RuntimeError):  # as of a state_dict
        told = "is damaged, or a checkpoint of another model"
        raise TrainingError(f"{path}: {told}; name another checkpoint.pt or stable.pt") from None


def _settings(settings: ModelConfig | TrainOptions, ignored: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a dataclass that a checkpoint must agree on with the run that resumes it."""
    return {key: value for key, value in dataclasses.asdict(settings).items() if key not in ignored}


def _by_preset(saved: dict[str, Any], wanted: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two configurations, with the names of their presets in the place of what follows from these if both have one."""
    before, now = _preset_of(saved), _preset_of(wanted)
    if not before or not now or before == now:
        return saved, wanted
    own = saved.keys() - {*_SIZES, "groups", "codes", "books"}
    return (
        {key: saved[key] for key in own} | {"preset": before},
        {key: wanted[key] for key in own} | {"preset": now},
    )


def _preset_of(config: dict[str, Any]) -> str:
    """The preset whose sizes a configuration has; empty where it is none."""
    return next((n for n, preset in PRESETS.items() if all(getattr(preset, k) == config[k] for k in _SIZES)), "")


def _differences(saved: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Where two settings differ, in words: "batch 8 where 4 is asked for"; empty where they do not."""
    told = []
    for key in sorted(saved | wanted):
        before, now = saved.get(key), wanted.get(key)
        if isinstance(before, dict) and isinstance(now, dict):
            told.append(_differences(before, now))
        elif before != now:
            told.append(f"`{key}` {_in_words(before)} where {_in_words(now)} is asked for")
    return ", ".join(filter(None, told))


def _in_words(value: Any) -> str:
    return "left out" if value is None else "empty" if value == "" else str(value)

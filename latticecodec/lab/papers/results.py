"""Results as JSON lines: one object a trained row, with everything that is needed to repeat it.

    {"key": ..., "table": ..., "label": ..., "data": ..., "budget": ..., "seed": ..., "experiment": {...},
     "digest": of the pixels, "hardware": ..., "networks": the type they train in, "software": ..., "steps": ...,
     "learning_steps": ..., "batch": ..., "seconds": ..., "metrics": {...}, "history": [...]}
    or, in place of the last six, "failed": why

"source" is the SHA-256 of the code that trained and measured. Where a training was begun on one machine and finished on
another, "hardware" names both, and "seconds", of which nothing would follow, is null.

A row is found again by its key: experiment, data, budget and seed. So a table that shares a row with another one trains
it once, and a run that was interrupted goes on where it stopped. What else a result is of does not count: pictures of
another digest are refused in the same file, and the page says where the seeds of a row are of several sources.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...errors import OutputError, reason
from .datasets import DATASETS
from .experiment import Experiment, share_of

Result = dict[str, Any]


def key(experiment: Experiment, data: str, budget: str, seed: int) -> str:
    """What a result is found by: 16 hex digits."""
    settings = asdict(experiment)
    for name in ("quick_steps", "quick_batch") if budget != "quick" else ():
        del settings[name]
    if not experiment.weights:
        del settings["weights"]
    text = json.dumps([settings, data, budget, seed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def measured(result: Result, metric: str) -> float | None:
    """A metric of a result, or what follows from its metrics; None where it was not measured.

    - total_loss, total_loss_train: reconstruction + (1 + commitment) x codebook loss, of the forward pass;
    - pace: seconds of training for a picture, on one machine;
    - top_share: of adaptive codebooks, the largest share of the positions that one has where the training ends;
    - used_epoch: used_moving, had it been counted over as many batches as an epoch of the paper has.
    """
    metrics: dict[str, float | None] = result.get("metrics", {})
    if metric == "pace":
        pictures = result["learning_steps"] * result["batch"]
        return float(result["seconds"] / pictures) if pictures and result["seconds"] is not None else None
    if metric == "top_share":
        end_of: dict[str, float] = (result.get("history") or [{}])[-1]
        return max((share for name, share in end_of.items() if name.startswith("share_")), default=None)
    if metric == "used_epoch":
        return _used_epoch(result, metrics.get("used_moving"))
    if not metric.startswith("total_loss"):
        return metrics.get(metric)
    end = metric.removeprefix("total_loss")
    parts = metrics.get(f"mse_forward{end}"), metrics.get(f"codebook_loss{end}")
    if parts[0] is None or parts[1] is None:
        return None
    return parts[0] + (1 + float(result["experiment"]["commitment"])) * parts[1]


def _used_epoch(result: Result, moving: float | None) -> float | None:
    """A count of moving codewords goes with the number of batches: those of the result -> those of an epoch."""
    if moving is None or "settings" not in result:
        return None
    data, batch = DATASETS[result["data"]], result["experiment"]["batch"]
    counted = math.ceil(min(result["settings"]["fit_pictures"], data.pictures) / batch)
    return float(moving / counted * data.epoch(batch))


START = b'{"key": "'  # of a line
Number = int | float
ALL = {"key": str, "table": str, "label": str, "data": str, "budget": str, "seed": int, "experiment": dict}
ALL |= {"digest": str, "hardware": str, "source": str}  # what every result has, and below, all of a training
TRAINED = {"steps": int, "learning_steps": int, "batch": int, "seconds": Number | None}
TRAINED |= {"metrics": dict, "history": list}
LOOK = ("step", "used", "gradient_gap", "quantization_error")  # what all entries of a history have


def is_result(value: Any) -> bool:
    """Whether a JSON value is a result."""

    def has(fields: dict[str, Any]) -> bool:
        return all(name in value and isinstance(value[name], kind) for name, kind in fields.items())

    if not isinstance(value, dict) or not has(ALL) or not _is_budget(value["budget"]):
        return False
    if "failed" in value:
        return has({"failed": str})
    return (
        has(TRAINED)
        and isinstance(value["metrics"].get("parameters"), Number)
        and all(isinstance(metric, Number | None) for metric in value["metrics"].values())
        and all(isinstance(entry, dict) for entry in value["history"])
        and all(isinstance(entry.get(name), Number) for entry in value["history"] for name in LOOK)
    )


def _parsed(line: bytes) -> Any:
    """The JSON value of a line, None where it has none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_budget(name: str) -> bool:
    try:
        return 0 <= share_of(name) <= 1
    except ValueError:
        return False


@dataclass
class Results:
    """The results of a file, where there is one, and where new ones are appended; its folder is made with the first.

    Raises:
        OutputError: a line of it is not a result, but for the end of one that an interrupted run left at the end of the
            file, which is cut off; or the file cannot be read.
    """

    file: Path
    known: dict[str, Result] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            *lines, part = self.file.read_bytes().split(b"\n") if self.file.exists() else [b""]
        except OSError as error:
            raise OutputError(f"{self.file}: cannot be read: {reason(error)}") from None
        for number, line in enumerate(lines, 1):
            self._take(line, number)
        if part and START[: len(part)] == part[: len(START)] and not is_result(_parsed(part)):
            self._write(b"", sum(len(line) + 1 for line in lines))
        elif part:
            self._take(part, len(lines) + 1)
            self._write(b"\n")

    def _take(self, line: bytes, number: int) -> None:
        result = _parsed(line)
        if not is_result(result):
            what = f"line {number} is not a result of lcodec reproduce"
            raise OutputError(f"{self.file}: {what}; take it out, or name another file")
        self.known[result["key"]] = result

    def _write(self, line: bytes, size: int | None = None) -> None:
        """Append bytes, to the first `size` ones where that is given."""
        try:
            if not self.file.parent.exists():
                self.file.parent.mkdir(parents=True)
            with self.file.open("ab") as file:
                if size is not None:
                    file.truncate(size)
                file.write(line)
        except OSError as error:
            raise OutputError(f"{self.file}: cannot be written: {reason(error)}") from None

    def get(self, experiment: Experiment, data: str, budget: str, seed: int) -> Result | None:
        """The result of a row, if it is there."""
        return self.known.get(key(experiment, data, budget, seed))

    def at(self, experiment: Experiment, data: str, budget: str) -> list[Result]:
        """All results of a row at a budget, of one for each seed."""
        found = [self.get(experiment, data, budget, seed) for seed in self.seeds()]
        return [result for result in found if result]

    def of(self, experiment: Experiment, data: str) -> tuple[str, list[Result]]:
        """All results of a row, of one for each seed, and their budget: the longest that there is."""
        for budget in self.budgets():
            if found := self.at(experiment, data, budget):
                return budget, found
        return "", []

    def common(self, ours: Experiment, theirs: Experiment, data: str) -> list[tuple[str, list[Result], list[Result]]]:
        """(budget, results of one row, of the other) of all budgets that both have, the longest first."""
        found = [(budget, self.at(ours, data, budget), self.at(theirs, data, budget)) for budget in self.budgets()]
        return [(budget, first, second) for budget, first, second in found if first and second]

    def budgets(self) -> list[str]:
        """All budgets that occur, the longest first."""
        return sorted({str(result["budget"]) for result in self.known.values()}, key=share_of, reverse=True)

    def seeds(self) -> list[int]:
        """All seeds that occur."""
        return sorted({int(result["seed"]) for result in self.known.values()})

    def add(self, result: Result) -> None:
        """Append a result; raises OutputError where the file cannot be written."""
        self.known[result["key"]] = result
        self._write(json.dumps(result).encode() + b"\n")

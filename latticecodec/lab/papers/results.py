"""Results as JSON lines: one object a trained row, with everything that is needed to repeat it.

    {"key": ..., "table": ..., "label": ..., "data": ..., "budget": ..., "seed": ..., "experiment": {...},
     "digest": of the pixels, "hardware": ..., "networks": the type they train in, "software": ..., "steps": ...,
     "learning_steps": ..., "batch": ..., "seconds": ..., "metrics": {...}, "history": [...]}
    or, in place of the last six, "failed": why

"source" is the SHA-256 of the code that trained and measured.

A row is found again by its key: experiment, data, budget and seed. So a table that shares a row with another one trains
it once, and a run that was interrupted goes on where it stopped.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...errors import OutputError, reason
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
    - pace: seconds of training for a picture.
    """
    metrics: dict[str, float | None] = result.get("metrics", {})
    if metric == "pace":
        pictures = result["learning_steps"] * result["batch"]
        return float(result["seconds"] / pictures) if pictures else None
    if not metric.startswith("total_loss"):
        return metrics.get(metric)
    end = metric.removeprefix("total_loss")
    parts = metrics.get(f"mse_forward{end}"), metrics.get(f"codebook_loss{end}")
    if parts[0] is None or parts[1] is None:
        return None
    return parts[0] + (1 + float(result["experiment"]["commitment"])) * parts[1]


@dataclass
class Results:
    """The results of a file, and where new ones are appended.

    Raises:
        OutputError: the file's folder does not exist, or a line of it is not a result.
    """

    file: Path
    known: dict[str, Result] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.file.exists():
            return
        text = self.file.read_text(encoding="utf-8")
        whole = text.endswith("\n")
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            try:
                result = json.loads(line)
                share_of(result["budget"])
                self.known[result["key"]] = result
            except (ValueError, KeyError, TypeError):
                if number == len(lines) and not whole:  # an interrupted run wrote a part of it
                    continue
                raise OutputError(f"{self.file}: line {number} is not a result of lcodec reproduce") from None
        if text and not whole:
            kept = "".join(json.dumps(result) + "\n" for result in self.known.values())
            self.file.write_text(kept, encoding="utf-8")

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
        found = [(budget, *(self.at(row, data, budget) for row in (ours, theirs))) for budget in self.budgets()]
        return [(budget, first, second) for budget, first, second in found if first and second]

    def budgets(self) -> list[str]:
        """All budgets that occur, the longest first."""
        return sorted({str(result["budget"]) for result in self.known.values()}, key=share_of, reverse=True)

    def seeds(self) -> list[int]:
        """All seeds that occur."""
        return sorted({int(result["seed"]) for result in self.known.values()})

    def add(self, result: Result) -> None:
        """Append a result."""
        self.known[result["key"]] = result
        self.file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
        except OSError as error:
            raise OutputError(f"{self.file}: cannot be written: {reason(error)}") from None

"""What a row's results say of the paper: one cell of plain text that begins with its verdict.

- reproduced: full budget, at least three seeds where it rests on a difference, which is clear of their spread;
- direction only: the sign is the paper's, but the budget, the seeds or the data do not carry the number;
- refuted: full budget, and the paper's statement does not hold;
- not possible: no data, or nothing in the paper to compare with.

Before that: "not yet measured", and "not yet decided" where a short run shows no more than that it was short.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from .datasets import DATASETS, UNAVAILABLE
from .experiment import Row, Table
from .results import Result, Results

SEEDS = 3  # that a verdict on a difference needs
SHORT = {"quick": "a quick training", "tenth": "a tenth of the training"}  # budgets that decide nothing
CLOSE, NEAR = 0.1, 1.0  # relative differences: a reproduced number, and one of the same size


@dataclass(frozen=True)
class Spread:
    """A metric over seeds."""

    mean: float
    deviation: float  # standard deviation, 0 for one seed
    seeds: int

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return self.deviation / math.sqrt(self.seeds)

    def __str__(self) -> str:
        return f"{number(self.mean)} ± {number(self.deviation)}" if self.seeds > 1 else number(self.mean)


def number(value: float) -> str:
    """Four digits at most, thousands with a comma."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.4g}"


def spread(results: Sequence[Result], metric: str) -> Spread | None:
    """A metric of the results that have it."""
    values = [result["metrics"].get(metric) for result in results if "metrics" in result]
    values = [value for value in values if value is not None]
    if not values:
        return None
    return Spread(statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0, len(values))


def verdict(table: Table, row: Row, data: str, results: Results) -> str:
    """The verdict on a row of a table on one data set."""
    if data in UNAVAILABLE:
        return f"not possible: {UNAVAILABLE[data]}"
    budget, found = results.of(row.experiment, data)
    if not found:
        return "not yet measured"
    failed = [result["failed"] for result in found if "failed" in result]
    if len(failed) == len(found):
        return f"not possible: with the published settings {failed[0]}"
    text = _on_claim(table, row, data, budget, found, results) if row.claim else _on_numbers(row, data, budget, found)
    remark = DATASETS[data].remark
    return f"{text}; {remark}" if remark else text


def judge(right: bool, clear: bool, seeds: int, budget: str, told: str) -> str:
    """The verdict on a difference: whether it has the paper's sign and is clear of the seeds' spread."""
    if budget in SHORT:
        if right:
            return f"direction only: {SHORT[budget]}, {told}"
        return f"not yet decided: {SHORT[budget]} shows the opposite, {told}"
    if seeds < SEEDS:
        return (
            f"direction only: {told}, {seeds} of {SEEDS} seeds" if right else f"not yet decided: {told}, {seeds} seeds"
        )
    if right and clear:
        return f"reproduced: {told}"
    return f"refuted: {told}" if clear else f"refuted: no difference beyond the spread of the seeds, {told}"


def _on_claim(table: Table, row: Row, data: str, budget: str, found: list[Result], results: Results) -> str:
    assert row.claim is not None
    claim = row.claim
    other_budget, others = results.of(table.row(claim.than).experiment, data)
    ours, theirs = spread(found, claim.metric), spread(others, claim.metric)
    if ours is None or theirs is None or budget != other_budget:
        return f"not yet decided: {claim.than} is not measured at the same budget"
    told = f"{claim.metric} {ours} against {theirs} of {claim.than}"
    right = (ours.mean < theirs.mean) == claim.lower
    clear = abs(ours.mean - theirs.mean) > 2 * math.hypot(ours.error, theirs.error)
    return judge(right, clear, min(ours.seeds, theirs.seeds), budget, told)


def _on_numbers(row: Row, data: str, budget: str, found: list[Result]) -> str:
    compared = [(metric, value) for (name, metric), value in row.published.items() if name == data]
    pairs = [(metric, value, spread(found, metric)) for metric, value in compared]
    told = [(metric, value, ours) for metric, value, ours in pairs if ours is not None]
    if not told:
        return "not possible: no number of the paper to compare with; other rows are compared with this one"
    text = ", ".join(f"{metric} {ours} for {number(value)}" for metric, value, ours in told)
    if budget in SHORT:
        return f"not yet decided: {SHORT[budget]}, {text}"
    ratios = [abs(math.log(max(ours.mean, 1e-9) / value)) for _, value, ours in told]
    if max(ratios) <= math.log1p(CLOSE) and not DATASETS[data].remark:
        return f"reproduced: {text}"
    return f"direction only: {text}" if max(ratios) <= math.log1p(NEAR) else f"refuted: {text}"

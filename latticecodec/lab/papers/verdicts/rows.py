"""What a row's results say of the paper: one cell of plain text that begins with its verdict.

- reproduced: full budget, at least three seeds where it rests on a difference, which is clear of their spread;
- direction only: the sign is the paper's, but the budget, the seeds or the data do not carry the number;
- refuted: full budget, and the opposite of the paper's statement is clear, or its number is one that no further seed
  would be expected to give; of a row that no paper has, "the opposite" in its place;
- not possible: no data, nothing in the paper to compare with, or seeds that do not separate what is compared;
  "not possible yet" where it is not measured, or where a short training does not show it, which may be its shortness,
  or has collapsed, as adaptive codebooks have of which one alone is chosen: these are reproduced by no training. A
  quick training is too short for any other verdict.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ..datasets import DATASETS, UNAVAILABLE
from ..experiment import FULL, QUICK, Experiment, Row, Table
from ..results import Result, Results, measured

SEEDS = 3  # that a verdict on a difference needs
CLEAR = 2.78  # standard errors: Student's t of three and three seeds, 5 % two-sided
UNMEASURED = "not possible yet: not measured"
TOO_SHORT = "not possible yet: a quick training is too short to judge"
ALIVE = 3  # embeddings in use; a short training with fewer has collapsed, and its place beside others says nothing
COLLAPSED = 0.99  # share of the positions with one of several codebooks, above which there is no choice
UNCLEAR = "not clear of the spread of the seeds"
OPPOSITE = "the opposite, clear of the spread of the seeds"
OUTSIDE = 4.30  # standard deviations: Student's t of three seeds, 5 % two-sided
CLOSE, NEAR = 0.1, 1.0  # relative differences: a reproduced number, and one of the same size


def short(budget: str) -> str:
    """What to call a budget that decides nothing; empty for the full one."""
    return {FULL.name: "", QUICK.name: "a quick training"}.get(budget, f"{budget} of the training")


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

    def excludes(self, value: float) -> bool:
        """Whether one more seed would hardly give this value: outside the prediction interval of SEEDS seeds."""
        return abs(self.mean - value) > OUTSIDE * self.deviation * math.sqrt(1 + 1 / self.seeds)

    def __str__(self) -> str:
        return f"{number(self.mean)} ± {number(self.deviation)}" if self.seeds > 1 else number(self.mean)


def number(value: float) -> str:
    """Four digits at most, thousands with a comma."""
    if 1000 <= abs(value) < 1e12:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.4g}"


def spread(results: Sequence[Result], metric: str) -> Spread | None:
    """A metric of the results that have it."""
    values = [found for result in results if (found := measured(result, metric)) is not None]
    if not values:
        return None
    return Spread(statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0, len(values))


def verdict(table: Table, row: Row, data: str, results: Results) -> str:
    """The verdict on a row of a table on one data set."""
    if data in UNAVAILABLE:
        return f"not possible: {UNAVAILABLE[data]}"
    budget, found = results.of(row.on(data), data)
    if not found:
        why = DATASETS[data].unmeasured
        return f"{UNMEASURED}: {why}" if why else UNMEASURED
    failed = [result["failed"] for result in found if "failed" in result]
    if len(failed) == len(found):
        return f"not possible: with the published settings {failed[0]}"
    if row.claim and table.lower(row, data) is not None:
        text = _on_claim(table, row, data, results, found)
    else:
        text = _on_numbers(table, row, data, budget, found)
    if lacking := _lacking(row, data, found):
        text += f"; measured without {', '.join(lacking)}"
    remark = DATASETS[data].remark
    return f"{text}; {remark}" if remark else text


def alone(results: Sequence[Result]) -> bool:
    """Whether one of the adaptive codebooks of a result has all positions but a few."""
    return any((measured(result, "top_share") or 0) > COLLAPSED for result in results)


def judge(
    right: bool,
    clear: bool,
    seeds: int,
    budget: str,
    told: str,
    *,
    collapsed: bool = False,
    unclear: str = UNCLEAR,
    denied: str = "refuted",
) -> str:
    """The verdict on a statement.

    Args:
        right: whether it holds.
        clear: whether that, or the opposite, is clear of what comes by chance.
        seeds: of the results that show it.
        budget: of these.
        told: the numbers.
        collapsed: whether adaptive codebooks in it have no choice left.
        unclear: what is said where it is not clear.
        denied: what is said where the opposite is.
    """
    if budget == QUICK.name:
        return f"{TOO_SHORT}, {told}"
    if shortened := short(budget):
        if collapsed:
            return f"not possible yet: {shortened}, {told}"
        told = told if clear or seeds < SEEDS else f"{told}, {unclear}"
        if right:
            return f"direction only: {shortened}, {told}"
        return f"not possible yet: {shortened} does not show it, {told}"
    if seeds < SEEDS:
        few = f"{told}, {seeds} of {SEEDS} seeds"
        return f"direction only: {few}" if right else f"not possible yet: the opposite, {few}"
    if not clear:
        return f"direction only: {unclear}, {told}" if right else f"not possible: {unclear}, {told}"
    if not right:
        return f"{denied}: {told}"
    return f"direction only: {told}" if collapsed else f"reproduced: {told}"


def difference(
    results: Results,
    ours: Experiment,
    theirs: Experiment,
    data: str,
    metrics: Sequence[tuple[str, bool]],
    of: str = "",
    denied: str = "refuted",
) -> str | None:
    """The verdict on one row against another at the longest budget that both have; None where there is none.

    Where that has too few seeds and a shorter one, which is not a quick one, has enough, it is told too.

    Args:
        results: of both rows.
        ours: of whom the statement is.
        theirs: what it is compared with.
        data: name of the data set.
        metrics: (metric, whether lower is better), all of which must hold.
        of: what is said behind each of their numbers.
        denied: as for `judge`.
    """
    longest = None
    for budget, first, second in results.common(ours, theirs, data):
        pairs = [(metric, lower, spread(first, metric), spread(second, metric)) for metric, lower in metrics]
        known = [(metric, lower, a, b) for metric, lower, a, b in pairs if a is not None and b is not None]
        if len(known) < len(metrics):
            continue
        told = ", ".join(f"{metric} {a} against {b}{of}" for metric, _, a, b in known)
        collapsed = alone(first) + alone(second)
        if collapsed:
            told += f", {'both' if collapsed == 2 else 'one of them'} with one codebook alone"
        apart = {results.of(experiment, data)[0] for experiment in (ours, theirs)} != {budget}
        both = f"{told} (both {budget})" if apart else told
        right = all(a.mean < b.mean if lower else a.mean > b.mean for _, lower, a, b in known)
        clear = all(abs(a.mean - b.mean) > CLEAR * math.hypot(a.error, b.error) for _, _, a, b in known)
        seeds = min(min(a.seeds, b.seeds) for _, _, a, b in known)
        used = [spread(rows, "used") for rows in (first, second)]
        if short(budget) and any(each is not None and each.mean < ALIVE for each in used):
            longest = longest or f"not possible yet: {short(budget)} with fewer than {ALIVE} embeddings in use, {both}"
        elif longest is None:
            longest = judge(right, clear, seeds, budget, both, collapsed=collapsed > 0, denied=denied)
            if seeds >= SEEDS:
                return longest
        elif seeds >= SEEDS and budget != QUICK.name:
            spread_told = "" if clear else ", not clear of their spread"
            return f"{longest}; {budget}, {seeds} seeds: {told}{spread_told}"
    return longest


def _on_claim(table: Table, row: Row, data: str, results: Results, found: list[Result]) -> str:
    assert row.claim is not None
    claim, lower = row.claim, table.lower(row, data)
    assert lower is not None
    other = table.row(claim.than).on(data)
    printed = any(name == data for name, _ in row.published)
    denied = "refuted" if printed else OPPOSITE
    text = difference(results, row.on(data), other, data, [(claim.metric, lower)], f" of {claim.than}", denied)
    if text is None:
        return f"not possible yet: {claim.than} is not measured at the same budget"
    numbers = _numbers(row, data, found)
    return f"{text}; of the paper's numbers, {_told(numbers)}" if numbers else text


def _numbers(row: Row, data: str, found: list[Result]) -> list[tuple[str, float, Spread]]:
    """(metric, the paper's number, ours) of those that both have."""
    printed = [(metric, paper) for (name, metric), paper in row.published.items() if name == data]
    pairs = [(metric, paper, spread(found, metric)) for metric, paper in printed]
    return [(metric, paper, ours) for metric, paper, ours in pairs if ours is not None]


def _lacking(row: Row, data: str, found: list[Result]) -> list[str]:
    """Metrics that the paper prints in a unit of ours, where results of this row that have others lack them."""
    numbers = [metric for metric, _, _ in _numbers(row, data, found)]
    printed = [metric for name, metric in row.published if name == data and "printed" not in metric]
    return [metric for metric in printed if numbers and metric not in (*numbers, "time")]


def _told(numbers: list[tuple[str, float, Spread]]) -> str:
    return ", ".join(f"{metric} {ours} for {number(value)}" for metric, value, ours in numbers)


def _on_numbers(table: Table, row: Row, data: str, budget: str, found: list[Result]) -> str:
    numbers = _numbers(row, data, found)
    if not numbers and any(name == data for name, _ in row.published):
        return "not possible yet: this training was measured without what the paper prints"
    if not numbers:
        claimed = any(other.claim and other.claim.than == row.label for other in table.rows)
        return "not possible: no number of the paper to compare with" + (
            "; other rows are compared with this one" if claimed else ""
        )
    if budget == QUICK.name:
        return f"{TOO_SHORT}, {_told(numbers)}"
    if shortened := short(budget):
        return f"not possible yet: {shortened}, {_told(numbers)}"
    ratios = [abs(math.log(max(ours.mean, 1e-9) / value)) for _, value, ours in numbers]
    seeds = min(ours.seeds for _, _, ours in numbers)
    few = "" if seeds >= SEEDS or row.experiment.weights else f", {seeds} of {SEEDS} seeds"
    if max(ratios) <= math.log1p(CLOSE) and not DATASETS[data].remark and not few:
        return f"reproduced: {_told(numbers)}"
    if max(ratios) <= math.log1p(NEAR):
        return f"direction only: {_told(numbers)}{few}"
    if few:
        return f"not possible yet: other numbers, {_told(numbers)}{few}"
    if not any(ours.excludes(value) for _, value, ours in numbers):
        return f"not possible: the seeds spread too far to tell, {_told(numbers)}"
    return f"refuted: {_told(numbers)}"

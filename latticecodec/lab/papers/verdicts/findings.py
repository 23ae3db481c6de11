"""What results show of several rows at once, and the verdict on it.

A finding looks at one result of each row, all of one seed and budget: `orders` at their order, `counts` at embeddings
in use, `courses` at histories. `judged` makes a verdict of those of all seeds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..experiment import Experiment
from ..results import Result, Results, measured
from .rows import ALIVE, judge, short


@dataclass(frozen=True)
class Finding:
    """Whether a statement holds, and the numbers."""

    right: bool
    told: str


Find = Callable[[Sequence[Result]], Finding | None]  # None: the results do not have what it looks at


def judged(results: Results, experiments: Sequence[Experiment], data: str, find: Find) -> str:
    """The verdict at the longest budget at which all rows have a seed in common; clear where all seeds agree."""
    complete = False
    for budget in results.budgets():
        found: list[Finding] = []
        dead, first = 0, 0
        for seed in results.seeds():
            one = [results.get(experiment, data, budget, seed) for experiment in experiments]
            rows = [result for result in one if result and "metrics" in result]
            complete |= len(rows) == len(one)
            if len(rows) == len(one) and (finding := find(rows)):
                first = first if found else seed
                found.append(finding)
                dead = max(dead, sum((measured(row, "used") or 0) < ALIVE for row in rows))
        if dead and short(budget):
            collapsed = f"{dead} of {len(experiments)} rows use fewer than {ALIVE} embeddings"
            return f"not possible yet: {short(budget)}, in which {collapsed}"
        if found:
            agreeing = sum(finding.right for finding in found)
            told = found[0].told
            if len(found) > 1:
                told += f" with seed {first}; so {agreeing} of {len(found)} seeds"
            return judge(2 * agreeing > len(found), agreeing in (0, len(found)), len(found), budget, told)
    if complete:
        return "not possible yet: its trainings are too short for this, or were measured without it"
    return "not possible yet: not all of its rows are trained at one budget"


def known(values: Sequence[float | None]) -> list[float] | None:
    """Values, None where one is missing."""
    present = [value for value in values if value is not None]
    return present if len(present) == len(values) else None

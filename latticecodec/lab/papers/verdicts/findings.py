"""What results show of several rows at once, and the verdict on it.

A finding looks at one result of each row, all of one seed and budget: `orders` at their order, `counts` at embeddings
in use, `courses` at histories. `judged` makes a verdict of those of all seeds.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..experiment import Experiment
from ..results import Result, Results, measured
from .rows import ALIVE, OUTSIDE, UNCLEAR, Spread, alone, judge, short

BY_CHANCE = 0.05  # probability above which what is found shows nothing


@dataclass(frozen=True)
class Finding:
    """Whether a statement holds, and the numbers."""

    right: bool
    told: str
    values: tuple[float, ...] = ()  # what it rests on, above 0 where it holds; empty where that is no quantity
    chance: float = 0.0  # of a statement that holds by chance alone, how often it does


Find = Callable[[Sequence[Result]], Finding | None]  # None: the results do not have what it looks at


def judged(results: Results, experiments: Sequence[Experiment], data: str, find: Find, denied: str = "refuted") -> str:
    """The verdict at the longest budget at which all rows have a seed in common; `denied` is as for `judge`."""
    complete = False
    for budget in results.budgets():
        found: list[Finding] = []
        dead, collapsed, first = 0, 0, 0
        for seed in results.seeds():
            one = [results.get(experiment, data, budget, seed) for experiment in experiments]
            rows = [result for result in one if result and "metrics" in result]
            complete |= len(rows) == len(one)
            if len(rows) == len(one) and (finding := find(rows)):
                first = first if found else seed
                found.append(finding)
                dead = max(dead, sum((measured(row, "used") or 0) < ALIVE for row in rows))
                collapsed = max(collapsed, sum(alone([row]) for row in rows))
        if dead and short(budget):
            unused = f"{dead} of {len(experiments)} rows use fewer than {ALIVE} embeddings"
            return f"not possible yet: {short(budget)}, in which {unused}"
        if found:
            right, clear, unclear = _over_seeds(found)
            told = found[0].told
            if collapsed:
                told += f", {collapsed} of {len(experiments)} rows with one codebook alone"
            if len(found) > 1:
                told += f" with seed {first}; {_agreement(found)}"
            seeds = len(found)
            return judge(right, clear, seeds, budget, told, collapsed=collapsed > 0, unclear=unclear, denied=denied)
    if complete:
        return "not possible yet: its trainings are too short for this, or were measured without it"
    return "not possible yet: not all of its rows are trained at one budget"


def _over_seeds(found: Sequence[Finding]) -> tuple[bool, bool, str]:
    """Whether a statement holds over the findings of seeds, whether that is clear, and what to say where it is not.

    Quantities are clear where the mean of each is, of Student's t; what rests on none where all seeds agree, unless
    that comes by chance.
    """
    agreeing = sum(finding.right for finding in found)
    if len(found) > 1 and all(finding.values for finding in found):
        columns = zip(*(finding.values for finding in found), strict=True)
        spreads = [Spread(statistics.mean(column), statistics.stdev(column), len(column)) for column in columns]
        right = all(spread.mean > 0 for spread in spreads)
        clear = [abs(spread.mean) > OUTSIDE * spread.error for spread in spreads if right or spread.mean <= 0]
        return right, all(clear) if right else any(clear), UNCLEAR
    right = 2 * agreeing > len(found)
    by_chance = found[0].chance ** len(found)
    if agreeing not in (0, len(found)):
        return right, False, "the seeds disagree"
    return right, not right or by_chance <= BY_CHANCE, f"by chance in {100 * by_chance:.0f} % of cases"


def _agreement(found: Sequence[Finding]) -> str:
    agreeing, seeds = sum(finding.right for finding in found), len(found)
    return f"all {seeds} seeds agree" if agreeing in (0, seeds) else f"so {agreeing} of {seeds} seeds"


def known(values: Sequence[float | None]) -> list[float] | None:
    """Values, None where one is missing."""
    present = [value for value in values if value is not None]
    return present if len(present) == len(values) else None

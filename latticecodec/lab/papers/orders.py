"""What results show of several rows at once: their order, the place of the best one, signs; `courses` has what passes.

A finding looks at one result of each row, all of one seed and budget. `judged` makes a verdict of those of all seeds.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .experiment import Experiment
from .results import Result, Results, measured
from .verdicts import ALIVE, judge, number, short

CRITICAL = {4: 1.0, 5: 0.9, 6: 0.829, 8: 0.643}  # rank correlation of n rows, 5 % one-sided
TOO_MANY = 0.05  # probability of as many equal signs by chance, above which they show nothing


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
        found, dead = [], 0
        for seed in results.seeds():
            one = [results.get(experiment, data, budget, seed) for experiment in experiments]
            rows = [result for result in one if result and "metrics" in result]
            complete |= len(rows) == len(one)
            if len(rows) == len(one) and (finding := find(rows)):
                found.append(finding)
                dead = max(dead, sum((measured(row, "used") or 0) < ALIVE for row in rows))
        if dead and short(budget):
            collapsed = f"{dead} of {len(experiments)} rows use fewer than {ALIVE} embeddings"
            return f"not possible yet: {short(budget)}, in which {collapsed}"
        if found:
            agreeing = sum(finding.right for finding in found)
            told = found[0].told + (f"; so {agreeing} of {len(found)} seeds" if len(found) > 1 else "")
            return judge(2 * agreeing > len(found), agreeing in (0, len(found)), len(found), budget, told)
    if complete:
        return "not possible yet: its trainings are too short for this, or were measured without it"
    return "not possible yet: not all of its rows are trained at one budget"


def known(values: Sequence[float | None]) -> list[float] | None:
    """Values, None where one is missing."""
    present = [value for value in values if value is not None]
    return present if len(present) == len(values) else None


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's, with equal values at their mean rank; 0 where all values of one are equal."""
    ranks = []
    for values in (np.asarray(a), np.asarray(b)):
        ranks.append([(values < value).sum() + ((values == value).sum() - 1) / 2 for value in values])
    if min(map(np.ptp, ranks)) == 0:
        return 0.0
    return float(np.corrcoef(ranks)[0, 1])


def rising(metrics: Sequence[str], along: Sequence[float], sign: int = 1) -> Find:
    """A metric rises, or with sign -1 falls, with the numbers `along` the rows: the first that all of them have."""

    def find(rows: Sequence[Result]) -> Finding | None:
        for metric in metrics:
            values = known([measured(row, metric) for row in rows])
            if values is not None:
                break
        else:
            return None
        correlation = rank_correlation(values, along)
        numbers = ", ".join(map(number, values))
        told = f"{metric} {numbers}, rank correlation {correlation:+.2f}"
        least = CRITICAL[len(along)] - 1e-9
        return Finding(sign * correlation >= least, told + (", the opposite" if -sign * correlation >= least else ""))

    return find


def less_with_more(rows: Sequence[Result]) -> Finding | None:
    """The more embeddings a row uses, the lower its error."""
    used, errors = (known([measured(row, name) for row in rows]) for name in ("used", "mse"))
    if used is None or errors is None:
        return None
    correlation = rank_correlation(used, errors)
    told = f"rank correlation {correlation:+.2f} of error and embeddings in use"
    return Finding(-correlation >= CRITICAL[len(rows)], told)


def inside(labels: Sequence[str]) -> Find:
    """The least error is that of neither the first nor the last row."""

    def find(rows: Sequence[Result]) -> Finding | None:
        values = known([measured(row, "mse") for row in rows])
        if values is None:
            return None
        at = int(np.argmin(values))
        ends = f"{number(values[0])} of {labels[0]}, {number(values[-1])} of {labels[-1]}"
        return Finding(0 < at < len(values) - 1, f"the least mse is {number(values[at])} of {labels[at]}; {ends}")

    return find


def as_printed(labels: Sequence[str], printed: Sequence[float]) -> Find:
    """The errors are in the order of the printed ones, and the least is that of the same row."""

    def find(rows: Sequence[Result]) -> Finding | None:
        values = known([measured(row, "mse") for row in rows])
        if values is None:
            return None
        correlation = rank_correlation(values, printed)
        at = int(np.argmin(values))
        told = f"rank correlation {correlation:+.2f} with the paper's, the least mse is that of {labels[at]}"
        return Finding(correlation >= CRITICAL[len(printed)] and at == int(np.argmin(printed)), told)

    return find


def signs(labels: Sequence[str], printed: Sequence[float]) -> Find:
    """Errors of the rows after the first are above or below its own as the printed ones are."""

    def find(rows: Sequence[Result]) -> Finding | None:
        values = known([measured(row, "mse") for row in rows])
        if values is None:
            return None
        decided = [at for at in range(1, len(printed)) if printed[at] != printed[0]]
        others = [labels[at] for at in decided if (values[at] < values[0]) != (printed[at] < printed[0])]
        equal = len(decided) - len(others)
        by_chance = sum(math.comb(len(decided), n) for n in range(equal, len(decided) + 1)) / 2 ** len(decided)
        told = f"{equal} of {len(decided)} signs" + (f", not {', '.join(others)}" if others else "")
        return Finding(by_chance < TOO_MANY, told)

    return find


def below_by(least: float, printed: float) -> Find:
    """The error of the first row is below the least of the others by the share `least` or more, as `printed` is."""

    def find(rows: Sequence[Result]) -> Finding | None:
        values = known([measured(row, "mse") for row in rows])
        if values is None or not min(values[1:]):
            return None
        share = values[0] / min(values[1:]) - 1
        return Finding(share <= -least, f"{share:+.0%}, of the paper {printed:+.0%}")

    return find


def utilised(sizes: Sequence[int]) -> Find:
    """Embeddings as a share of K: the first row's below a tenth, those of the others above nine tenths."""

    def find(rows: Sequence[Result]) -> Finding | None:
        used = known([measured(row, "used") for row in rows])
        if used is None:
            return None
        shares = [embeddings / codes for embeddings, codes in zip(used, sizes, strict=True)]
        told = f"used / K {', '.join(f'{share:.2g}' for share in shares)}"
        return Finding(shares[0] < 0.1 and min(shares[1:]) > 0.9, told)

    return find


def graceful(most: float) -> Find:
    """Along the rows no error is above `most` times the one before, with as many parameters in each."""

    def find(rows: Sequence[Result]) -> Finding | None:
        errors, parameters = (known([measured(row, name) for row in rows]) for name in ("mse", "parameters"))
        if errors is None or parameters is None:
            return None
        leaps = [after / before for before, after in pairwise(errors)]
        told = f"mse {', '.join(map(number, errors))}, parameters {', '.join(map(number, parameters))}"
        return Finding(max(leaps) <= most and len(set(parameters)) == 1, told)

    return find


def undegenerate(dimensions: int) -> Find:
    """No dimension of a lattice has the same coordinate in all pictures."""

    def find(rows: Sequence[Result]) -> Finding | None:
        live = known([measured(row, "live_dimensions") for row in rows])
        if live is None:
            return None
        told = f"degenerate dimensions {', '.join(number(dimensions - count) for count in live)} of {dimensions}"
        return Finding(min(live) == dimensions, told)

    return find


def more_than(codes: int) -> Find:
    """A count of vectors while codewords move gives more embeddings than there are codewords."""

    def find(rows: Sequence[Result]) -> Finding | None:
        counts = known([measured(rows[0], "used_moving"), measured(rows[0], "used")])
        if counts is None:
            return None
        told = f"{number(counts[0])} while they move, {number(counts[1])} by index, K = {codes}"
        return Finding(counts[0] > codes, told)

    return find

"""Findings on the order of rows, the place of the best one, and signs, as in `findings`."""

import math
from collections.abc import Sequence

import numpy as np

from ..results import Result, measured
from .findings import BY_CHANCE, Find, Finding, known
from .rows import number

CRITICAL = {5: 9 / 10, 6: 29 / 35, 8: 9 / 14}  # rank correlation of n rows, 5 % one-sided
ROUNDING = 1e-9  # of a rank correlation


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's, with equal values at their mean rank; 0 where all values of one are equal."""
    ranks = []
    for values in (np.asarray(a), np.asarray(b)):
        ranks.append([(values < value).sum() + ((values == value).sum() - 1) / 2 for value in values])
    if min(map(np.ptp, ranks)) == 0:
        return 0.0
    return float(np.corrcoef(ranks)[0, 1])


def ordered(correlation: float, rows: int) -> bool:
    """Whether a rank correlation of so many rows shows an order, of the sign that it has been given."""
    return correlation >= CRITICAL[rows] - ROUNDING


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
        opposite = ", the opposite" if ordered(-sign * correlation, len(along)) else ""
        return Finding(ordered(sign * correlation, len(along)), told + opposite)

    return find


def less_with_more(rows: Sequence[Result]) -> Finding | None:
    """The more embeddings a row uses, the lower its error."""
    used, errors = (known([measured(row, name) for row in rows]) for name in ("used", "mse"))
    if used is None or errors is None:
        return None
    correlation = rank_correlation(used, errors)
    told = f"rank correlation {correlation:+.2f} of error and embeddings in use"
    return Finding(ordered(-correlation, len(rows)), told)


def in_printed_order(metric: str, printed: Sequence[float]) -> Find:
    """A metric of the rows is in the order of the printed one, which may have equal numbers."""

    def find(rows: Sequence[Result]) -> Finding | None:
        values = known([measured(row, metric) for row in rows])
        if values is None:
            return None
        correlation = rank_correlation(values, printed)
        told = f"{metric} {', '.join(map(number, values))}, rank correlation {correlation:+.2f} with the paper's"
        return Finding(ordered(correlation, len(printed)), told)

    return find


def inside(labels: Sequence[str]) -> Find:
    """The least error is that of neither the first nor the last row."""

    def find(rows: Sequence[Result]) -> Finding | None:
        values = known([measured(row, "mse") for row in rows])
        if values is None:
            return None
        at = int(np.argmin(values))
        ends = f"{number(values[0])} of {labels[0]}, {number(values[-1])} of {labels[-1]}"
        ends += f"; by chance in {len(values) - 2} of {len(values)} orders"
        told = f"the least mse is {number(values[at])} of {labels[at]}; {ends}"
        return Finding(0 < at < len(values) - 1, told, chance=1 - 2 / len(values))

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
        return Finding(ordered(correlation, len(printed)) and at == int(np.argmin(printed)), told)

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
        return Finding(by_chance < BY_CHANCE, told)

    return find


def below_by(least: float, printed: float) -> Find:
    """The error of the first row is below the least of the others by the share `least` or more, as `printed` is."""

    def find(rows: Sequence[Result]) -> Finding | None:
        values = known([measured(row, "mse") for row in rows])
        if values is None or not min(values[1:]):
            return None
        share = values[0] / min(values[1:]) - 1
        return Finding(share <= -least, f"{share:+.0%}, of the paper {printed:+.0%}", (-least - share,))

    return find

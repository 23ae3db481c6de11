"""Findings on the histories of trainings, and on how long they took, as in `findings`."""

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ..results import Result, measured
from .findings import Find, Finding, known
from .orders import ordered, rank_correlation
from .rows import number


def last(result: Result, name: str) -> float | None:
    """What the history of a training ends with."""
    history = result.get("history")
    found: float | None = history[-1].get(name) if history else None
    return found


def gap_beyond(best: int) -> Find:
    """The gradient gap is level up to the row `best` and grows beyond it."""

    def find(rows: Sequence[Result]) -> Finding | None:
        gaps = known([last(row, "gradient_gap") for row in rows])
        if gaps is None:
            return None
        level, beyond = gaps[: best + 1], gaps[best:]
        grows = all(after > before for before, after in pairwise(beyond))
        told = f"gaps {', '.join(map(number, level))}, then {', '.join(map(number, beyond[1:]))}"
        return Finding(grows and beyond[-1] * min(level) > max(level) * beyond[0], told)

    return find


def loss_along(dimensions: Sequence[float]) -> Find:
    """The quantization loss falls with D."""

    def find(rows: Sequence[Result]) -> Finding | None:
        losses = known([last(row, "quantization_error") for row in rows])
        if losses is None:
            return None
        correlation = rank_correlation(losses, dimensions)
        told = f"losses {', '.join(map(number, losses))}, rank correlation {correlation:+.2f} with D"
        return Finding(ordered(correlation, len(dimensions)), told)

    return find


def both_low(rows: Sequence[Result]) -> Finding | None:
    """Gradient gap and quantization loss of the first row are below the median of the others'."""
    told, below = [], []
    for name in ("gradient_gap", "quantization_error"):
        values = known([last(row, name) for row in rows])
        if values is None:
            return None
        median = statistics.median(values[1:])
        others = f"{number(min(values[1:]))} to {number(max(values[1:]))}, median {number(median)}"
        told.append(f"{name} {number(values[0])}, of fixed codebooks {others}")
        below.append(median - values[0])
    return Finding(min(below) >= 0, "; ".join(told), tuple(below))


def falls(start: int) -> Find:
    """The gradient gap of every row falls from the first look at or after the step `start` to the end."""

    def find(rows: Sequence[Result]) -> Finding | None:
        pairs = []
        for row in rows:
            gaps = [entry["gradient_gap"] for entry in row.get("history", []) if entry["step"] >= start]
            if len(gaps) < 2:
                return None
            pairs.append((gaps[0], gaps[-1]))
        falling = sum(after < before for before, after in pairs)
        return Finding(falling == len(pairs), f"falls in {falling} of {len(pairs)} rows")

    return find


def chosen(best: int, sizes: Sequence[tuple[int, int]]) -> Find:
    """The first row chooses the codebook of most codewords early in its training, at the end the `best` one.

    By the arg max of the scores, as in a file; early is the second look, one interval into the training.
    """

    def find(rows: Sequence[Result]) -> Finding | None:
        history = rows[0].get("history", [])
        names = [f"share_{codes}" for codes, _ in sizes]
        if len(history) < 3 or names[0] not in history[0]:
            return None
        tops = []
        for entry in (history[1], history[-1]):
            shares = [entry[name] for name in names]
            tops.append((int(np.argmax(shares)), max(shares)))
        early, late = (f"{list(sizes[at])} with {share:.0%}" for at, share in tops)
        told = f"at step {history[1]['step']:,.0f} {early} of the positions, at the end {late}"
        largest = int(np.argmax([codes for codes, _ in sizes]))
        return Finding(tops[0][0] == largest and tops[1][0] == best, told)

    return find


def denser(rows: Sequence[Result]) -> Finding | None:
    """The lattice of each training has more points in a unit of length at the end than at the beginning."""
    told, growth = [], []
    for row in rows:
        history = row.get("history", [])
        if len(history) < 2 or "density" not in history[0]:
            return None
        first, end = history[0]["density"], history[-1]["density"]
        told.append(f"{number(first)} to {number(end)}")
        growth.append(math.log(end / first))
    return Finding(min(growth) > 0, f"points in a unit of length {', '.join(told)}", tuple(growth))


def faster(rows: Sequence[Result]) -> Finding | None:
    """The first row takes less time for a picture of training than each other one, in the same arithmetic and place."""
    paces = known([measured(row, "pace") for row in rows])
    if paces is None or len({(row["hardware"], row.get("networks")) for row in rows}) > 1:
        return None
    ratios = [paces[0] / pace for pace in paces[1:]]
    told = f"{', '.join(f'{ratio:.2f}' for ratio in ratios)} times as long"
    return Finding(max(ratios) < 1, told, tuple(-math.log(ratio) for ratio in ratios))

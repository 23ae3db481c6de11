"""One-dimensional search for the finest scale of the lattice that meets a target."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from .errors import TargetError

Trial = TypeVar("Trial")


@dataclass(frozen=True)
class Target(Generic[Trial]):
    """What to search for.

    Attributes:
        value: the target.
        measure: what a trial reached; rises with fineness.
        accepts: whether what was reached is close enough.
        name: the target in words, for the error.
        reach: what a trial reached, in words, for the error.
    """

    value: float
    measure: Callable[[Trial], float]
    accepts: Callable[[float], bool]
    name: str
    reach: Callable[[float], str]


def search(attempt: Callable[[int], Trial], finest: int, target: Target[Trial]) -> Trial:
    """The first acceptable trial over fineness 0..finest, by interpolation between the ends of a shrinking bracket.

    Raises TargetError naming the reach when the target lies outside of it, or between two neighbouring scales.
    """
    low, high = 0, finest
    first, last = attempt(low), attempt(high)
    at_low, at_high = target.measure(first), target.measure(last)
    for trial, reached in ((first, at_low), (last, at_high)):
        if target.accepts(reached):
            return trial
    span = f"this picture reaches {target.reach(at_low)} (quality 0) to {target.reach(at_high)} (quality 100)"
    if not at_low < target.value < at_high:
        raise TargetError(f"{target.name} is out of reach: {span}")
    while high - low > 1:
        part = (target.value - at_low) / (at_high - at_low)
        middle = low + round(min(0.9, max(0.1, part)) * (high - low))
        middle = min(high - 1, max(low + 1, middle))
        trial = attempt(middle)
        reached = target.measure(trial)
        if target.accepts(reached):
            return trial
        if reached < target.value:
            low, at_low = middle, reached
        else:
            high, at_high = middle, reached
    raise TargetError(f"{target.name} falls between two steps of the scale: {span}")

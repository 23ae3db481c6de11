"""One-dimensional search for a scale of the lattice that meets a target."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..errors import TargetError

Trial = TypeVar("Trial")

BPP_ENOUGH = 0.005  # relative miss that ends a search
SIZE_ENOUGH = 0.02  # part of the bytes allowed that may stay unused
PSNR_ENOUGH = 0.03  # dB
PSNR_BELOW = 0.1  # dB that may be missing; where the rates go in larger steps, the next above is taken


@dataclass(frozen=True)
class Target(Generic[Trial]):
    """What to search for.

    Attributes:
        value: what to steer towards.
        measure: what a trial reached; rises with fineness.
        miss: how far what was reached is from the target; infinite where it must not be used.
        enough: a miss that ends the search.
        name: the target in words, for the error.
        unit: of what is measured, for the error.
        digits: after the point, for the error.
        budget: whether `value` is a most, so that the finest trial will do where even that stays below it. Otherwise
            it is a least, and the coarsest will do where even that is above.
    """

    value: float
    measure: Callable[[Trial], float]
    miss: Callable[[float], float]
    enough: float
    name: str
    unit: str
    digits: int
    budget: bool = True


@dataclass(frozen=True)
class Found(Generic[Trial]):
    """What a search ended with."""

    trial: Trial
    note: str = ""  # why it is an end of the range, where the target lies beyond


def bpp_target(bpp: float, measure: Callable[[Trial], float]) -> Target[Trial]:
    """As near to `bpp` bits per pixel as possible."""
    return Target(bpp, measure, lambda reached: abs(reached / bpp - 1), BPP_ENOUGH, f"{bpp:g} bpp", "bpp", 3)


def size_target(size: int, measure: Callable[[Trial], float]) -> Target[Trial]:
    """At most `size` bytes, and nearly all of them."""

    def miss(reached: float) -> float:
        return 1 - reached / size if reached <= size else math.inf

    return Target(size * (1 - SIZE_ENOUGH / 2), measure, miss, SIZE_ENOUGH, f"a size of {size:,} bytes", "bytes", 0)


def psnr_target(psnr: float, measure: Callable[[Trial], float]) -> Target[Trial]:
    """As near to `psnr` dB as possible, and not notably below."""

    def miss(reached: float) -> float:
        return abs(reached - psnr) if reached >= psnr - PSNR_BELOW else math.inf

    return Target(psnr, measure, miss, PSNR_ENOUGH, f"{psnr:g} dB", "dB", 2, budget=False)


def search(attempt: Callable[[int], Trial], coarsest: int, finest: int, target: Target[Trial]) -> Found[Trial]:
    """The first trial from `coarsest` to `finest` that misses by no more than enough, else the nearest of all.

    Interpolates between the ends of a shrinking bracket. Where a budget is more than the finest trial can use, or a
    least below the coarsest, it is that one, with a note. Raises TargetError naming the reach where the target lies
    outside of it on the other side.
    """
    low, high = coarsest, finest
    best, best_miss = attempt(low), math.inf
    last = attempt(high)
    at_low, at_high = target.measure(best), target.measure(last)
    for trial, reached in ((best, at_low), (last, at_high)):
        if target.miss(reached) <= target.enough:
            return Found(trial)
    told_low, told_high = (f"{reached:,.{target.digits}f} {target.unit}" for reached in (at_low, at_high))
    if target.budget and at_high < target.value:
        return Found(last, f"{target.name} is more than this picture can use: quality 100 takes {told_high}")
    if not target.budget and at_low > target.value:
        return Found(best, f"{target.name} is less than this picture can have: quality 0 has {told_low}")
    if not at_low < target.value < at_high:
        told = f"this picture reaches {told_low} (quality 0) to {told_high} (quality 100)"
        told += "" if target.budget else "; `lossless` keeps every pixel"
        raise TargetError(f"{target.name} is out of reach: {told}")
    best, best_miss = min(
        ((best, target.miss(at_low)), (last, target.miss(at_high))), key=lambda candidate: candidate[1]
    )
    while high - low > 1 and best_miss > target.enough:
        part = (target.value - at_low) / (at_high - at_low)
        middle = low + round(min(0.9, max(0.1, part)) * (high - low))
        middle = min(high - 1, max(low + 1, middle))
        trial = attempt(middle)
        reached = target.measure(trial)
        if target.miss(reached) < best_miss:
            best, best_miss = trial, target.miss(reached)
        if reached < target.value:
            low, at_low = middle, reached
        else:
            high, at_high = middle, reached
    return Found(best)

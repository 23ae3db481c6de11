"""Rate and distortion of the trained rows, which none of the papers looks at, and our claims at equal rate."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..experiment import QUICK, Experiment
from ..results import Results
from ..tables import TABLES, balance
from .claims import CentralClaim
from .rows import ALIVE, SEEDS, TOO_SHORT, alone, judge, short, spread

DECIBELS = 0.1  # a smaller difference at equal rate is none


@dataclass(frozen=True)
class Point:
    """A trained row in the plane of rate and distortion, mean over seeds."""

    label: str
    experiment: Experiment
    bpp: float
    psnr: float
    budget: str
    seeds: int
    collapsed: bool = False  # whether of its adaptive codebooks one alone is chosen


def points(results: Results, data: str) -> list[Point]:
    """All measured rows of a data set that have a rate, each experiment once at every budget, the longest first."""
    labels: dict[Experiment, str] = {}
    for row in (row for table in TABLES.values() for row in table.rows if data in row.data):
        labels.setdefault(row.on(data), row.label)
    found = []
    for budget in results.budgets():
        for experiment, label in labels.items():
            rows = results.at(experiment, data, budget)
            bpp, psnr = spread(rows, "bpp"), spread(rows, "psnr")
            used = spread(rows, "used")
            if bpp and psnr and used and used.mean >= ALIVE:
                found.append(Point(label, experiment, bpp.mean, psnr.mean, budget, psnr.seeds, alone(rows)))
    return found


def longest(some: Sequence[Point]) -> list[Point]:
    """Of points as `points` gives them, those of each row's longest budget."""
    found: dict[Experiment, Point] = {}
    for point in some:
        found.setdefault(point.experiment, point)
    return list(found.values())


def frontier(some: Sequence[Point]) -> list[Point]:
    """Those that no other one beats in rate and in distortion, by rising rate."""
    best: list[Point] = []
    for point in sorted(some, key=lambda point: (point.bpp, -point.psnr)):
        if not best or point.psnr > best[-1].psnr:
            best.append(point)
    return best


def at_equal_rate(ours: Sequence[Point], theirs: Sequence[Point]) -> tuple[float, int] | None:
    """Mean PSNR difference in dB, ours minus theirs, and how many points it rests on; None without a common rate.

    Each point of our frontier is compared with the line through theirs, over the logarithm of the rate.
    """
    line = frontier(theirs)
    if not line:
        return None
    rates, values = [math.log(point.bpp) for point in line], [point.psnr for point in line]
    differences = [
        point.psnr - float(np.interp(math.log(point.bpp), rates, values))
        for point in frontier(ours)
        if line[0].bpp <= point.bpp <= line[-1].bpp
    ]
    return (sum(differences) / len(differences), len(differences)) if differences else None


def compared(
    results: Results, data: str, ours: Callable[[Experiment], bool], theirs: Callable[[Experiment], bool]
) -> str:
    """The verdict on "ours is better at equal rate" over two families of rows.

    It rests on the longest budget at which both have points at rates in common, and on all that they have there; on
    quick trainings only where both have no others. Where there is none, the best points of both at the longest budget
    that they share are told, or at the longest of each where they share none, and no verdict follows from them.
    """
    known = points(results, data)
    first, second = ([p for p in known if family(p.experiment)] for family in (ours, theirs))
    if not first or not second:
        return f"not possible yet: of one family no row is measured that uses {ALIVE} embeddings or more"
    common = [budget for budget in results.budgets() if all(_at(budget, family) for family in (first, second))]
    common = [budget for budget in common if budget != QUICK.name] or common
    for budget in common:
        a, b = _at(budget, first), _at(budget, second)
        if difference := at_equal_rate(a, b):
            return _judged(*difference, min(p.seeds for p in (*a, *b)), budget, sum(p.collapsed for p in a))
    if not common:
        best = [_best(longest(family)) for family in (first, second)]
        bests = " against ".join(f"{_at_rate(point)} ({point.budget})" for point in best)
        return f"not possible yet: no budget in common, the best {bests}"
    bests = " against ".join(_at_rate(_best(_at(common[0], family))) for family in (first, second))
    of = f" at {common[0]}" if len(common) > 1 else ""
    return f"not possible yet: no rate in common at {' or '.join(common)}, the best{of} {bests}"


def _best(some: Sequence[Point]) -> Point:
    return max(some, key=lambda point: point.psnr)


def _at_rate(point: Point) -> str:
    return f"{point.psnr:.2f} dB at {point.bpp:.3g} bpp"


def _at(budget: str, some: Sequence[Point]) -> list[Point]:
    return [point for point in some if point.budget == budget]


def _judged(mean: float, count: int, seeds: int, budget: str, collapsed: int) -> str:
    """The verdict on a mean difference in dB of so many points; `collapsed` of ours have one codebook alone."""
    told = f"{mean:+.2f} dB at equal rate, mean of {count} points"
    told += f", {collapsed} of ours with one codebook alone" if collapsed else ""
    if abs(mean) > DECIBELS:
        return judge(mean > 0, True, seeds, budget, told, collapsed=collapsed > 0, denied="the opposite")
    told = f"no difference, {told}: up to {DECIBELS:g} dB is none"
    if budget == QUICK.name:
        return f"{TOO_SHORT}, {told}"
    if shortened := short(budget):
        return f"not possible yet: {shortened}, {told}"
    return f"not possible: {told}" if seeds >= SEEDS else f"not possible yet: {told}, {seeds} of {SEEDS} seeds"


def _lattice(e: Experiment) -> bool:
    return e.quantizer == "lattice"


def _strided_codebook(e: Experiment) -> bool:
    return e.network.startswith("strided") and e.quantizer in ("vq", "vq-ema")


def _throughout(family: Callable[[Experiment], bool], data: str) -> Callable[[Experiment], bool]:
    """Those of a family that learn to the end; of faces there are none, and the published schedule has to do."""
    return lambda e: family(e) and (e.rate_decay == 1 or data != "fashion-mnist")


def _is(e: Experiment, published: Experiment, **changes: object) -> bool:
    """Whether an experiment is the published one, in network, weights of the loss, capacity and all but these."""
    return replace(e, batch=published.batch) == replace(published, **changes)  # type: ignore[arg-type]


def _fixed(e: Experiment) -> bool:
    return (e.codes, e.dimensions) in balance.SIZES and _is(e, balance.FIXED, codes=e.codes, dimensions=e.dimensions)


def _rotation(e: Experiment) -> bool:
    return e.quantizer == "rotation"


def _straight(e: Experiment) -> bool:
    return e.network == "rotation" and e.quantizer == "vq-ema"


def _adaptive(e: Experiment) -> bool:
    return e.quantizer.startswith("adaptive")


def _as_published(e: Experiment) -> bool:
    """Adaptive codebooks as in the paper's comparison with fixed ones, of the same network, weights and capacity."""
    return _is(e, balance.ADAPTIVE)


def _cooled(e: Experiment) -> bool:
    """The same with a temperature from 5 to 0.5."""
    return _is(e, balance.ADAPTIVE, temperature="exponential")


FAMILIES: tuple[tuple[str, Callable[[Experiment], bool]], ...] = (  # for the pictures of rate and distortion
    ("lattice", _lattice),
    ("codebook of LL-VQ-VAE", _strided_codebook),
    ("fixed codebook of equal capacity", _fixed),
    ("the same, with k-means and revived codes", lambda e: e.quantizer == "vq-ema-projected" and e.start == "k-means"),
    ("adaptive codebooks", _adaptive),
    ("straight-through", _straight),
    ("rotation", lambda e: e.quantizer in ("rotation", "rotation-rescaled")),
    ("rotation as coded", lambda e: e.quantizer == "rotation-as-coded"),
)


def _claim(
    text: str, data: str, ours: Callable[[Experiment], bool], theirs: Callable[[Experiment], bool]
) -> CentralClaim:
    return CentralClaim(text, data, lambda results, data: compared(results, data, ours, theirs))


def _claims() -> list[CentralClaim]:
    claims = []
    for data in ("fashion-mnist", "faces-128", "faces-64"):
        families = _throughout(_lattice, data), _throughout(_strided_codebook, data)
        claims.append(_claim("the lattice has less error than a codebook", data, *families))
    for data in ("mnist", "fashion-mnist", "cifar10"):
        claims += [
            _claim(
                "fixed codebooks of N >= 8192 have less error than those of N <= 4096",
                data,
                lambda e: _fixed(e) and e.codes >= 8192,
                lambda e: _fixed(e) and e.codes <= 4096,
            ),
            _claim("adaptive codebooks have less error than fixed ones", data, _as_published, _fixed),
            _claim("adaptive codebooks with a temperature from 5 to 0.5 have so too", data, _cooled, _fixed),
        ]
    return [*claims, _claim("the rotation has less error than straight-through", "cifar10", _rotation, _straight)]


RATE_CLAIMS = _claims()

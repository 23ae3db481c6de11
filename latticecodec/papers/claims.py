"""The central claims of the papers, at equal rate where rate is what they leave out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .datasets import DATASETS
from .experiment import Experiment
from .results import Results
from .tables import TABLES
from .verdicts import UNMEASURED, difference, judge, spread

DECIBELS = 0.1  # a smaller difference at equal rate is none
ALIVE = 3  # codewords in use; a row with fewer has collapsed, and its rate says nothing


@dataclass(frozen=True)
class Point:
    """A trained row in the plane of rate and distortion, mean over seeds."""

    label: str
    experiment: Experiment
    bpp: float
    psnr: float
    budget: str
    seeds: int


@dataclass(frozen=True)
class CentralClaim:
    """A claim, on one data set."""

    text: str
    data: str
    verdict: Callable[[Results, str], str]


def points(results: Results, data: str) -> list[Point]:
    """All measured rows of a data set that have a rate, each experiment once."""
    found: dict[Experiment, Point] = {}
    for table in TABLES.values():
        for row in table.rows:
            if data not in row.data or row.experiment in found:
                continue
            budget, rows = results.of(row.experiment, data)
            bpp, psnr = spread(rows, "bpp"), spread(rows, "psnr")
            used = spread(rows, "used")
            if bpp and psnr and used and used.mean >= ALIVE:
                found[row.experiment] = Point(row.label, row.experiment, bpp.mean, psnr.mean, budget, psnr.seeds)
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

    It rests on the longest budget at which both have points at rates in common; where there is none, the best points of
    both are told, and no verdict follows from them.
    """
    known = points(results, data)
    first, second = ([p for p in known if family(p.experiment)] for family in (ours, theirs))
    if not first or not second:
        return f"not possible yet: of one family no row is measured that uses {ALIVE} embeddings or more"
    for budget in results.budgets():
        a, b = ([p for p in family if p.budget == budget] for family in (first, second))
        if difference := at_equal_rate(a, b):
            mean, count = difference
            told = f"{mean:+.2f} dB at equal rate, mean of {count} points"
            return judge(mean > 0, abs(mean) > DECIBELS, min(p.seeds for p in (*a, *b)), budget, told)
    best = (max(frontier(family), key=lambda point: point.psnr) for family in (first, second))
    bests = " against ".join(f"{point.psnr:.2f} dB at {point.bpp:.3g} bpp" for point in best)
    return f"not possible yet: no rate in common at one budget, the best {bests}"


Named = tuple[str, str]  # table, label


def _pair(ours: Named, theirs: Named, metrics: Sequence[tuple[str, bool]]) -> Callable[[Results, str], str]:
    """Verdict on one row against another: (metric, whether lower is better), all of which must hold."""

    def verdict(results: Results, data: str) -> str:
        a, b = (TABLES[table].row(label).experiment for table, label in (ours, theirs))
        return difference(results, a, b, data, metrics) or UNMEASURED

    return verdict


def _lattice(e: Experiment) -> bool:
    return e.quantizer == "lattice"


def _strided_codebook(e: Experiment) -> bool:
    return e.network.startswith("strided") and e.quantizer in ("vq", "vq-ema")


def _throughout(family: Callable[[Experiment], bool], data: str) -> Callable[[Experiment], bool]:
    """Those of a family that learn to the end; of faces there are none, and the published schedule has to do."""
    return lambda e: family(e) and (e.rate_decay == 1 or data != "fashion-mnist")


def _fixed(e: Experiment) -> bool:
    return e.network == "cnn" and e.quantizer == "vq-ema" and e.start == "example"


USE = (("used", False), ("perplexity", False))
FAMILIES: tuple[tuple[str, Callable[[Experiment], bool]], ...] = (  # for the pictures of rate and distortion
    ("lattice", _lattice),
    ("codebook of LL-VQ-VAE", _strided_codebook),
    ("fixed codebook of equal capacity", _fixed),
    ("the same, with k-means and revived codes", lambda e: e.network == "cnn" and e.start == "k-means" and not e.sizes),
    ("adaptive codebooks", lambda e: e.quantizer.startswith("adaptive")),
    ("straight-through", lambda e: e.network == "rotation" and e.quantizer == "vq-ema"),
    ("rotation", lambda e: e.quantizer in ("rotation", "rotation-rescaled")),
    ("rotation as coded", lambda e: e.quantizer == "rotation-as-coded"),
)


def _claims() -> list[CentralClaim]:
    lattice = ("ll-5", "LL-VQ-VAE, constant rate")
    rotated, straight = ("rotation-ste", "rotation, beta 0.25"), ("rotation-ste", "straight-through, beta 0.25")
    claims = [
        CentralClaim(
            "the lattice avoids collapse: more embeddings used, higher perplexity than VQ-VAE",
            "fashion-mnist",
            _pair(lattice, ("ll-5", "VQ-VAE, constant rate"), USE),
        ),
        CentralClaim(
            "the lattice avoids collapse: the same against VQ-VAE with k-means and revived codes",
            "fashion-mnist",
            _pair(lattice, ("ll-rate", "VQ-VAE, k-means, K = 512"), USE),
        ),
    ]
    for data in ("fashion-mnist", "faces-128", "faces-64"):
        claims.append(
            CentralClaim(
                "lattice error below VQ error at equal rate",
                data,
                lambda results, data: compared(
                    results, data, _throughout(_lattice, data), _throughout(_strided_codebook, data)
                ),
            )
        )
    for data in ("mnist", "fashion-mnist", "cifar10"):
        most, fewest = ("balance-1", "[65536, 1]"), ("balance-1", "[512, 128]")
        claims += [
            CentralClaim(
                "larger N beats larger D at equal capacity",
                data,
                _pair(most, fewest, [("mse", True)]),
            ),
            CentralClaim(
                "larger N beats larger D at equal rate: N >= 8192 against N <= 4096",
                data,
                lambda results, data: compared(
                    results, data, lambda e: _fixed(e) and e.codes >= 8192, lambda e: _fixed(e) and e.codes <= 4096
                ),
            ),
            CentralClaim(
                "adaptive codebooks beat the best fixed one at equal rate",
                data,
                lambda results, data: compared(results, data, lambda e: e.quantizer.startswith("adaptive"), _fixed),
            ),
        ]
    claims += [
        CentralClaim(
            "rotation raises codebook use and lowers the error against straight-through",
            "cifar10",
            _pair(rotated, straight, [*USE, ("mse", True)]),
        ),
        CentralClaim(
            "rotation beats straight-through at equal rate",
            "cifar10",
            lambda results, data: compared(
                results,
                data,
                lambda e: e.quantizer == "rotation",
                lambda e: e.network == "rotation" and e.quantizer == "vq-ema",
            ),
        ),
    ]
    return claims


CLAIMS = _claims()
assert all(claim.data in DATASETS for claim in CLAIMS)

"""What results say at equal rate."""

from pathlib import Path

import pytest
from paper_rows import KINDS, result

from latticecodec.lab.papers.results import Results
from latticecodec.lab.papers.tables import TABLES
from latticecodec.lab.papers.verdicts.equal_rate import RATE_CLAIMS, Point, at_equal_rate, longest, points


def test_at_equal_rate_compares_only_rates_in_common() -> None:
    def at(bpp: float, psnr: float) -> Point:
        return Point("", KINDS["vq"], bpp, psnr, "full", 3)

    line = [at(0.1, 20.0), at(1.0, 30.0), at(0.5, 15.0)]  # the last is beaten by the first
    assert at_equal_rate([at(10**-0.5, 26.0)], line) == (pytest.approx(1.0), 1)
    assert at_equal_rate([at(2.0, 40.0)], line) is None
    assert at_equal_rate([at(0.05, 10.0)], line) is None
    for psnr in (29.0, 31.0):  # whether it is better or worse: nothing is chosen by its outcome
        assert at_equal_rate([at(10**-0.5, 26.0), at(2.0, psnr)], line) == (pytest.approx(1.0), 1)


def test_at_equal_rate_each_family_is_its_frontier() -> None:
    """A row of ours that another of ours beats in both is not counted."""

    def at(bpp: float, psnr: float) -> Point:
        return Point("", KINDS["vq"], bpp, psnr, "full", 3)

    line = [at(0.1, 20.0), at(1.0, 30.0)]
    assert at_equal_rate([at(10**-0.5, 26.0), at(0.5, 10.0)], line) == (pytest.approx(1.0), 1)


def test_a_comparison_at_equal_rate_has_the_seeds_of_the_row_that_has_fewest(tmp_path: Path) -> None:
    results = at_rates(Results(tmp_path / "results.jsonl"), "full", seeds=3)
    results.add(result(LATTICES[0], bpp=0.2, psnr=23.0))
    assert equal_rate(results) == "direction only: +1.00 dB at equal rate, mean of 1 points, 1 of 3 seeds"


def test_claims_at_equal_rate_rest_on_full_results_where_both_families_have_some(tmp_path: Path) -> None:
    claim = next(
        claim for claim in RATE_CLAIMS if claim.text.startswith("the lattice") and claim.data == "fashion-mnist"
    )
    results = Results(tmp_path / "results.jsonl")
    assert claim.verdict(results, "fashion-mnist").startswith("not possible yet: of one family no row is measured")
    small, large = (TABLES["ll-k"].row(f"VQ-VAE, K = {size}").experiment for size in (64, 1024))
    lattice = TABLES["ll-gamma"].rows[0].experiment
    for seed in range(3):
        results.add(result(small, seed, bpp=0.1, psnr=20.0))
        results.add(result(large, seed, bpp=0.4, psnr=24.0))
        results.add(result(lattice, seed, bpp=0.2, psnr=23.0))
    results.add(result(TABLES["ll-gamma"].rows[1].experiment, 0, "quick", bpp=0.2, psnr=5.0))
    told = claim.verdict(results, "fashion-mnist")
    assert told == "reproduced: +1.00 dB at equal rate, mean of 1 points"


def equal_rate(results: Results) -> str:
    """The verdict on the lattice at equal rate, on Fashion-MNIST."""
    return RATE_CLAIMS[0].verdict(results, "fashion-mnist")


LINE = [TABLES["ll-k"].row(f"VQ-VAE, K = {size}").experiment for size in (64, 1024)]
LATTICES = [row.experiment for row in TABLES["ll-gamma"].rows[:2]]


def at_rates(results: Results, budget: str, *lattices: float, seeds: int = 3) -> Results:
    """Add a line of codebooks, 20 dB at 0.1 bpp to 24 dB at 0.4, and lattices of so many dB at 0.2, where it has 22."""
    for seed in range(seeds):
        for experiment, bpp, psnr in zip(LINE, (0.1, 0.4), (20.0, 24.0), strict=True):
            results.add(result(experiment, seed, budget, bpp=bpp, psnr=psnr))
        for experiment, psnr, bpp in zip(LATTICES, lattices, (0.2, 0.2001), strict=False):
            results.add(result(experiment, seed, budget, bpp=bpp, psnr=psnr))
    return results


def test_a_row_that_is_trained_in_full_stays_in_the_comparison_of_a_tenth(tmp_path: Path) -> None:
    results = at_rates(Results(tmp_path / "results.jsonl"), "10 %", 23.0, 25.0)
    told = "direction only: 10 % of the training, +2.00 dB at equal rate, mean of 2 points"
    assert equal_rate(results) == told
    results.add(result(LATTICES[0], bpp=9.0, psnr=40.0))  # in full, at a rate that no codebook has
    results.add(result(LINE[0], bpp=0.1, psnr=20.0))
    assert equal_rate(results) == told
    shown = longest(points(results, "fashion-mnist"))  # on the plot, each row once
    assert sorted(point.budget for point in shown) == ["10 %", "10 %", "full", "full"]


@pytest.mark.parametrize(
    ("psnr", "budget", "seeds", "told"),
    [
        (
            22.05,
            "full",
            3,
            "not possible: no difference, +0.05 dB at equal rate, mean of 1 points: up to 0.1 dB is none",
        ),
        (21.95, "full", 1, "not possible yet: no difference, -0.05 dB"),
        (22.05, "10 %", 1, "not possible yet: 10 % of the training, no difference, +0.05 dB"),
        (21.95, "quick", 3, "not possible yet: a quick training is too short to judge, no difference, -0.05 dB"),
        (22.2, "10 %", 3, "direction only: 10 % of the training, +0.20 dB"),
        (21.8, "full", 3, "the opposite: -0.20 dB"),
    ],
)
def test_a_tenth_of_a_decibel_is_no_difference_and_no_spread(
    tmp_path: Path, psnr: float, budget: str, seeds: int, told: str
) -> None:
    verdict = equal_rate(at_rates(Results(tmp_path / "results.jsonl"), budget, psnr, seeds=seeds))
    assert verdict.startswith(told)
    assert "spread" not in verdict


def test_a_quick_comparison_does_not_hide_the_best_of_longer_trainings(tmp_path: Path) -> None:
    results = at_rates(Results(tmp_path / "results.jsonl"), "quick", 23.0)
    quick = "not possible yet: a quick training is too short to judge, +1.00 dB at equal rate, mean of 1 points"
    assert equal_rate(results) == quick
    results.add(result(LATTICES[0], budget="10 %", bpp=9.0, psnr=40.0))
    assert equal_rate(results) == quick
    results.add(result(LINE[0], budget="10 %", bpp=0.1, psnr=21.0))
    best = "the best 40.00 dB at 9 bpp against 21.00 dB at 0.1 bpp"
    assert equal_rate(results) == f"not possible yet: no rate in common at 10 %, {best}"

"""What results say of a paper: verdicts on differences, on numbers, and at equal rate."""

from pathlib import Path

import pytest
from paper_rows import KINDS, result

from latticecodec.papers.claims import CLAIMS, Point, at_equal_rate
from latticecodec.papers.results import Results
from latticecodec.papers.tables import TABLES
from latticecodec.papers.verdicts import judge, verdict


@pytest.mark.parametrize(
    ("ours", "budget", "seeds", "begins"),
    [
        ((0.10, 0.11, 0.12), "full", 3, "reproduced: mse 0.11 ± 0.01 against 0.2 ± 0.01 of VQ-VAE"),
        ((0.10, 0.11, 0.12), "full", 1, "direction only: mse 0.1 against 0.19 of VQ-VAE, 1 of 3 seeds"),
        ((0.30, 0.31, 0.32), "full", 3, "refuted: mse 0.31"),
        ((0.199, 0.19, 0.2), "full", 3, "direction only: not clear of the spread of the seeds"),
        ((0.21, 0.19, 0.22), "full", 3, "not possible: no clear difference"),
        ((0.10, 0.11, 0.12), "quick", 1, "direction only: a quick training, mse 0.1"),
        (
            (0.10, 0.11, 0.12),
            "10 %",
            3,
            "direction only: 10 % of the training, mse 0.11 ± 0.01 against 0.2 ± 0.01 of VQ-VAE",
        ),
        (
            (0.199, 0.19, 0.2),
            "2 %",
            3,
            "direction only: 2 % of the training, mse 0.196 ± 0.00551 against 0.2 ± 0.01 of VQ-",
        ),
        ((0.30, 0.31, 0.32), "quick", 1, "not possible yet: a quick training does not show it"),
        ((0.19, 0.20, 0.21), "quick", 1, "not possible yet: a quick training does not show it, mse 0.19 against 0.19"),
    ],
)
def test_verdicts_on_a_difference(
    tmp_path: Path, ours: tuple[float, ...], budget: str, seeds: int, begins: str
) -> None:
    table = TABLES["ll-5"]
    row, other = table.row("LL-VQ-VAE"), table.row("VQ-VAE")
    results = Results(tmp_path / "results.jsonl")
    assert verdict(table, row, "fashion-mnist", results) == "not possible yet: not measured"
    for seed, mse in list(enumerate(ours))[:seeds]:
        results.add(result(row.experiment, seed, budget, mse=mse))
        results.add(result(other.experiment, seed, budget, mse=0.19 + 0.01 * seed))
    assert verdict(table, row, "fashion-mnist", results).startswith(begins)


def test_seeds_of_a_shorter_budget_are_told_where_the_longest_has_too_few(tmp_path: Path) -> None:
    table = TABLES["ll-5"]
    row, other = table.row("LL-VQ-VAE"), table.row("VQ-VAE")
    results = Results(tmp_path / "results.jsonl")
    for seed, budget in ((0, "10 %"), (0, "1 %"), (1, "1 %"), (2, "1 %"), (0, "quick")):
        results.add(result(row.experiment, seed, budget, mse=0.1 + 0.01 * seed))
        results.add(result(other.experiment, seed, budget, mse=0.2 + 0.01 * seed))
    assert verdict(table, row, "fashion-mnist", results).startswith(
        "direction only: 10 % of the training, mse 0.1 against 0.2 of VQ-VAE; "
        "1 %, 3 seeds: mse 0.11 ± 0.01 against 0.21 ± 0.01 of VQ-VAE"
    )


def test_short_trainings_say_whether_their_seeds_separate() -> None:
    short = "direction only: 2 % of the training, a"
    assert judge(True, False, 3, "2 %", "a") == f"{short}, not clear of the spread of the seeds"
    assert judge(True, True, 3, "2 %", "a") == judge(True, False, 1, "2 %", "a") == short
    assert judge(False, True, 3, "quick", "a") == "not possible yet: a quick training does not show it, a"


@pytest.mark.parametrize(
    ("used", "budget", "seeds", "told"),
    [
        (18.0, "full", 1, "reproduced: used 18 for 17"),
        (30.0, "full", 1, "direction only: used 30 for 17"),
        (400.0, "full", 1, "not possible yet: other numbers, used 400 for 17, 1 of 3 seeds"),
        (400.0, "full", 3, "refuted: used 400 ± 0 for 17"),
        (17.0, "quick", 1, "not possible yet: a quick training, used 17 for 17"),
    ],
)
def test_verdicts_on_a_number(tmp_path: Path, used: float, budget: str, seeds: int, told: str) -> None:
    row = TABLES["ll-5"].row("VQ-VAE")
    results = Results(tmp_path / "results.jsonl")
    for seed in range(seeds):
        results.add(result(row.experiment, seed, budget, used=used))
    assert verdict(TABLES["ll-5"], row, "fashion-mnist", results) == told


def test_a_number_that_one_more_seed_could_give_is_not_refuted(tmp_path: Path) -> None:
    row = TABLES["ll-5"].row("VQ-VAE")
    results = Results(tmp_path / "results.jsonl")
    for seed, used in enumerate((25.0, 40.0, 55.0)):
        results.add(result(row.experiment, seed, used=used))
    told = verdict(TABLES["ll-5"], row, "fashion-mnist", results)
    assert told == "not possible: the seeds spread too far to tell, used 40 ± 15 for 17"
    results = Results(tmp_path / "others.jsonl")
    for seed, used in enumerate((38.0, 40.0, 42.0)):
        results.add(result(row.experiment, seed, used=used))
    assert verdict(TABLES["ll-5"], row, "fashion-mnist", results).startswith("refuted: used 40 ± 2 for 17")


def test_a_row_without_data_is_not_possible(tmp_path: Path) -> None:
    table = TABLES["rotation-imagenet"]
    told = verdict(table, table.rows[0], "imagenet", Results(tmp_path / "none.jsonl"))
    assert told.startswith("not possible: ImageNet")


def test_judge_begins_with_the_verdict() -> None:
    assert judge(True, True, 3, "full", "x") == "reproduced: x"
    assert judge(False, True, 3, "full", "x") == "refuted: x"


def test_at_equal_rate_compares_only_rates_in_common() -> None:
    def at(bpp: float, psnr: float) -> Point:
        return Point("", KINDS["vq"], bpp, psnr, "full", 3)

    line = [at(0.1, 20.0), at(1.0, 30.0), at(0.5, 15.0)]  # the last is beaten by the first
    assert at_equal_rate([at(10**-0.5, 26.0)], line) == (pytest.approx(1.0), 1)
    assert at_equal_rate([at(2.0, 40.0)], line) is None
    assert at_equal_rate([at(0.05, 10.0)], line) is None
    for psnr in (29.0, 31.0):  # whether it is better or worse: nothing is chosen by its outcome
        assert at_equal_rate([at(10**-0.5, 26.0), at(2.0, psnr)], line) == (pytest.approx(1.0), 1)


def test_claims_at_equal_rate_rest_on_full_results_where_both_families_have_some(tmp_path: Path) -> None:
    claim = next(claim for claim in CLAIMS if claim.text.startswith("lattice error") and claim.data == "fashion-mnist")
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

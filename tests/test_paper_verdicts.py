"""What results say of a row of a paper: verdicts on differences and on numbers."""

from collections import defaultdict
from pathlib import Path

import pytest
from paper_rows import result

from latticecodec.lab.papers.page.page import budget_cell, page_text, paper_cell
from latticecodec.lab.papers.results import Results, measured
from latticecodec.lab.papers.tables import TABLES
from latticecodec.lab.papers.verdicts.rows import Spread, difference, judge, verdict


@pytest.mark.parametrize(
    ("ours", "budget", "seeds", "begins"),
    [
        ((0.10, 0.11, 0.12), "full", 3, "reproduced: mse 0.11 ± 0.01 against 0.2 ± 0.01 of VQ-VAE"),
        ((0.10, 0.11, 0.12), "full", 1, "direction only: mse 0.1 against 0.19 of VQ-VAE, 1 of 3 seeds"),
        ((0.30, 0.31, 0.32), "full", 3, "refuted: mse 0.31"),
        ((0.199, 0.19, 0.2), "full", 3, "direction only: not clear of the spread of the seeds"),
        ((0.21, 0.19, 0.22), "full", 3, "not possible: not clear of the spread of the seeds"),
        ((0.166, 0.176, 0.186), "full", 3, "reproduced: mse 0.176 ± 0.01"),  # 2.9 standard errors
        ((0.168, 0.178, 0.188), "full", 3, "direction only: not clear of the spread of the seeds"),  # 2.7 of them
        ((0.10, 0.11, 0.12), "quick", 3, "not possible yet: a quick training is too short to judge, mse 0.11 ± 0.01"),
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
        ((0.30, 0.31, 0.32), "2 %", 1, "not possible yet: 2 % of the training does not show it"),
        ((0.19, 0.20, 0.21), "2 %", 1, "not possible yet: 2 % of the training does not show it, mse 0.19 against 0.19"),
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


@pytest.mark.parametrize("row_of_one_seed", ["LL-VQ-VAE", "VQ-VAE"])
def test_a_difference_has_the_seeds_of_the_row_that_has_fewer(tmp_path: Path, row_of_one_seed: str) -> None:
    table = TABLES["ll-5"]
    results = Results(tmp_path / "results.jsonl")
    for label, mse in (("LL-VQ-VAE", 0.1), ("VQ-VAE", 0.2)):
        for seed in range(1 if label == row_of_one_seed else 3):
            results.add(result(table.row(label).experiment, seed, mse=mse))
    told = verdict(table, table.row("LL-VQ-VAE"), "fashion-mnist", results)
    assert told.startswith("direction only: mse 0.1")
    assert " of VQ-VAE, 1 of 3 seeds" in told


def test_all_metrics_of_a_difference_must_have_its_sign(tmp_path: Path) -> None:
    table = TABLES["ll-5"]
    ours, theirs = table.row("LL-VQ-VAE").experiment, table.row("VQ-VAE").experiment
    results = Results(tmp_path / "results.jsonl")
    for seed in range(3):
        results.add(result(ours, seed, used=90.0, mse=0.2))
        results.add(result(theirs, seed, used=30.0, mse=0.1))
    told = difference(results, ours, theirs, "fashion-mnist", [("used", False), ("mse", True)])
    assert told == "refuted: used 90 ± 0 against 30 ± 0, mse 0.2 ± 0 against 0.1 ± 0"


def test_one_more_seed_spreads_as_it_does_and_the_mean_as_well() -> None:
    """Three seeds that deviate by 1: Student's 4.30 times the root of 1 + 1/3 is 4.97."""
    seeds = Spread(10.0, 1.0, 3)
    assert [seeds.excludes(value) for value in (5.0, 5.1, 14.9, 15.0)] == [True, False, False, True]


def test_seeds_of_a_shorter_budget_are_told_where_the_longest_has_too_few(tmp_path: Path) -> None:
    table = TABLES["ll-5"]
    row, other = table.row("LL-VQ-VAE"), table.row("VQ-VAE")
    results = Results(tmp_path / "results.jsonl")
    longest = "direction only: 10 % of the training, mse 0.1 against 0.2 of VQ-VAE"
    told = {"quick": longest, "1 %": f"{longest}; 1 %, 3 seeds: mse 0.11 ± 0.01 against 0.21 ± 0.01 of VQ-VAE"}
    results.add(result(row.experiment, 0, "10 %", mse=0.1))
    results.add(result(other.experiment, 0, "10 %", mse=0.2))
    for budget in told:  # three quick trainings say nothing
        for seed in range(3):
            results.add(result(row.experiment, seed, budget, mse=0.1 + 0.01 * seed))
            results.add(result(other.experiment, seed, budget, mse=0.2 + 0.01 * seed))
        assert verdict(table, row, "fashion-mnist", results).split("; of the paper")[0] == told[budget]


def test_a_shorter_budget_says_where_its_seeds_do_not_separate(tmp_path: Path) -> None:
    table = TABLES["ll-5"]
    row, other = table.row("LL-VQ-VAE"), table.row("VQ-VAE")
    results = Results(tmp_path / "results.jsonl")
    results.add(result(row.experiment, 0, "10 %", mse=0.1))
    results.add(result(other.experiment, 0, "10 %", mse=0.2))
    for seed in range(3):
        results.add(result(row.experiment, seed, "1 %", mse=0.1 + 0.01 * seed))
        results.add(result(other.experiment, seed, "1 %", mse=0.105 + 0.01 * seed))
    told = verdict(table, row, "fashion-mnist", results)
    shorter = "1 %, 3 seeds: mse 0.11 ± 0.01 against 0.115 ± 0.01 of VQ-VAE, not clear of their spread"
    assert told.startswith(f"direction only: 10 % of the training, mse 0.1 against 0.2 of VQ-VAE; {shorter};")


def test_short_trainings_say_whether_their_seeds_separate() -> None:
    short = "direction only: 2 % of the training, a"
    assert judge(True, False, 3, "2 %", "a") == f"{short}, not clear of the spread of the seeds"
    assert judge(True, True, 3, "2 %", "a") == judge(True, False, 1, "2 %", "a") == short
    assert judge(False, True, 3, "2 %", "a") == "not possible yet: 2 % of the training does not show it, a"


def test_no_verdict_rests_on_a_quick_training() -> None:
    """Whatever it shows, as clearly as may be."""
    for right in (True, False):
        assert judge(right, True, 3, "quick", "a") == "not possible yet: a quick training is too short to judge, a"


@pytest.mark.parametrize(
    ("used", "budget", "seeds", "told"),
    [
        (33.0, "full", 3, "reproduced: mse 0.013 ± 0 for 0.013, used 33 ± 0 for 32"),
        (33.0, "full", 1, "direction only: mse 0.013 for 0.013, used 33 for 32, 1 of 3 seeds"),
        (60.0, "full", 3, "direction only: mse 0.013 ± 0 for 0.013, used 60 ± 0 for 32"),
        (60.0, "full", 1, "direction only: mse 0.013 for 0.013, used 60 for 32, 1 of 3 seeds"),
        (400.0, "full", 1, "not possible yet: other numbers, mse 0.013 for 0.013, used 400 for 32, 1 of 3 seeds"),
        (400.0, "full", 3, "refuted: mse 0.013 ± 0 for 0.013, used 400 ± 0 for 32"),
        (32.0, "2 %", 1, "not possible yet: 2 % of the training, mse 0.013 for 0.013, used 32 for 32"),
        (
            32.0,
            "quick",
            1,
            "not possible yet: a quick training is too short to judge, mse 0.013 for 0.013, used 32 for 32",
        ),
    ],
)
def test_verdicts_on_a_number(tmp_path: Path, used: float, budget: str, seeds: int, told: str) -> None:
    row = TABLES["ll-5"].row("VQ-VAE")
    results = Results(tmp_path / "results.jsonl")
    for seed in range(seeds):
        results.add(result(row.experiment, seed, budget, used=used, mse=0.013))
    assert verdict(TABLES["ll-5"], row, "fashion-mnist", results) == told


def test_a_number_that_one_more_seed_could_give_is_not_refuted(tmp_path: Path) -> None:
    row = TABLES["ll-5"].row("VQ-VAE")
    results = Results(tmp_path / "results.jsonl")
    for seed, used in enumerate((65.0, 80.0, 95.0)):
        results.add(result(row.experiment, seed, used=used, mse=0.013))
    told = verdict(TABLES["ll-5"], row, "fashion-mnist", results)
    assert told.startswith("not possible: the seeds spread too far to tell")
    assert told.endswith("used 80 ± 15 for 32")
    results = Results(tmp_path / "others.jsonl")
    for seed, used in enumerate((78.0, 80.0, 82.0)):
        results.add(result(row.experiment, seed, used=used, mse=0.013))
    told = verdict(TABLES["ll-5"], row, "fashion-mnist", results)
    assert told.startswith("refuted: ")
    assert told.endswith("used 80 ± 2 for 32")


def test_what_one_budget_shows_is_told_apart_from_the_longest(tmp_path: Path) -> None:
    """Where the row's cell has the numbers of another one."""
    table = TABLES["ll-5"]
    row, other = table.row("LL-VQ-VAE"), table.row("VQ-VAE")
    results = Results(tmp_path / "results.jsonl")
    results.add(result(row.experiment, 0, "quick", mse=0.1))
    results.add(result(other.experiment, 0, "quick", mse=0.2))
    told = verdict(table, row, "fashion-mnist", results)
    assert "mse 0.1 against 0.2 of VQ-VAE;" in told
    results.add(result(other.experiment, 0, mse=0.15))
    assert "mse 0.1 against 0.2 of VQ-VAE (both quick);" in verdict(table, row, "fashion-mnist", results)


def test_numbers_that_a_training_was_measured_without_are_told_apart(tmp_path: Path) -> None:
    """Results of before a metric was there."""
    results = Results(tmp_path / "results.jsonl")
    row = TABLES["rotation-2"].rows[1]
    results.add(result(row.experiment, data="cifar10"))
    told = verdict(TABLES["rotation-2"], row, "cifar10", results)
    assert told.startswith("not possible yet: this training was measured without what the paper prints")
    row = TABLES["ll-5"].row("VQ-VAE (EMA)")
    results.add(result(row.experiment, mse=0.047))
    told = verdict(TABLES["ll-5"], row, "fashion-mnist", results)
    assert told == "direction only: mse 0.047 for 0.047, 1 of 3 seeds; measured without used_epoch"


@pytest.mark.parametrize(
    ("label", "mse", "word"),
    [("CNN", 0.1, "direction"), ("CNN", 0.3, "not possible yet"), ("alpha = 5", 0.3, "direction")],
)
def test_ablations_are_judged_by_the_sign_of_the_papers_numbers(
    tmp_path: Path, label: str, mse: float, word: str
) -> None:
    table = TABLES["balance-3"]
    results = Results(tmp_path / "results.jsonl")
    results.add(result(table.row("Base").experiment, mse=0.2))
    results.add(result(table.row(label).experiment, mse=mse))
    assert verdict(table, table.row(label), "fashion-mnist", results).startswith(word)


def test_a_short_training_that_has_collapsed_is_no_direction(tmp_path: Path) -> None:
    """Two rows of one embedding each differ in what their networks make of a constant."""
    table = TABLES["balance-3"]
    base, row = table.row("Base"), table.row("CNN")
    for budget, begins in (
        ("quick", "not possible yet: a quick training with fewer than 3 embeddings in use, mse 0.1 against 0.2"),
        ("full", "direction only: mse 0.1 against 0.2"),
    ):
        results = Results(tmp_path / f"{budget}.jsonl")
        results.add(result(base.experiment, budget=budget, mse=0.2, used=1.0))
        results.add(result(row.experiment, budget=budget, mse=0.1, used=1.0))
        assert verdict(table, row, "fashion-mnist", results).startswith(begins)


def test_equal_numbers_of_the_paper_have_no_sign(tmp_path: Path) -> None:
    """[2048, 32] and [4096, 16] have 0.618 on CIFAR-10: what is left is the number."""
    table = TABLES["balance-1"]
    row = table.row("[4096, 16]")
    assert [table.lower(row, data) for data in ("cifar10", "fashion-mnist", "tiny-imagenet")] == [None, True, False]
    results = Results(tmp_path / "results.jsonl")
    results.add(result(row.experiment, data="cifar10", mse=0.618 / 157))
    assert verdict(table, row, "cifar10", results).startswith("direction only: mse 0.00394 for 0.00394, 1 of 3")


def test_a_cell_of_the_paper_has_the_printed_number_and_the_one_of_a_batch() -> None:
    row = TABLES["balance-1"].row("[16384, 4]")
    assert paper_cell(row, "cifar10") == "error (printed sum of 157 batches) 0.503, mse 0.0032"
    assert paper_cell(row, "tiny-imagenet") == "error (printed sum of 417 batches) 2.528, mse 0.00606"
    assert paper_cell(TABLES["ll-4"].rows[3], "faces-64").startswith("mse 0.00009, minutes (printed) 16, time 0.296")


def test_a_row_without_data_is_not_possible(tmp_path: Path) -> None:
    table = TABLES["balance-1"]
    told = verdict(table, table.rows[0], "celeba", Results(tmp_path / "none.jsonl"))
    assert told == "not possible: CelebA is not to be had here"


def test_judge_begins_with_the_verdict() -> None:
    assert judge(True, True, 3, "full", "x") == "reproduced: x"
    assert judge(False, True, 3, "full", "x") == "refuted: x"


def test_the_total_loss_follows_from_its_parts() -> None:
    row = {"metrics": {"mse_forward": 0.0102, "codebook_loss": 0.0342}, "experiment": {"commitment": 0.25}}
    assert measured(row, "total_loss") == pytest.approx(0.0529, abs=1e-4)  # Table 3 of the rotation, test
    assert measured(row, "total_loss_train") is None


def test_a_row_whose_seeds_are_of_several_sources_says_so() -> None:
    row = TABLES["ll-5"].row("VQ-VAE")
    seeds = [result(row.experiment, seed) for seed in range(3)]
    assert budget_cell(row, "full", seeds) == "full: 3 steps of 4, 3 seeds"
    assert budget_cell(row, "full", [*seeds[:2], seeds[2] | {"source": "other"}]).endswith("3 seeds of 2 sources")


def test_a_training_that_machines_took_turns_at_has_no_time(tmp_path: Path) -> None:
    """Where another seed has one, that is the row's."""
    row, other = (TABLES["ll-5"].row(label) for label in ("VQ-VAE", "LL-VQ-VAE"))
    turns = {"hardware": "one, then other", "seconds": None}
    assert measured(result(row.experiment) | turns, "pace") is None
    results = Results(tmp_path / "results.jsonl")

    def times() -> list[str]:
        text, _ = page_text(results, tmp_path / "papers.md", defaultdict(list))
        lines = text.split("## ll-5: ")[1].split("\n## ")[0].splitlines()
        cells = [line.split(" | ")[3] for line in lines if " | fashion-mnist | " in line]
        return [cell.rpartition(", ")[2] for cell in cells if cell != "not measured"]

    results.add(result(row.experiment) | turns)
    results.add(result(other.experiment) | {"seconds": 6.0})
    assert times() == ["64 parameters", "time 1.00"]
    results.add(result(row.experiment, 1) | {"seconds": 3.0})
    assert times() == ["time 1.00", "time 2.00"]

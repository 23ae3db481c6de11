"""What results say of a paper: verdicts on differences, on numbers, and at equal rate."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from paper_rows import KINDS, result

from latticecodec.lab.papers import courses, orders, presets_balance
from latticecodec.lab.papers.claims import CLAIMS
from latticecodec.lab.papers.experiment import Experiment
from latticecodec.lab.papers.page import paper_cell
from latticecodec.lab.papers.plots import choices
from latticecodec.lab.papers.rates import RATE_CLAIMS, Point, at_equal_rate
from latticecodec.lab.papers.results import Results, measured
from latticecodec.lab.papers.tables import TABLES
from latticecodec.lab.papers.verdicts import judge, verdict


@pytest.mark.parametrize(
    ("ours", "budget", "seeds", "begins"),
    [
        ((0.10, 0.11, 0.12), "full", 3, "reproduced: mse 0.11 ± 0.01 against 0.2 ± 0.01 of VQ-VAE"),
        ((0.10, 0.11, 0.12), "full", 1, "direction only: mse 0.1 against 0.19 of VQ-VAE, 1 of 3 seeds"),
        ((0.30, 0.31, 0.32), "full", 3, "refuted: mse 0.31"),
        ((0.199, 0.19, 0.2), "full", 3, "direction only: not clear of the spread of the seeds"),
        ((0.21, 0.19, 0.22), "full", 3, "not possible: no clear difference"),
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
        (33.0, "full", 1, "reproduced: mse 0.013 for 0.013, used 33 for 32"),
        (60.0, "full", 1, "direction only: mse 0.013 for 0.013, used 60 for 32"),
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


def test_numbers_that_a_training_was_measured_without_are_told_apart(tmp_path: Path) -> None:
    """Results of before a metric was there."""
    results = Results(tmp_path / "results.jsonl")
    row = TABLES["rotation-2"].rows[1]
    results.add(result(row.experiment, data="cifar10"))
    told = verdict(TABLES["rotation-2"], row, "cifar10", results)
    assert told.startswith("not possible yet: this training was measured without what the paper prints")


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
    assert verdict(table, row, "cifar10", results).startswith("direction only: mse 0.00394 for 0.00394; CIFAR-10 as")


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


FIXED = [row.experiment for row in TABLES["balance-1"].rows]
ERRORS = [presets_balance.FIXED_ERRORS[pair][1] / 157 for pair in presets_balance.SIZES]  # Fashion-MNIST


def balance_claim(text: str) -> Callable[[Results], str]:
    (claim,) = [claim for claim in CLAIMS if claim.data == "fashion-mnist" and text in claim.text]
    return lambda results: claim.verdict(results, "fashion-mnist")


def eight(folder: Path, errors: Sequence[float], budget: str = "full", seeds: int = 3, **metrics: float) -> Results:
    """Results of the eight fixed codebooks with these errors."""
    results = Results(folder / "results.jsonl")
    for seed in range(seeds):
        for experiment, error in zip(FIXED, errors, strict=True):
            results.add(result(experiment, seed, budget, mse=error, **metrics))
    return results


def test_the_place_of_the_optimum_is_judged_apart_from_numbers(tmp_path: Path) -> None:
    """Twice the paper's errors are in its order; errors that fall to the end have their least outside."""
    order, place = balance_claim("in the paper's order, the least at [16384, 4]"), balance_claim("at neither end")
    results = eight(tmp_path, [2 * error for error in ERRORS])
    assert order(results).startswith("reproduced: rank correlation +1.00 with the paper's")
    assert place(results).startswith(
        "reproduced: the least mse is 0.00623 of [16384, 4]; 0.00735 of [512, 128], 0.0112"
    )
    (tmp_path / "falling").mkdir()
    falling = eight(tmp_path / "falling", [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    assert order(falling).startswith("refuted: ")
    assert place(falling).startswith("refuted: the least mse is 0.1 of [65536, 1]")


def test_an_order_needs_every_row_and_codebooks_that_are_in_use(tmp_path: Path) -> None:
    order = balance_claim("in the paper's order")
    assert order(Results(tmp_path / "none.jsonl")) == "not possible yet: not all of its rows are trained at one budget"
    results = eight(tmp_path, ERRORS, "10 %", 1, used=1.0)
    results.add(result(FIXED[0], 1, "10 %"))  # of a second seed alone
    collapsed = "not possible yet: 10 % of the training, in which 8 of 8 rows use fewer than 3 embeddings"
    assert order(results) == collapsed
    for experiment, error in zip(FIXED, ERRORS, strict=True):
        results.add(result(experiment, 1, "10 %", mse=error))
    assert order(results) == collapsed  # also where another seed has not


def test_trainings_that_are_too_short_for_a_claim_are_told_apart(tmp_path: Path) -> None:
    told = balance_claim("falls after the first 1,000 steps")(eight(tmp_path, ERRORS, "quick", 1))
    assert told == "not possible yet: its trainings are too short for this, or were measured without it"


def test_seeds_that_disagree_make_an_order_unclear(tmp_path: Path) -> None:
    results = eight(tmp_path, ERRORS, seeds=2)
    for experiment, error in zip(FIXED, ERRORS[::-1], strict=True):
        results.add(result(experiment, 2, mse=error))
    told = balance_claim("in the paper's order")(results)
    assert told.startswith("direction only: not clear of the spread of the seeds")
    assert told.endswith("so 2 of 3 seeds")


def course(results: Results, experiment: Experiment, *entries: dict[str, float], mse: float = 0.1) -> None:
    """Add a full training of one seed with a history."""
    results.add(result(experiment, mse=mse) | {"history": list(entries)})


def test_claims_on_the_course_of_a_training(tmp_path: Path) -> None:
    """Gradient gaps that grow, losses that fall with D, adaptive codebooks that go from the largest to the best."""
    results = Results(tmp_path / "results.jsonl")
    for at, experiment in enumerate(FIXED):
        end = {"step": 2.0, "gradient_gap": max(1.0, at - 4.0), "quantization_error": 8.0 - at}
        course(results, experiment, {"step": 0.0}, end, mse=ERRORS[at])
    adaptive = TABLES["balance-2"].row("adaptive").experiment
    shares = [{f"share_{codes}": float(codes == most) for codes, _ in presets_balance.SIZES} for most in (65536, 16384)]
    low = {"gradient_gap": 0.5, "quantization_error": 0.5}
    course(
        results, adaptive, {"step": 0.0} | shares[0], *({"step": 1.0} | low | part for part in shares), mse=0.41 / 157
    )
    assert balance_claim("falls with D")(results).startswith("direction only: losses 8, 7, 6, 5, 4, 3, 2, 1, rank corr")
    told = balance_claim("choose [65536, 1] early and [16384, 4] in the end")(results)
    assert told.startswith(
        "direction only: early [65536, 1] with 100% of the positions, at the end [16384, 4] with 100%"
    )
    assert balance_claim("quantization loss are low")(results).startswith("direction only: gradient_gap 0.5, of fixed")
    assert balance_claim("less error than the best")(results).startswith("direction only: -16%, of the paper -16%")
    rows = [results.get(experiment, "fashion-mnist", "full", 0) for experiment in FIXED]
    assert courses.gap_beyond(5)([row for row in rows if row]).right  # type: ignore[union-attr]
    assert not courses.gap_beyond(3)([row for row in rows if row]).right  # type: ignore[union-attr]


def test_choices_of_codebooks_are_drawn_where_a_history_has_them(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    results = Results(tmp_path / "results.jsonl")
    table = TABLES["balance-2"]
    course(results, table.row("fixed [16384, 4]").experiment, {"step": 0.0})
    assert not choices(table, "fashion-mnist", results, tmp_path / "choices.png")
    entry = {f"share_{codes}": 1 / 8 for codes, _ in presets_balance.SIZES}
    course(results, table.row("adaptive").experiment, {"step": 0.0} | entry, {"step": 9.0} | entry)
    assert choices(table, "fashion-mnist", results, tmp_path / "choices.png")
    assert (tmp_path / "choices.png").exists()


@pytest.mark.parametrize(("wrong", "right"), [(0, True), (3, True), (4, False)])
def test_signs_are_judged_by_the_chance_of_as_many(wrong: int, right: bool) -> None:
    """12 of 15 signs come by chance in 1.8 % of cases, 11 in 5.9 %."""
    labels = [str(number) for number in range(16)]
    rows = [{"metrics": {"mse": 1.0}}] + [{"metrics": {"mse": 2.0 if at >= wrong else 0.5}} for at in range(15)]
    finding = orders.signs(labels, [1.0] + [2.0] * 15)(rows)
    assert finding
    assert finding.right == right
    assert finding.told.startswith(f"{15 - wrong} of 15 signs")


def test_rank_correlation_knows_ties() -> None:
    assert orders.rank_correlation([1, 2, 3], [10, 20, 30]) == pytest.approx(1)
    assert orders.rank_correlation([1, 2, 3], [30, 20, 10]) == pytest.approx(-1)
    assert orders.rank_correlation([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(0.9487, abs=1e-4)
    assert orders.rank_correlation([1, 1, 1], [1, 2, 3]) == 0


def test_durations_are_compared_on_the_same_hardware_alone() -> None:
    def row(seconds: float, hardware: str = "a") -> dict[str, object]:
        return {"hardware": hardware, "seconds": seconds, "learning_steps": 10, "batch": 2}

    finding = courses.faster([row(8.0), row(10.0), row(16.0)])
    assert finding == orders.Finding(True, "0.80, 0.50 times as long")
    assert courses.faster([row(8.0), row(10.0, "b"), row(16.0)]) is None


def test_checks_of_the_readers_of_ll_vq_vae() -> None:
    rows = [{"metrics": {"used": used, "live_dimensions": 63.0}} for used in (20.0, 500.0)]
    assert orders.utilised([512, 512])(rows) == orders.Finding(True, "used / K 0.039, 0.98")
    assert orders.undegenerate(64)(rows) == orders.Finding(False, "degenerate dimensions 1, 1 of 64")
    assert orders.rising(["used"], [1, 2, 3, 4], -1)(rows * 2) == orders.Finding(
        False, "used 20, 500, 20, 500, rank correlation +0.45"
    )
    rows = [{"metrics": {"used": float(at), "parameters": 64.0, "mse": mse}} for at, mse in enumerate((8, 9, 9, 18))]
    opposite = orders.Finding(False, "used 0, 1, 2, 3, rank correlation -1.00, the opposite")
    assert orders.rising(["used"], [4, 3, 2, 1])(rows) == opposite
    assert orders.rising(["batch_used", "used"], [4, 3, 2, 1])(rows) == opposite  # earlier results lack the first
    assert orders.rising(["batch_used"], [4, 3, 2, 1])(rows) is None
    told = "mse 8, 9, 9, 18, parameters 64, 64, 64, 64"
    assert [orders.graceful(most)(rows) for most in (1.5, 2.0)] == [
        orders.Finding(right, told) for right in (False, True)
    ]


def test_the_total_loss_follows_from_its_parts() -> None:
    row = {"metrics": {"mse_forward": 0.0102, "codebook_loss": 0.0342}, "experiment": {"commitment": 0.25}}
    assert measured(row, "total_loss") == pytest.approx(0.0529, abs=1e-4)  # Table 3 of the rotation, test
    assert measured(row, "total_loss_train") is None

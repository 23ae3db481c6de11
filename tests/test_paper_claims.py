"""What results say of what a paper claims: of the order of rows, of the course of trainings, of choices."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from paper_rows import result

from latticecodec.lab.papers.experiment import Experiment
from latticecodec.lab.papers.page.plots import choices
from latticecodec.lab.papers.results import Results
from latticecodec.lab.papers.tables import TABLES, balance, rotation
from latticecodec.lab.papers.verdicts import counts, courses, orders
from latticecodec.lab.papers.verdicts.claims import CLAIMS
from latticecodec.lab.papers.verdicts.findings import Finding

FIXED = [row.experiment for row in TABLES["balance-1"].rows]
ERRORS = [balance.FIXED_ERRORS[pair][1] / 157 for pair in balance.SIZES]  # Fashion-MNIST


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


def test_adaptive_codebooks_are_held_against_the_best_that_was_measured(tmp_path: Path) -> None:
    """Whichever that is: here not the paper's best."""
    errors = [*ERRORS[:6], 0.3 / 157, ERRORS[7]]
    results = eight(tmp_path, errors)
    for seed in range(3):
        results.add(result(TABLES["balance-2"].row("adaptive").experiment, seed, mse=0.41 / 157))
    assert "+37%, of the paper -16%" in balance_claim("less error than the best")(results)


def test_the_place_of_the_optimum_is_judged_apart_from_numbers(tmp_path: Path) -> None:
    """Twice the paper's errors are in its order; errors that fall to the end have their least outside."""
    order, place = balance_claim("in the paper's order, the least at [16384, 4]"), balance_claim("at neither end")
    results = eight(tmp_path, [2 * error for error in ERRORS])
    assert order(results).startswith("reproduced: rank correlation +1.00 with the paper's")
    assert place(results).startswith(
        "direction only: by chance in 42 % of cases, the least mse is 0.00623 of [16384, 4]; 0.00735 of [512, 128], 0."
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
    assert told.startswith("direction only: the seeds disagree, rank correlation +1.00")
    assert told.endswith("so 2 of 3 seeds")


def test_seeds_half_of_which_show_it_do_not(tmp_path: Path) -> None:
    results = eight(tmp_path, ERRORS, seeds=2)
    for seed in (2, 3):
        for experiment, error in zip(FIXED, ERRORS[::-1], strict=True):
            results.add(result(experiment, seed, mse=error))
    told = balance_claim("in the paper's order")(results)
    assert told.startswith("not possible: the seeds disagree")
    assert told.endswith("so 2 of 4 seeds")


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
    shares = [{f"share_{codes}": float(codes == most) for codes, _ in balance.SIZES} for most in (65536, 16384)]
    low = {"gradient_gap": 0.5, "quantization_error": 0.5}
    course(
        results, adaptive, {"step": 0.0} | shares[0], *({"step": 1.0} | low | part for part in shares), mse=0.41 / 157
    )
    assert balance_claim("falls with D")(results).startswith("direction only: losses 8, 7, 6, 5, 4, 3, 2, 1, rank corr")
    told = balance_claim("choose [65536, 1] early and [16384, 4] in the end")(results)
    assert told.startswith(
        "direction only: at step 1 [65536, 1] with 100% of the positions, at the end [16384, 4] with 100%, 1 of 1 rows"
    )
    assert balance_claim("are low: at most the median")(results).startswith(
        "direction only: gradient_gap 0.5, of fixed"
    )
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
    entry = {f"share_{codes}": 1 / 8 for codes, _ in balance.SIZES}
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
    def row(seconds: float, hardware: str = "a", networks: str = "float32") -> dict[str, object]:
        return {"hardware": hardware, "networks": networks, "seconds": seconds, "learning_steps": 10, "batch": 2}

    finding = courses.faster([row(8.0), row(10.0), row(16.0)])
    assert (finding.right, finding.told) == (True, "0.80, 0.50 times as long")  # type: ignore[union-attr]
    slower = courses.faster([row(8.0), row(10.0), row(4.0)])
    assert (slower.right, slower.told) == (False, "0.80, 2.00 times as long")  # type: ignore[union-attr]
    assert courses.faster([row(8.0), row(10.0, "b"), row(16.0)]) is None
    assert courses.faster([row(8.0, networks="bfloat16"), row(10.0), row(16.0)]) is None
    earlier = [{name: value for name, value in row(8.0).items() if name != "networks"} for _ in range(2)]
    assert courses.faster(earlier) == Finding(False, "1.00 times as long", (0.0,))


def test_checks_of_the_readers_of_ll_vq_vae() -> None:
    rows = [{"metrics": {"used": used, "live_dimensions": 63.0}} for used in (20.0, 500.0)]
    assert counts.utilised([512, 512])(rows) == Finding(True, "used / K 0.039, 0.98")
    assert counts.utilised([512] * 3)([*rows, {"metrics": {"used": 100.0}}]) == Finding(
        False, "used / K 0.039, 0.98, 0.2"
    )
    assert counts.undegenerate(64)(rows) == Finding(False, "degenerate dimensions 1, 1 of 64")
    near, far = (counts.about(512, 2.0)(part) for part in (rows[1:], rows))
    assert (near.right, near.told) == (True, "used 500, K = 512")  # type: ignore[union-attr]
    assert (far.right, far.told) == (False, "used 20, K = 512")  # type: ignore[union-attr]
    rows = [{"metrics": {"used": float(at), "parameters": 64.0, "mse": mse}} for at, mse in enumerate((8, 9, 9, 18))]
    told = "mse 8, 9, 9, 18, parameters 64, 64, 64, 64"
    assert [counts.graceful(most)(rows) for most in (1.5, 2.0)] == [Finding(right, told) for right in (False, True)]
    rows[1]["metrics"]["parameters"] = 65.0
    assert counts.graceful(2.0)(rows) == Finding(False, "mse 8, 9, 9, 18, parameters 64, 65, 64, 64")


def test_orders_by_rank_correlation() -> None:
    """The critical value itself, 0.9 of five rows, shows an order."""
    rows = [{"metrics": {"used": float(used)}} for used in (1, 2, 3, 5, 4)]
    assert orders.rising(["used"], [1, 2, 3, 4, 5])(rows) == Finding(True, "used 1, 2, 3, 5, 4, rank correlation +0.90")
    opposite = Finding(False, "used 1, 2, 3, 5, 4, rank correlation -0.90, the opposite")
    assert orders.rising(["used"], [5, 4, 3, 2, 1])(rows) == opposite
    assert orders.rising(["batch_used", "used"], [5, 4, 3, 2, 1])(rows) == opposite  # earlier results lack the first
    assert orders.rising(["batch_used"], [5, 4, 3, 2, 1])(rows) is None


def test_every_order_that_a_paper_prints_is_one_that_it_could_reproduce() -> None:
    """Also where its numbers are equal, as the reconstruction losses of higher betas."""
    printed = [test[1] for _, _, test in rotation.SWEEP]
    rows = [{"metrics": {"mse_forward": value}} for value in printed]
    (claim,) = [orders.in_printed_order("mse_forward", printed)(rows)]
    assert claim
    assert claim.right
    assert not orders.rising(["mse_forward"], [beta for beta, *_ in rotation.SWEEP])(rows).right  # type: ignore[union-attr]


def test_a_lattice_grows_denser_by_its_own_points() -> None:
    """However many embeddings an encoder that has not learned gives."""
    history = [{"used": 2.0, "density": 0.25}, {"used": 200.0, "density": 0.2}]
    sparser, denser = (courses.denser([{"history": looks}]) for looks in (history, history[::-1]))
    assert (sparser.right, sparser.told) == (False, "points in a unit of length 0.25 to 0.2")  # type: ignore[union-attr]
    assert (denser.right, denser.told) == (True, "points in a unit of length 0.2 to 0.25")  # type: ignore[union-attr]
    assert courses.denser([{"history": [{"used": 2.0}, {"used": 3.0}]}]) is None

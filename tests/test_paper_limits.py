"""What findings take for right: their limits, on rows by hand."""

import pytest

from latticecodec.lab.papers.verdicts import courses, orders
from latticecodec.lab.papers.verdicts.findings import Finding


def test_a_choice_must_begin_at_the_codebook_of_most_codewords() -> None:
    sizes = [(4, 16), (16, 4), (64, 1)]
    names = [f"share_{codes}" for codes, _ in sizes]

    def at(step: int, chosen: int) -> dict[str, float]:
        return {"step": float(step)} | {name: float(index == chosen) for index, name in enumerate(names)}

    found = [
        courses.chosen(1, sizes)([{"history": [at(0, 0), at(1, early), at(2, late)]}])
        for early, late in ((2, 1), (1, 1), (2, 0))
    ]
    assert [finding.right for finding in found if finding] == [True, False, False]


def test_low_is_at_most_the_median_of_the_others() -> None:
    def right(gap: float, loss: float = 1.0) -> bool:
        """Of a first row of this gap and loss, beside gaps of 1, 2 and 4 and losses of 1."""
        ends = [(gap, loss), (1.0, 1.0), (2.0, 1.0), (4.0, 1.0)]
        rows = [{"history": [{"gradient_gap": gap, "quantization_error": loss}]} for gap, loss in ends]
        finding = courses.both_low(rows)
        assert finding
        return finding.right

    assert [right(2.0), right(3.0), right(2.0, loss=1.5)] == [True, False, False]


def test_a_gap_that_is_not_level_before_the_best_does_not_grow_beyond_it() -> None:
    """By a factor of 2 beyond, where gaps up to the best differ by 5."""
    rows = [{"history": [{"gradient_gap": gap}]} for gap in (1.0, 5.0, 1.0, 2.0)]
    finding = courses.gap_beyond(2)(rows)
    assert finding == Finding(False, "gaps 1, 5, 1, then 2")


def test_a_gap_falls_where_it_does_in_every_row() -> None:
    def row(*gaps: float) -> dict[str, object]:
        return {"history": [{"step": 500.0 * at, "gradient_gap": gap} for at, gap in enumerate(gaps)]}

    falling, rising = row(1.0, 9.0, 5.0, 4.0), row(9.0, 8.0, 3.0, 4.0)  # from the step 1000 on
    assert courses.falls(1000)([falling, falling]) == Finding(True, "falls in 2 of 2 rows")
    assert courses.falls(1000)([falling, rising]) == Finding(False, "falls in 1 of 2 rows")


@pytest.mark.parametrize(
    ("rows", "critical", "below"), [(5, 9 / 10, 8 / 10), (6, 29 / 35, 27 / 35), (8, 9 / 14, 13 / 21)]
)
def test_an_order_is_one_from_the_critical_value_on(rows: int, critical: float, below: float) -> None:
    """Spearman's at 5 %, one-sided, and the next lower value that so many rows can have."""
    assert orders.ordered(critical, rows)
    assert not orders.ordered(below, rows)


def test_the_least_must_be_that_of_the_paper_too() -> None:
    """Two rows that changed places leave the order one, +0.98, but not the best row."""
    labels, printed = [str(number) for number in range(8)], [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 1.0, 2.0]
    rows = [{"metrics": {"mse": mse}} for mse in (*printed[:6], 2.0, 1.0)]
    told = "rank correlation +0.98 with the paper's, the least mse is that of 7"
    assert orders.as_printed(labels, printed)(rows) == Finding(False, told)


@pytest.mark.parametrize(("mse", "right"), [(0.86, True), (0.88, False), (1.1, False)])
def test_an_error_is_below_by_the_share_that_is_asked_for(mse: float, right: bool) -> None:
    finding = orders.below_by(0.13, -0.16)([{"metrics": {"mse": error}} for error in (mse, 1.2, 1.0)])
    assert finding
    assert finding.right == right

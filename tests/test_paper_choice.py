"""Adaptive codebooks of which one alone is chosen are one codebook, and show nothing of a choice."""

from pathlib import Path

import pytest
from paper_rows import result

from latticecodec.lab.papers.experiment import Experiment
from latticecodec.lab.papers.results import Result, Results, measured
from latticecodec.lab.papers.tables import TABLES, balance
from latticecodec.lab.papers.verdicts.claims import CLAIMS
from latticecodec.lab.papers.verdicts.equal_rate import RATE_CLAIMS
from latticecodec.lab.papers.verdicts.rows import verdict

FIXED = [row.experiment for row in TABLES["balance-1"].rows]
ADAPTIVE = TABLES["balance-2"].row("adaptive").experiment
ABLATIONS = [row.experiment for row in TABLES["balance-3"].rows]
FASHION = "fashion-mnist"


def chosen(experiment: Experiment, share: float, budget: str = "10 %", seed: int = 0, **metrics: float) -> Result:
    """A result whose training ends with that share of the positions at one of two codebooks."""
    look = {"step": 9.0, "used": 9.0, "gradient_gap": 0.1, "quantization_error": 0.1}
    shares = {"share_65536": share, "share_16384": 1 - share}
    early = {"share_65536": 0.5, "share_16384": 0.5}
    return result(experiment, seed, budget, **metrics) | {"history": [look | early, look | shares]}


def fixed(results: Results, budget: str = "10 %", seed: int = 0) -> None:
    look = {"step": 9.0, "used": 9.0, "gradient_gap": 0.2, "quantization_error": 0.2}
    for experiment in FIXED:
        results.add(result(experiment, seed, budget, mse=0.2) | {"history": [look]})


def test_the_share_of_the_codebook_that_is_chosen_most_is_that_of_the_end() -> None:
    assert measured(chosen(ADAPTIVE, 0.7), "top_share") == 0.7
    assert measured(chosen(ADAPTIVE, 0.2), "top_share") == 0.8
    assert measured(result(FIXED[0]), "top_share") is None


def test_gap_and_loss_are_not_low_by_adaptive_codebooks_of_which_one_is_chosen(tmp_path: Path) -> None:
    (claim,) = [claim for claim in CLAIMS if "at most the median" in claim.text and claim.data == FASHION]
    for share, budget, begins in (
        (0.98, "10 %", "direction only: 10 % of the training, gradient_gap 0.1, of fixed"),
        (1.0, "10 %", "not possible yet: 10 % of the training, gradient_gap 0.1, of fixed"),
        (0.98, "full", "reproduced: gradient_gap 0.1"),
        (1.0, "full", "direction only: gradient_gap 0.1"),
    ):
        results = Results(tmp_path / f"{share}-{budget}.jsonl")
        for seed in range(3 if budget == "full" else 1):
            fixed(results, budget, seed)
            results.add(chosen(ADAPTIVE, share, budget, seed))
        told = claim.verdict(results, FASHION)
        assert told.startswith(begins)
        assert ("1 of 9 rows with one codebook alone" in told) == (share > 0.99)


def test_signs_say_in_how_many_rows_one_codebook_is_chosen(tmp_path: Path) -> None:
    (claim,) = [claim for claim in CLAIMS if "each change of Table 3" in claim.text and claim.data == FASHION]
    errors = [balance.BASE_ERRORS, *(numbers for _, _, numbers in balance.CHANGES)]
    signs = "15 of 15 signs"
    for collapsed, told in (
        (0, f"direction only: 10 % of the training, {signs}"),
        (10, f"not possible yet: 10 % of the training, {signs}, 10 of 16 rows with one codebook alone"),
    ):
        results = Results(tmp_path / f"{collapsed}.jsonl")
        for at, experiment in enumerate(ABLATIONS):
            results.add(chosen(experiment, 1.0 if at < collapsed else 0.6, mse=errors[at][1]))
        assert claim.verdict(results, FASHION) == told


def test_rows_of_which_one_codebook_is_chosen_say_so(tmp_path: Path) -> None:
    table = TABLES["balance-3"]
    row = table.row("alpha = 5")
    for shares, words in (
        ((0.6, 0.6), "direction only: 10 % of the training, mse 0.3 against 0.2 of Base; of"),
        (
            (1.0, 0.6),
            "not possible yet: 10 % of the training, mse 0.3 against 0.2 of Base, one of them with one codebook alone",
        ),
        (
            (1.0, 1.0),
            "not possible yet: 10 % of the training, mse 0.3 against 0.2 of Base, both with one codebook alone; of",
        ),
    ):
        results = Results(tmp_path / f"{shares}.jsonl")
        results.add(chosen(ABLATIONS[0], shares[0], mse=0.2))
        results.add(chosen(row.experiment, shares[1], mse=0.3))
        assert verdict(table, row, FASHION, results).startswith(words)


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.7, "direction only: 10 % of the training, +1.00 dB at equal rate, mean of 1 points"),
        (
            1.0,
            "not possible yet: 10 % of the training, +1.00 dB at equal rate, mean of 1 points, 1 of ours with one "
            "codebook alone",
        ),
    ],
)
def test_at_equal_rate_one_codebook_alone_is_no_gain_of_a_choice(tmp_path: Path, share: float, told: str) -> None:
    """And the comparison is with adaptive codebooks of the same network, weights and capacity alone."""
    (claim,) = [
        claim
        for claim in RATE_CLAIMS
        if claim.text == "adaptive codebooks have less error than fixed ones" and claim.data == FASHION
    ]
    results = Results(tmp_path / "results.jsonl")
    for experiment, bpp, psnr in ((FIXED[0], 0.1, 20.0), (FIXED[5], 0.4, 24.0)):
        results.add(result(experiment, budget="10 %", bpp=bpp, psnr=psnr))
    for other in ABLATIONS[1:]:  # other networks, weights, capacities
        results.add(chosen(other, 0.5, bpp=0.2, psnr=40.0))
    results.add(chosen(ADAPTIVE, share, bpp=0.2, psnr=23.0))
    assert claim.verdict(results, FASHION) == told

"""What several rows show over seeds, and what is said where no paper claims it."""

from pathlib import Path

import pytest
from paper_rows import result

from latticecodec.lab.papers.results import Results, measured
from latticecodec.lab.papers.tables import TABLES
from latticecodec.lab.papers.verdicts.claims import CHECKS, CLAIMS
from latticecodec.lab.papers.verdicts.equal_rate import RATE_CLAIMS
from latticecodec.lab.papers.verdicts.findings import Finding, judged
from latticecodec.lab.papers.verdicts.rows import OPPOSITE, verdict

FASHION = "fashion-mnist"
LL5 = TABLES["ll-5"]


def over(folder: Path, findings: list[Finding]) -> str:
    """The verdict on a statement of which each seed of a full training gives one of these."""
    results = Results(folder / "results.jsonl")
    experiment = LL5.rows[0].experiment
    for seed in range(len(findings)):
        results.add(result(experiment, seed))
    waiting = iter(findings)
    return judged(results, [experiment], FASHION, lambda rows: next(waiting))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((0.10, 0.11, 0.12), "reproduced: a with seed 0; all 3 seeds agree"),
        ((0.01, 0.02, 0.30), "direction only: not clear of the spread of the seeds, a with seed 0; all 3 seeds agree"),
        ((-0.10, -0.11, -0.12), "refuted: a with seed 0; all 3 seeds agree"),
        ((-0.01, -0.02, -0.3), "not possible: not clear of the spread of the seeds, a with seed 0; all 3 seeds agree"),
        ((-0.01, 0.2, 0.3), "direction only: not clear of the spread of the seeds, a with seed 0; so 2 of 3 seeds"),
    ],
)
def test_quantities_are_tested_and_not_counted(tmp_path: Path, values: tuple[float, ...], told: str) -> None:
    """Three seeds of three come by chance in one case of eight."""
    assert over(tmp_path, [Finding(value > 0, "a", (value,)) for value in values]) == told


def test_all_of_several_quantities_must_be_clear(tmp_path: Path) -> None:
    clear, unclear = (0.10, 0.11, 0.12), (0.01, 0.02, 0.30)
    found = [Finding(True, "a", pair) for pair in zip(clear, unclear, strict=True)]
    assert over(tmp_path, found).startswith("direction only: not clear of the spread of the seeds, a")


@pytest.mark.parametrize(
    ("right", "chance", "begins"),
    [
        ((True, True, True), 0.0, "reproduced: a with seed 0; all 3 seeds agree"),
        ((True, True, False), 0.0, "direction only: the seeds disagree, a with seed 0; so 2 of 3 seeds"),
        ((False, False, True), 0.0, "not possible: the seeds disagree, a with seed 0; so 1 of 3 seeds"),
        ((False, False, False), 0.75, "refuted: a with seed 0; all 3 seeds agree"),
        ((True, True, True), 0.75, "direction only: by chance in 42 % of cases, a with seed 0; all 3 seeds agree"),
        ((True, True, True), 0.25, "reproduced: a"),
    ],
)
def test_agreement_is_called_agreement(tmp_path: Path, right: tuple[bool, ...], chance: float, begins: str) -> None:
    assert over(tmp_path, [Finding(each, "a", chance=chance) for each in right]).startswith(begins)


def test_seconds_that_vary_are_not_clearly_fewer(tmp_path: Path) -> None:
    (claim,) = [claim for claim in CLAIMS if "faster" in claim.text and claim.data == FASHION]
    lattice, plain = (LL5.row(label).experiment for label in ("LL-VQ-VAE", "VQ-VAE"))
    for ratios, begins in (
        ((0.85, 0.86, 0.87), "reproduced: 0.85 times as long"),
        ((0.60, 0.98, 0.99), "direction only: not clear of the spread of the seeds, 0.60 times as long"),
    ):
        results = Results(tmp_path / f"{ratios}.jsonl")
        for seed, ratio in enumerate(ratios):
            results.add(result(lattice, seed) | {"seconds": 10 * ratio})
            results.add(result(plain, seed) | {"seconds": 10.0})
        assert claim.verdict(results, FASHION).startswith(begins)


@pytest.mark.parametrize(
    ("moving", "right", "told"),
    [
        (68.0, False, "17 in a batch are 37,196 in an epoch; used 9 by index, K = 512"),
        (4.0, False, "1 in a batch are 2,188 in an epoch; used 9 by index, K = 512"),
        (160.0, True, "40 in a batch are 87,520 in an epoch; used 9 by index, K = 512"),
    ],
)
def test_moving_codewords_are_counted_for_the_epoch_of_the_paper(
    tmp_path: Path, moving: float, right: bool, told: str
) -> None:
    """4 batches of 32 out of 100 faces stand for the 2,188 of 70,000: one live codeword is no explosion."""
    row = TABLES["ll-2"].row("VQ-VAE (EMA)")
    (claim,) = [claim for claim in CLAIMS if "explodes" in claim.text and claim.data == "faces-128"]
    assert "some 87,982 embeddings in an epoch of 2,188 batches" in claim.text
    measured_so = result(row.experiment, 0, "10 %", "faces-128", used=9.0, used_moving=moving)
    results = Results(tmp_path / "results.jsonl")
    results.add(measured_so | {"settings": {"fit_pictures": 10_000}})
    verdicts = {True: "direction only: 10 % of the training", False: "not possible yet: 10 % of the training does not"}
    assert claim.verdict(results, "faces-128").startswith(verdicts[right])
    assert told in claim.verdict(results, "faces-128")
    assert measured(measured_so, "used_epoch") is None  # of how many pictures is not said


@pytest.mark.parametrize(("budget", "batches"), [(256, 4), (10_000, 157), (60_000, 938)])
def test_a_count_of_the_papers_own_epoch_is_that_of_moving_codewords(budget: int, batches: int) -> None:
    """In a data set that is all there the count grows with the batches of the budget."""
    experiment = LL5.row("VQ-VAE (EMA)").experiment
    found = result(experiment, used_moving=3.0 * batches) | {"settings": {"fit_pictures": budget}}
    assert measured(found, "used_epoch") == pytest.approx(3.0 * 938)


def test_what_no_paper_claims_is_not_refuted(tmp_path: Path) -> None:
    """Rows that the paper lacks, checks of its readers and our claims at equal rate."""
    results = Results(tmp_path / "results.jsonl")
    for end in ("", ", constant rate"):
        for label, mse in ((f"LL-VQ-VAE{end}", 0.3), (f"VQ-VAE{end}", 0.1)):
            for seed in range(3):
                metrics = {"mse": mse + seed / 100, "used": 20.0 - mse, "perplexity": 9.0 - mse}
                results.add(result(LL5.row(label).experiment, seed, **metrics))
    told = [verdict(LL5, LL5.row(label), FASHION, results) for label in ("LL-VQ-VAE", "LL-VQ-VAE, constant rate")]
    assert told[0].startswith("refuted: mse 0.31")
    assert told[1].startswith(f"{OPPOSITE}: mse 0.31")
    asked = [claim.verdict(results, claim.data) for claim in (*CHECKS, *RATE_CLAIMS)]
    assert any(text.startswith(f"{OPPOSITE}: used 19.7") for text in asked)
    assert not any("refuted" in text for text in asked)


def test_released_weights_have_no_seeds_and_the_papers_column_their_files_numbers(tmp_path: Path) -> None:
    table = TABLES["ll-released"]
    results = Results(tmp_path / "results.jsonl")
    results.add(result(table.row("VQ-VAE").experiment, mse=0.013, used=17.0))
    assert verdict(table, table.row("VQ-VAE"), FASHION, results) == "reproduced: mse 0.013 for 0.013, used 17 for 17"
    embeddings = {row.label: row.published.get((FASHION, "used")) for row in table.rows}
    assert embeddings == {"VQ-VAE": 17, "VQ-VAE (EMA)": 201, "LL-VQ-VAE": 457, "LL-VQ-VAE (dense)": None}
    assert any("JSON files beside the weights" in remark for remark in table.remarks)


def test_a_training_improves_from_its_first_epoch_on(tmp_path: Path) -> None:
    """Total loss, reconstruction loss and perplexity of Large against Initial, which Table 2 prints."""
    (claim,) = [claim for claim in CLAIMS if claim.text.startswith("training lowers")]
    rows = [TABLES["rotation-2"].row(f"{name}, K = 1024").experiment for name in ("Initial", "Large")]
    numbers = ((0.04, 0.045, 18.0), (0.008, 0.026, 317.0))
    results = Results(tmp_path / "results.jsonl")
    for experiment, (error, loss, perplexity) in zip(rows, numbers, strict=True):
        metrics = {"mse_forward_train": error, "codebook_loss_train": loss, "batch_perplexity_train": perplexity}
        results.add(result(experiment, 0, "10 %", "cifar10", **metrics))
    told = "total_loss_train 0.0405 against 0.0963, mse_forward_train 0.008 against 0.04, batch_perplexity_train 317 "
    assert claim.verdict(results, "cifar10").startswith(f"direction only: 10 % of the training, {told}")

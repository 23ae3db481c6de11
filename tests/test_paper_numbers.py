"""Presets and page hold every number that the papers print: `paper_tables.json` is typed off their tables."""

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from latticecodec.lab.papers.page.page import page_text
from latticecodec.lab.papers.results import Results, key
from latticecodec.lab.papers.tables import TABLES
from latticecodec.lab.papers.tables.balance import DATA, passes

ROOT = Path(__file__).parent.parent
PRINTED = json.loads((ROOT / "tests" / "paper_tables.json").read_text())
PAGE = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
STAND_INS = {"2": "faces-128", "4": "faces-64", "5": "fashion-mnist"}  # tables of LL-VQ-VAE
LOSSES = ("total_loss", "mse_forward", "codebook_loss", "batch_perplexity")


def cells(table: str, label: str, data: str) -> str:
    """What the page has as the paper's numbers of a row."""
    section = PAGE.split(f"## {table}: ")[1].split("\n## ")[0]
    (line,) = [line for line in section.splitlines() if line.startswith(f"| {label} | {data} | ")]
    return line.split(" | ")[2]


def test_no_cell_is_empty() -> None:
    assert [line for line in PAGE.splitlines() if line.startswith("|") and re.search(r"\|\s*\|", line)] == []


def check(table: str, label: str, data: str, numbers: dict[str, float | None]) -> None:
    """The presets' numbers of a row are these, and the page prints each behind its name."""
    published = {metric: value for (name, metric), value in TABLES[table].row(label).published.items() if name == data}
    expected = {metric: value for metric, value in numbers.items() if value is not None}
    assert published == pytest.approx(expected)
    told = dict(cell.rsplit(" ", 1) for cell in cells(table, label, data).split(", "))
    found = {metric: float(value.replace(",", "")) for metric, value in told.items()}
    calculated = {"time"} | ({"mse"} if any(metric.startswith("error") for metric in numbers) else set())
    assert {metric: found[metric] for metric in found if metric not in calculated} == {
        metric: value for metric, value in expected.items() if metric not in calculated
    }
    assert found == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("table", STAND_INS)
def test_ll_vq_vae(table: str) -> None:
    data, columns = STAND_INS[table], PRINTED["ll-vq-vae"][f"table {table}"]
    unit = columns["columns"][-1]
    for label, row in columns["rows"].items():
        *size, error, used, duration = row
        numbers = {
            "mse": error,
            "used_epoch" if "EMA" in label else "used": used,
            f"{unit} (printed)": duration,
            "time": duration / columns["rows"]["VQ-VAE"][-1],
        }
        check(f"ll-{table}", label, data, numbers | ({"parameters (printed)": size[0]} if size else {}))


def test_ll_vq_vae_ranges() -> None:
    for interval, gamma, codes, error, used in PRINTED["ll-vq-vae"]["table 3"]["rows"]:
        numbers = {"target K (printed)": codes, "mse": error, "used": used}
        check("ll-3", f"faces: range {interval}, gamma {gamma}", "faces-128", numbers)


def test_released_weights_stand_beside_the_printed_errors() -> None:
    for label, row in PRINTED["ll-vq-vae"]["table 5"]["rows"].items():
        assert TABLES["ll-released"].row(label).published["fashion-mnist", "mse"] == row[0]
        assert f"mse {row[0]}" in cells("ll-released", label, "fashion-mnist")


NAMES = {
    "W = 32786": "W = 32768",
    "Without EMA": "without EMA",
    "alpha = 1.0": "alpha = 1",
    "CNN + Inception": "CNN and Inception",
}
BATCHES = {"mnist": 157, "fashion-mnist": 157, "cifar10": 157, "tiny-imagenet": 417, "diabetic-retinopathy": 250}
BATCHES |= {"celeba": 320}


@pytest.mark.parametrize(("table", "name"), [("table 1", "balance-1"), ("table 3", "balance-3")])
def test_balance(table: str, name: str) -> None:
    for label, row in PRINTED["balance"][table]["rows"].items():
        for data, error in zip(DATA, row, strict=True):
            numbers = {f"error (printed sum of {BATCHES[data]} batches)": error, "mse": error / BATCHES[data]}
            check(name, NAMES.get(label, label), data, numbers)


def test_balance_of_adaptive_codebooks() -> None:
    rows = PRINTED["balance"]["table 2"]["rows"]
    for data, best, adaptive in zip(DATA, rows["best fixed codebook"], rows["adaptive codebooks"], strict=True):
        (fixed,) = [row.label for row in TABLES["balance-2"].rows if row.label.startswith("fixed") and data in row.data]
        for label, error in ((fixed, best), ("adaptive", adaptive)):
            numbers = {f"error (printed sum of {BATCHES[data]} batches)": error, "mse": error / BATCHES[data]}
            check("balance-2", label, data, numbers)


def test_the_best_fixed_codebook_is_that_of_the_paper() -> None:
    labels = {data: row.label for row in TABLES["balance-2"].rows if row.label.startswith("fixed") for data in row.data}
    others = dict.fromkeys(("fashion-mnist", "cifar10", "tiny-imagenet", "celeba"), "fixed [16384, 4]")
    assert labels == others | {"mnist": "fixed [32768, 2]", "diabetic-retinopathy": "fixed [8192, 8]"}


def test_a_sum_over_batches_is_an_error_of_pictures() -> None:
    """0.503 of CIFAR-10 is 24.9 dB of pixels from 0 to 1."""
    assert passes("cifar10") == 157
    mse = TABLES["balance-1"].row("[16384, 4]").published["cifar10", "mse"]
    assert mse == pytest.approx(10**-2.49, rel=0.02)


def test_rotation() -> None:
    for label, row in PRINTED["rotation"]["table 2"]["rows"].items():
        (ours,) = [name.label for name in TABLES["rotation-2"].rows if name.label.lower().startswith(f"{label},")]
        check("rotation-2", ours, "cifar10", {f"{name}_train": value for name, value in zip(LOSSES, row, strict=True)})
    for beta, row in PRINTED["rotation"]["table 3"]["rows"].items():
        names = [*(f"{name}_train" for name in LOSSES), *LOSSES]
        check("rotation-3", f"beta {float(beta):g}", "cifar10", dict(zip(names, row, strict=True)))


def test_every_committed_result_belongs_to_a_row() -> None:
    """Results of networks, losses or settings that the tables no longer have are not on the page."""
    results = Results(ROOT / "docs" / "papers" / "results.jsonl")
    known = {
        key(row.on(data), data, budget, seed)
        for table in TABLES.values()
        for row in table.rows
        for data in row.data
        for budget in results.budgets()
        for seed in results.seeds()
    }
    assert results.known.keys() <= known


def test_the_page_is_what_its_results_say() -> None:
    """But for the pictures: `lcodec reproduce render --out docs/papers/results.jsonl --page docs/papers.md`."""
    results, page = Results(ROOT / "docs" / "papers" / "results.jsonl"), ROOT / "docs" / "papers.md"
    rendered, _ = page_text(results, page, defaultdict(list) | {"": [Path("rate-distortion.png")]})
    assert _without_pictures(rendered) == _without_pictures(PAGE)


def test_results_of_before_a_field_was_there_are_shown(tmp_path: Path) -> None:
    """Here of what type the networks train in."""
    earlier = json.loads((ROOT / "docs" / "papers" / "results.jsonl").read_text().splitlines()[0])
    del earlier["networks"]
    file = tmp_path / "results.jsonl"
    file.write_text(json.dumps(earlier) + "\n")
    assert page_text(Results(file), tmp_path / "papers.md", defaultdict(list))[1] == 1


def _without_pictures(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("![")]

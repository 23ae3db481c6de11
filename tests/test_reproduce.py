"""`lcodec reproduce`: lists, trains, renders, refuses."""

import importlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import lcodec
from paper_rows import KINDS, result

from latticecodec.errors import OutputError
from latticecodec.lab.papers.experiment import part as budget_of
from latticecodec.lab.papers.page.page import check_page
from latticecodec.lab.papers.results import Results
from latticecodec.lab.papers.tables import TABLES

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_command_lists_trains_resumes_and_renders(
    small_fashion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    listed = json.loads(lcodec("reproduce", "list", "--data", small_fashion, "--json").stdout)
    assert listed["tables"][0]["table"] == "ll-2"
    assert any(line.startswith("mnist: neither") for line in listed["missing"])
    importlib.import_module("latticecodec.lab.papers.page.page")  # whose claims are of all rows
    short = replace(
        TABLES["ll-gamma"], rows=tuple(replace(row, experiment=KINDS["lattice"]) for row in TABLES["ll-gamma"].rows[:1])
    )
    monkeypatch.setitem(TABLES, "ll-gamma", short)
    out = tmp_path / "results.jsonl"
    done = lcodec("reproduce", "ll-gamma", "--data", small_fashion, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)) == 1
    assert [path.suffix for path in (tmp_path / "results-pictures").iterdir()] == [".png"]
    again = lcodec("reproduce", "ll-gamma", "--data", small_fashion, "--out", out, "--json")
    assert json.loads(again.stdout) == []
    page = tmp_path / "docs" / "papers.md"
    assert lcodec("reproduce", "render", "--out", out, "--page", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "| gamma 0.001 | fashion-mnist | none | mse " in text
    assert (page.parent / "papers" / "ll-gamma-fashion-mnist.png").exists()
    done = lcodec("reproduce", "render", "--out", out, "--page", page, "--json")  # in place of its own
    assert json.loads(done.stdout) == {"page": str(page), "measured": 1}
    page.write_text("My notes")
    done = lcodec("reproduce", "ll-gamma", "--data", small_fashion, "--seed", 1, "--out", out, "--page", page)
    assert (done.exit_code, len(Results(out).known)) == (1, 1)
    assert page.read_text() == "My notes"


def test_a_file_of_another_kind_is_no_file_of_results(tmp_path: Path) -> None:
    """Not even one of a single line without an end, as a result is that was being written."""
    (tmp_path / "diary.txt").write_text("Dear diary")
    with pytest.raises(OutputError, match=r"diary\.txt: line 1 is not a result of lcodec reproduce"):
        Results(tmp_path / "diary.txt")
    assert (tmp_path / "diary.txt").read_text() == "Dear diary"
    (tmp_path / "results.jsonl").write_text('{"key": "0123456789abcdef", "tab')
    assert Results(tmp_path / "results.jsonl").known == {}


def test_what_the_command_refuses(small_fashion: Path, tmp_path: Path) -> None:
    assert lcodec("reproduce", "list", "ll-5").exit_code == 2
    for word, option in (("list", "--quick"), ("list", "--out"), ("render", "--full"), ("render", "--data")):
        value = [] if option in ("--quick", "--full") else [tmp_path / "new"]
        refused = lcodec("reproduce", word, option, *value)
        assert (refused.exit_code, f"no use for {option};" in refused.stderr) == (2, True), refused.stderr
    missing_data = lcodec("reproduce", "rotation-3", "--data", small_fashion, "--out", tmp_path / "x.jsonl")
    assert missing_data.exit_code == 1
    assert "see lcodec reproduce list" in missing_data.stderr
    assert not (tmp_path / "x.jsonl").exists()
    both = lcodec("reproduce", "ll-5", "--data", small_fashion, "--out", tmp_path / "papers.md")
    assert (both.exit_code, "would be both the file of results and the page" in both.stderr) == (1, True)
    assert lcodec("reproduce", "ll-5", "--seed", 2**32, "--data", small_fashion).exit_code == 2
    nothing = lcodec("reproduce", "render", "--out", tmp_path / "x.jsonl")
    assert (nothing.exit_code, "no results to render" in nothing.stderr) == (1, True)


def test_budgets_exclude_each_other_and_the_longest_counts(small_fashion: Path, tmp_path: Path) -> None:
    assert lcodec("reproduce", "ll-5", "--full", "--share", "0.1", "--data", small_fashion).exit_code == 2
    assert lcodec("reproduce", "ll-5", "--share", "1", "--data", small_fashion).exit_code == 2
    results = Results(tmp_path / "results.jsonl")
    for budget in ("quick", "10 %", "2.5 %"):
        results.add(result(KINDS["vq"], budget=budget))
    assert results.budgets() == ["10 %", "2.5 %", "quick"]
    assert results.of(KINDS["vq"], "fashion-mnist")[0] == budget_of(0.1).name == "10 %"


def test_a_run_that_ended_before_its_page_goes_on(tmp_path: Path) -> None:
    """Plots of ours without a page are replaced; other pictures are not."""
    page = tmp_path / "papers.md"
    page.with_suffix("").mkdir()
    (page.with_suffix("") / "ll-5-fashion-mnist.png").touch()
    check_page(page, tmp_path / "results.jsonl")
    (page.with_suffix("") / "holiday.png").touch()
    with pytest.raises(OutputError, match="holds pictures, and no page beside it has them"):
        check_page(page, tmp_path / "results.jsonl")


def test_results_that_could_not_be_kept_are_told_before_a_training(
    small_fashion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results.jsonl"
    Results(out).add(result(KINDS["vq"]))
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and access(path, mode))  # root may all
    done = lcodec("reproduce", "ll-5", "--data", small_fashion, "--out", out)
    assert (done.exit_code, done.stderr) == (1, f"Error: {out}: is write-protected; name another one\n")
    assert lcodec("reproduce", "render", "--out", out).exit_code == 0  # which only reads it

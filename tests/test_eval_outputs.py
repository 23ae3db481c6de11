"""What `lcodec eval` writes is checked before it measures: nothing is measured for files that cannot be kept."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from eval_runs import lcodec_eval

from latticecodec import OutputError
from latticecodec.lab.evaluation import Asked, Files, State, optional_measures, run, to_csv

pytestmark = pytest.mark.usefixtures("one_thread", "one_process")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--csv", "x", "--resume", "x"], "x: would be both the file of results and the table"),
        (["--csv", "link", "--resume", "x"], "link: would be both the file of results and the table"),
        (["--report", "r", "--resume", "r/results.json"], "results.json: would be both a file of the report and the f"),
        (["--report", "r", "--csv", "r/measured.jsonl"], "measured.jsonl: would be both the file of results and the t"),
        (["--report", "x", "--csv", "x"], "x: would be both a folder of the report and the table"),
        (["--report", "x/y", "--resume", "x"], "x: would be both a folder of the report and the file of results"),
    ],
)
def test_one_file_for_two_uses(
    options: list[str], told: str, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r").mkdir()
    Path("link").symlink_to("x")
    refused = lcodec_eval(pictures, "--model", "lattice-1", *options)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert told in refused.stderr
    assert refused.stderr.endswith("; name another file for one of them\n")
    assert (list(Path("r").iterdir()), Path("x").exists()) == ([], False)


def test_files_of_one_folder_are_apart(tmp_path: Path) -> None:
    Files(tmp_path / "table.csv", tmp_path, tmp_path / "results.jsonl").begin()
    Files(tmp_path / "table.csv", tmp_path).begin()
    assert list(tmp_path.iterdir()) == []


def test_python_has_what_the_command_has(pictures: Path, tmp_path: Path) -> None:
    """The table, the report and what was measured, of one call; a report takes every measure that is installed."""
    files, seen = Files(tmp_path / "table.csv", tmp_path / "report"), []

    @contextmanager
    def bar(what: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda done, total: seen.append((what, done, total))

    done = run(Asked(pictures, [], "cpu", peers=["jpeg"]), files, "lcodec eval photos/", bar)
    assert (done.images, [curve.codec for curve in done.peers]) == (2, ["jpeg"])
    assert files.csv.read_text() == to_csv(done) == (files.report / "results.csv").read_text()
    assert files.page == tmp_path / "report" / "index.html"
    assert "lcodec eval photos/" in files.page.read_text(encoding="utf-8")
    assert seen == [("evaluating", n, 18) for n in range(1, 19)] + [("comparing", n, 2) for n in (1, 2)]
    for measure in optional_measures():
        assert done.peers[0].has(measure.name) == measure.is_installed()


def protected(*, exists: bool) -> Callable[[object, int], bool]:
    """What the system says of a file, or of the folder that it would be in, that may not be written."""
    return lambda path, mode: Path(str(path)).is_file() != exists


@pytest.mark.parametrize("exists", [True, False])
def test_results_that_could_not_be_kept(exists: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noticed before the first of them was measured; root may write everywhere, so the system is asked here."""
    file = tmp_path / "measured.jsonl"
    if exists:
        State(file).put("key", {"size": 1})
    monkeypatch.setattr(os, "access", protected(exists=exists))
    told = "measured.jsonl: is write-protected; name" if exists else f"the folder {tmp_path} is write-protected; name"
    with pytest.raises(OutputError, match=told):
        State(file)

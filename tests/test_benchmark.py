"""What docs/benchmark.py --against measures: whole processes, and ratios of turns."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> object:
    """docs/processes.py, which is no part of the package."""
    monkeypatch.syspath_prepend(str(DOCS))
    return __import__("processes")


def test_seconds_and_peak_memory_of_a_process() -> None:
    """Of the process alone, however much its parents hold."""
    code = "import time; held = bytes(range(256)) * (100 * 4096); time.sleep(0.1)"  # 100 MiB
    command = [sys.executable, str(DOCS / "process_speed.py"), sys.executable, "-c", code]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    assert 0.1 < found["seconds"] < 60
    assert 100 * 2**20 < found["bytes"] < 160 * 2**20


def test_a_process_that_fails_is_no_measurement() -> None:
    command = [sys.executable, str(DOCS / "process_speed.py"), sys.executable, "-c", "raise SystemExit(3)"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("raise SystemExit(3) fails\n")


def test_rows_are_medians_of_turns_and_of_their_ratios(processes: object) -> None:
    """A turn in which the machine was busy slows both, and changes no ratio."""
    turns = [[{"seconds": a, "bytes": 5e6}, {"seconds": b, "bytes": 10e6}] for a, b in ((1, 2), (9, 18), (2, 5))]
    row = processes._row("it", turns)  # type: ignore[attr-defined]
    assert (row.seconds, row.seconds_against, row.seconds_ratio) == (2, 5, 0.5)
    assert (row.megabytes, row.megabytes_against, row.megabytes_ratio) == (5, 10, 0.5)
    assert processes._row("warm", [[{"seconds": 1}, {"seconds": 4}]]).megabytes is None  # type: ignore[attr-defined]


def test_a_checkout_that_is_not_installed(processes: object, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"has no lcodec in .venv-light or .venv; run make demo there first"):
        processes._programs(tmp_path)  # type: ignore[attr-defined]

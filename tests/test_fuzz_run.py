"""The long run behind `make fuzz`: an input that ends the process, or never ends, counts, is kept and stepped over."""

import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest
from fuzz import run
from fuzz.state import STATE


@pytest.mark.parametrize(
    ("does", "crashes", "hangs", "told"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", 1, 0, "exit status -9"),  # as the system does for want of memory
        ("os._exit(3)", 1, 0, "exit status 3"),
        ("time.sleep(100)", 0, 1, "hang"),
    ],
)
def test_a_process_that_does_not_finish_its_first_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, crashes: int, hangs: int, told: str
) -> None:
    kept: list[tuple[object, ...]] = []
    begin = subprocess.Popen

    def begun(command: list[str], stdout: BinaryIO) -> "subprocess.Popen[bytes]":
        """A process that has an input at hand."""
        with open(command[-1], "r+b") as state:
            state.write(STATE.pack(0, 3) + b"odd")
        return begin([sys.executable, "-S", "-c", f"import os, signal, time; {does}"], stdout=stdout)

    monkeypatch.setattr(subprocess, "Popen", begun)
    monkeypatch.setattr(run, "keep", lambda *what: kept.append(what))
    monkeypatch.setattr(run, "STUCK", 0.3 if hangs else 60)
    monkeypatch.setattr(run, "LOOK", 0.01)
    total = run.Total(1)
    run._process(total, "lcq", 0, tmp_path)
    assert (total.done, total.crashes, total.hangs) == (1, crashes, hangs)
    assert kept == [(b"odd", told, ".lcq")]

"""Processes side by side: one that ends takes its file with it, and all that are stopped leave nothing."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from deadlines import DEADLINE, looks
from latticecodec.cli import workers
from latticecodec.cli.batch import Outcome, Work, run
from latticecodec.cli.files import Job, Plan

from latticecodec import LcqError

SLOW = """
import os, signal, time
from pathlib import Path
from latticecodec.cli import main
from latticecodec.outputs import write_file
from latticecodec.cli.batch import Outcome, Work, run
from latticecodec.cli.files import Job, Plan

signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the shell that runs the tests does with it

def fill(file):
    file.write(b"half")
    file.flush()
    time.sleep(60)

def work(job):
    write_file(job.target, fill, False)
    return Outcome({})

@main.command()
def slow():
    "Two files at once, that take a minute each."
    jobs = [Job(Path("in"), Path("one.lcq")), Job(Path("in"), Path("two.lcq"))]
    run(Plan(jobs, many=True), Work(work, "done", processes=2), as_json=False)
"""


def test_each_process_has_one_thread() -> None:
    found = workers.Workers(["OMP_NUM_THREADS"] * 3, os.getenv, 2).outcomes(lambda job: "died")
    assert list(found) == ["1", "1", "1"]


def test_a_process_that_dies_takes_one_file_with_it() -> None:
    """As where the system ends one for want of memory; another one takes its place."""
    found = workers.Workers([7, 8, 9], os._exit, 2).outcomes(lambda job: f"{job} died")  # type: ignore[arg-type]
    assert list(found) == ["7 died", "8 died", "9 died"]


def _end(job: Job) -> Outcome:
    """Work that the system ends."""
    os._exit(9)


def test_the_file_of_a_process_that_dies_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan([Job(Path(name), Path(f"{name}.lcq")) for name in ("one", "two")], many=True)
    with pytest.raises(LcqError, match="2 of 2 files failed; 0 done"):
        run(plan, Work(_end, "done", processes=2), as_json=False)
    told = "the process that worked on it was ended, perhaps for want of memory; give fewer --jobs"
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Error: ")]
    assert sorted(lines) == [f"Error: {name}: {told}" for name in ("one", "two")]


@pytest.mark.parametrize("to_all", [True, False])
def test_stopped_processes_leave_nothing(tmp_path: Path, to_all: bool) -> None:
    """Ctrl-C, which a terminal sends to all of them, and SIGTERM, which the first one alone gets."""
    (tmp_path / "slow.py").write_text(SLOW)
    command = [sys.executable, "-c", "import slow; slow.main(['slow'])"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        for _ in looks():
            if len(list(tmp_path.glob(".lcodec-*.part"))) == 2:
                break
            assert process.poll() is None
        if to_all:
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.terminate()
        told = process.communicate(timeout=DEADLINE)[1]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert told.splitlines()[-1] == f"Error: stopped by {'SIGINT' if to_all else 'SIGTERM'}"
    assert process.returncode == (130 if to_all else 143)
    assert [path.name for path in tmp_path.iterdir() if path.suffix in (".part", ".lcq")] == []

"""Processes that write one file as every command does, and what they left."""

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from deadlines import ended

PUT = """
import os, resource, signal, sys
from pathlib import Path
from latticecodec.cli import main
from latticecodec.cli.files import Job, Writing, write
from latticecodec.cli.inputs import STANDARD, place

signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the shell that runs the tests does with it

@main.command()
def put():
    "Write a file by way of `fill`."
    write(Job(STANDARD, place(target)), fill, Writing())

def begin(file):
    file.write(b"half ")
    file.flush()
    (part,) = Path().glob(".*")
    assert part.name.startswith(".lcodec-") and part.name.endswith(".part")
"""


def child(code: str, cwd: Path, **options: object) -> AbstractContextManager[subprocess.Popen[str]]:
    """A Python process with these lines, in folder `cwd`; it ends with the block."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    default = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    command = [sys.executable, "-c", f"{default}\n{code}"]
    return ended(subprocess.Popen(command, cwd=cwd, text=True, **pipes))  # type: ignore[call-overload]


def names(folder: Path) -> list[str]:
    """What lies in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())

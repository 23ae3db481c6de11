"""What a test waits for comes in time or fails it, and what it started ends with it."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

DEADLINE = 300  # seconds, many times what anything takes that is waited for


@contextmanager
def ended(process: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    """A process that is killed at the end of the block, and within it at the deadline, so that reading from it ends."""
    timer = threading.Timer(DEADLINE, process.kill)
    timer.start()
    try:
        with process:
            try:
                yield process
            finally:
                process.kill()
    finally:
        timer.cancel()


def looks(pause: float = 0.01) -> Iterator[None]:
    """Turns of a loop that breaks off once it sees what it waits for; raises AssertionError at the deadline."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        yield
        time.sleep(pause)
    raise AssertionError(f"did not come within {DEADLINE} seconds")

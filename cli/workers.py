"""Several processes that work side by side: new ones, each with one thread, which end when this one does.

The terminal's Ctrl-C reaches this process alone. It ends the others with SIGTERM, and each of them removes what it has
not finished.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from latticecodec.outputs import remove_parts

from .messages import warnings_as_lines
from .stop import Stopped, on_signals

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

DIED = "the process that worked on it was ended, perhaps for want of memory; give fewer --jobs"
FOUND_BY_ALL = r"latticecodec\.zoo"  # whose warnings are of models, and the first process prints them
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # what numerical libraries look at


class Workers(Generic[Job, Outcome]):
    """The processes, and what each is doing."""

    def __init__(self, jobs: Sequence[Job], work: Callable[[Job], Outcome], processes: int) -> None:
        """`work` is sent to the processes, and must raise nothing that is expected."""
        self._jobs, self._work, self._processes = jobs, work, min(processes, len(jobs))
        self._waiting = deque(range(len(jobs)))
        self._busy: dict[Connection, tuple[BaseProcess, int]] = {}

    def outcomes(self, died: Callable[[Job], Outcome]) -> Iterator[Outcome]:
        """What the work makes of each job, in the order of the jobs; `died` tells of one whose process ended."""
        finished: dict[int, Outcome] = {}
        try:
            for _ in range(self._processes):
                self._start()
            for number in range(len(self._jobs)):
                while number not in finished:
                    for connection in wait(list(self._busy)):
                        assert isinstance(connection, Connection)
                        finished |= self._received(connection, died)
                yield finished.pop(number)
        finally:
            for process, _ in self._busy.values():
                process.terminate()
            for process, _ in self._busy.values():
                process.join()

    def _start(self) -> None:
        """A new process, with the first job that waits."""
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        with _without_interrupts():
            process.start()
        theirs.close()
        self._hand_out(ours, process)

    def _hand_out(self, connection: Connection, process: BaseProcess) -> None:
        """Send the first job that waits."""
        number = self._waiting.popleft()
        self._busy[connection] = process, number
        with suppress(OSError):  # of a process that has died, which receiving finds
            connection.send(self._jobs[number])

    def _received(self, connection: Connection, died: Callable[[Job], Outcome]) -> dict[int, Outcome]:
        """What came of a process's job; the process gets the next one."""
        process, number = self._busy.pop(connection)
        try:
            outcome: Outcome = connection.recv()
        except (EOFError, OSError):
            process.join()
            if self._waiting:
                self._start()
            return {number: died(self._jobs[number])}
        if self._waiting:
            self._hand_out(connection, process)
        else:
            connection.close()  # at which the process ends
            process.join()
        return {number: outcome}


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes that start within never see Ctrl-C, which the terminal sends to all; this one sees it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, work: Callable[[Job], Outcome]) -> None:
    """What a process does: one job after the other, until there are none or it is told to stop."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))  # before those libraries are loaded
    with suppress(EOFError, OSError, Stopped), on_signals(remove_parts), warnings_as_lines(FOUND_BY_ALL):
        while True:
            connection.send(work(connection.recv()))

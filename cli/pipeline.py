"""Reading ahead and writing behind: while one picture is coded, the next is read and the one before is written.

No more than these three are in memory. Coding stays in the main thread, where signals arrive; a picture that is being
read then is given up, one that is being written is waited for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from .files import Job

if TYPE_CHECKING:
    from concurrent.futures import Future

Made = TypeVar("Made")


@dataclass(frozen=True)
class Steps:
    """What is done with a file, by three functions that can be sent to a process.

    Attributes:
        read: gets the job.
        code: gets the job and what `read` made.
        write: gets the job and what `code` made.
    """

    read: Callable[[Job], Any]
    code: Callable[[Job, Any], Any]
    write: Callable[[Job, Any], Any]

    def __call__(self, job: Job) -> Any:
        """All of it, one after the other."""
        return self.write(job, self.code(job, self.read(job)))


def results(jobs: Sequence[Job], steps: Steps) -> Iterator[Any]:
    """What `steps` make of each job, in the order of the jobs; raises what they raise."""
    from concurrent.futures import wait

    ahead = _started(steps.read, jobs[0])
    behind: Future[Any] | None = None
    try:
        for number, job in enumerate(jobs):
            read = ahead.result()
            if number + 1 < len(jobs):
                ahead = _started(steps.read, jobs[number + 1])
            coded = steps.code(job, read)
            del read  # of which there are enough
            if behind is not None:
                yield behind.result()
            behind = _started(steps.write, job, coded)
            del coded
        assert behind is not None
        yield behind.result()
    finally:
        if behind is not None:
            wait([behind])


def _started(step: Callable[..., Made], *arguments: Any) -> "Future[Made]":
    """What will come of a step that goes on in a thread of its own; the process can end without it."""
    from concurrent.futures import Future

    future: Future[Made] = Future()

    def go() -> None:
        try:
            future.set_result(step(*arguments))
        except BaseException as error:
            future.set_exception(error)

    Thread(target=go, daemon=True).start()
    return future

"""Reading ahead and writing behind: at the same time, in order, three at most, and nothing half written."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from latticecodec.cli.files import Job
from latticecodec.cli.pipeline import Steps, results

SECONDS = 20  # that a thread waits for what comes at once
JOBS = [Job(Path(str(number)), Path("out")) for number in range(5)]


def number_of(job: Job) -> int:
    """0 to 4."""
    return int(str(job.source))


def test_the_three_steps_go_on_at_the_same_time() -> None:
    """Each picture is coded only once the next is read, and written only once the next is being coded."""
    read, coding = ([threading.Event() for _ in range(6)] for _ in range(2))
    read[5].set()
    coding[5].set()
    alive: Counter[str] = Counter()
    most = []

    def reading(job: Job) -> int:
        alive["now"] += 1
        most.append(alive["now"])
        read[number_of(job)].set()
        return number_of(job)

    def code(job: Job, made: int) -> int:
        coding[made].set()
        assert read[made + 1].wait(SECONDS)
        return 10 * made

    def write(job: Job, made: int) -> str:
        assert coding[number_of(job) + 1].wait(SECONDS)
        alive["now"] -= 1
        return f"{job.source} is {made}"

    assert list(results(JOBS, Steps(reading, code, write))) == [f"{number} is {10 * number}" for number in range(5)]
    assert max(most) == 3


@pytest.mark.parametrize("broken", ["read", "code", "write"])
def test_what_a_step_raises_is_raised(broken: str) -> None:
    def step(name: str) -> Callable[..., int]:
        def work(job: Job, made: int = 0) -> int:
            if name == broken and number_of(job) == 2:
                raise ValueError(name)
            return number_of(job)

        return work

    found = results(JOBS, Steps(step("read"), step("code"), step("write")))
    assert next(found) == 0
    with pytest.raises(ValueError, match=broken):
        list(found)


def test_a_stop_waits_for_what_is_being_written() -> None:
    """As Ctrl-C, which arrives in the thread that codes."""
    writing, stopped = threading.Event(), threading.Event()
    done = []

    def code(job: Job, made: None) -> None:
        if number_of(job) == 1:
            assert writing.wait(SECONDS)
            stopped.set()
            raise KeyboardInterrupt

    def write(job: Job, made: None) -> None:
        writing.set()
        assert stopped.wait(SECONDS)
        done.append(number_of(job))

    with pytest.raises(KeyboardInterrupt):
        list(results(JOBS, Steps(lambda job: None, code, write)))
    assert done == [0]

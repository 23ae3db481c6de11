"""Several tiles at the same time."""

import threading

import numpy as np
import pytest

from latticecodec.codec import parallel
from latticecodec.codec.parallel import in_order


@pytest.fixture
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "processors", lambda: 2)


@pytest.mark.usefixtures("two_processors")
def test_results_come_in_order_and_two_at_a_time() -> None:
    both = threading.Barrier(2)  # passed by nobody who is alone

    def work(number: int) -> int:
        both.wait(timeout=10)
        return 10 * number

    assert [result() for result in in_order(work, range(6))] == [0, 10, 20, 30, 40, 50]


@pytest.mark.usefixtures("two_processors")
def test_an_error_is_raised_where_its_result_is_asked_for() -> None:
    results = in_order(lambda number: 1 / number, [1, 0, 2])
    assert next(results)() == 1
    with pytest.raises(ZeroDivisionError):
        next(results)()
    assert next(results)() == 0.5


@pytest.mark.usefixtures("two_processors")
def test_threads_have_the_callers_settings() -> None:
    with np.errstate(divide="raise"):
        results = in_order(lambda number: np.ones(1) / number, [1, 0])
        assert next(results)() == 1
    with pytest.raises(FloatingPointError):
        next(results)()


@pytest.mark.usefixtures("two_processors")
def test_nothing_begins_after_the_caller_stopped() -> None:
    begun = []
    for result in in_order(begun.append, range(9)):
        result()
        break
    assert len(begun) <= 3


def test_a_single_item_is_worked_on_by_the_caller() -> None:
    (result,) = in_order(lambda _: threading.current_thread(), [1])
    assert result() is threading.current_thread()

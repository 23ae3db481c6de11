"""The search for a scale, on functions instead of pictures."""

import math

import pytest

from latticecodec import TargetError
from latticecodec.search import psnr_target, search, size_target


def test_a_smooth_curve_needs_few_trials() -> None:
    tried = []

    def attempt(fineness: int) -> int:
        tried.append(fineness)
        return round(1000 * math.exp(fineness / 1000))

    assert 9800 <= search(attempt, 0, 4000, size_target(10_000, float)) <= 10_000
    assert len(tried) < 12


def test_the_nearest_is_taken_where_no_scale_comes_close_enough() -> None:
    """Steps of 100: 200 is the best there is for a limit of 299."""
    assert search(lambda fineness: 100 + 100 * (fineness // 10), 0, 100, size_target(299, float)) == 200


def test_the_finest_can_be_the_nearest() -> None:
    reached = {1: 28.0, 2: 30.0, 3: 31.0, 4: 32.0}
    assert search(lambda rate: rate, 1, 4, psnr_target(31.9, lambda rate: reached[rate])) == 4


def test_the_ends_are_tried_first() -> None:
    assert search(lambda fineness: fineness, 10, 20, size_target(20, float)) == 20
    assert search(lambda fineness: fineness, 10, 20, size_target(10, float)) == 10


@pytest.mark.parametrize("size", [9, 21])
def test_out_of_reach(size: int) -> None:
    with pytest.raises(TargetError, match=r"reaches 10 bytes \(quality 0\) to 20 bytes \(quality 100\)"):
        search(lambda fineness: fineness, 10, 20, size_target(size, float))

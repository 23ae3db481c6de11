"""The search for a scale, on functions instead of pictures."""

import math

import pytest

from latticecodec import TargetError
from latticecodec.codec.search import Target, bpp_target, psnr_target, search, size_target


def test_a_smooth_curve_needs_few_trials() -> None:
    tried = []

    def attempt(fineness: int) -> int:
        tried.append(fineness)
        return round(1000 * math.exp(fineness / 1000))

    assert 9800 <= search(attempt, 0, 4000, size_target(10_000, float)).trial <= 10_000
    assert len(tried) < 12


def test_the_nearest_is_taken_where_no_scale_comes_close_enough() -> None:
    """Steps of 100: 200 is the best there is for a limit of 299."""
    assert search(lambda fineness: 100 + 100 * (fineness // 10), 0, 100, size_target(299, float)).trial == 200


def test_the_finest_can_be_the_nearest() -> None:
    reached = {1: 28.0, 2: 30.0, 3: 31.0, 4: 32.0}
    assert search(lambda rate: rate, 1, 4, psnr_target(31.9, lambda rate: reached[rate])).trial == 4


def test_a_psnr_that_is_stepped_over_is_exceeded() -> None:
    """By drawings, of which one colour more can be several dB: 31 is nearer to 32 than 35 is."""
    reached = {1: 28.0, 2: 30.0, 3: 31.0, 4: 35.0, 5: 50.0}
    assert search(lambda rate: rate, 1, 5, psnr_target(32.0, lambda rate: reached[rate])).trial == 4


def test_the_ends_are_tried_first() -> None:
    assert search(lambda fineness: fineness, 10, 20, size_target(20, float)).trial == 20
    assert search(lambda fineness: fineness, 10, 20, size_target(10, float)).trial == 10


@pytest.mark.parametrize("target", [size_target(9, float), bpp_target(9, float), psnr_target(21, float)])
def test_out_of_reach(target: Target[int]) -> None:
    words = rf"reaches 10\S* {target.unit} \(quality 0\) to 20\S* {target.unit} \(quality 100\)"
    with pytest.raises(TargetError, match=words):
        search(lambda fineness: fineness, 10, 20, target)


@pytest.mark.parametrize(
    ("target", "trial", "words"),
    [
        (size_target(30, float), 20, "30 bytes is more than this picture can use: quality 100 takes 20 bytes"),
        (bpp_target(30, float), 20, "30 bpp is more than this picture can use: quality 100 takes 20.000 bpp"),
        (psnr_target(5, float), 10, "5 dB is less than this picture can have: quality 0 has 10.00 dB"),
    ],
)
def test_more_room_than_can_be_used(target: Target[int], trial: int, words: str) -> None:
    """A budget above the finest, or a least below the coarsest, is met by that one."""
    found = search(lambda fineness: fineness, 10, 20, target)
    assert found.trial == trial
    assert words in found.note
    assert not search(lambda fineness: fineness, 10, 20, size_target(20, float)).note


def test_a_picture_without_error_at_any_quality_is_good_enough() -> None:
    assert search(lambda rate: rate, 1, 9, psnr_target(40, lambda rate: math.inf)).trial == 1

"""Palettes: the fewest colours that keep an error."""

import numpy as np
import pytest
from numpy.typing import NDArray

from latticecodec.codec.squares.palette import MERGED, Palette
from latticecodec.picture import Samples


def mean_squared(a: Samples, b: Samples) -> float:
    return float(np.square(a.astype(float) - b).mean())


def everywhere(colour: Samples) -> NDArray[np.bool_]:
    return np.ones(colour.shape[:2], bool)


def number_of(colour: Samples) -> int:
    return len(np.unique(colour.reshape(-1, colour.shape[2]), axis=0))


def test_the_nearest_colours_become_one_and_their_mean() -> None:
    greys = np.array([[0, 10, 10, 13, 200, 200]], np.uint8)[:, :, None]
    palette = Palette(greys, everywhere(greys))
    assert palette.counts(0.9) == [3]  # all four, of which three are fewer: 10, 10 and 13 as 11 are an error of 1
    assert palette.counts(1.0) == [3, 2]
    assert palette.reduced(3)[0, :, 0].tolist() == [0, 11, 11, 11, 200, 200]
    assert palette.reduced(2)[0, :, 0].tolist() == [8, 8, 8, 8, 200, 200]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("values", [40, 250])
def test_no_error_is_larger_than_asked_for_and_a_smaller_one_takes_more_colours(channels: int, values: int) -> None:
    """Of few colours, and of so many that near ones begin as one."""
    colour = np.random.default_rng(0).integers(0, values, (60, 60, channels)).astype(np.uint8)
    palette, before = Palette(colour, everywhere(colour)), 0
    assert (number_of(colour) > MERGED) == (channels == 3)
    for most in (values**2 / 8, values**2 / 30, values**2 / 60):
        count = palette.counts(most)[0]
        reduced = palette.reduced(count)
        assert mean_squared(reduced, colour) <= most + 0.5  # means are rounded
        assert before < number_of(reduced) <= count <= 256
        before = number_of(reduced)
    assert all(count <= 256 for count in palette.counts(0.0))


def test_pixels_elsewhere_are_neither_looked_at_nor_changed() -> None:
    colour = np.random.default_rng(0).integers(0, 256, (64, 128, 3)).astype(np.uint8)
    colour[:, :64] = colour[:, :64] // 64
    where = everywhere(colour)
    where[:, 64:] = False
    reduced = Palette(colour, where).reduced(5)
    np.testing.assert_array_equal(reduced[:, 64:], colour[:, 64:])
    assert 1 < number_of(reduced[:, :64]) <= 5


def test_one_colour_has_no_fewer() -> None:
    flat = np.full((3, 5, 3), 7, np.uint8)
    assert Palette(flat, everywhere(flat)).counts(1e9) == []

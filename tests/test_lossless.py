"""What the networks see of a picture whose squares are partly exact: the most frequent colour in place of these."""

import tracemalloc

import numpy as np
import pytest

from latticecodec.codec.encoder import NEEDED
from latticecodec.codec.squares.mixed import seen_by_networks
from latticecodec.container import DIAGONAL, LATTICE, NO_MODEL, Header, mask_of


def header(height: int, width: int, channels: int, depth: int, exact: list[bool]) -> Header:
    """Of a picture some of whose squares are exact, row by row."""
    plain = Header(width, height, channels, NO_MODEL, 0, 50.0, LATTICE, DIAGONAL, bit_depth=depth)
    return Header(**{**vars(plain), "exact": mask_of(exact)})


@pytest.mark.parametrize(("channels", "depth"), [(1, 8), (3, 8), (1, 16), (3, 16)])
def test_exact_squares_have_the_most_frequent_colour_of_all(channels: int, depth: int) -> None:
    """Whatever leads in the first sixteen rows of squares, which are counted by themselves."""
    colour = np.zeros((20 * 64, 2 * 64, channels), np.uint8 if depth == 8 else np.uint16)
    colour[: 9 * 64, :64] = np.iinfo(colour.dtype).max
    colour[9 * 64 :, :64, 0] = 7  # of eleven exact squares
    colour[:, 64:] = np.arange(64)[:, None]
    seen = seen_by_networks(header(*colour.shape[:2], channels, depth, 20 * [True, False]), colour)
    assert (seen[:, : 64 - NEEDED] == (7, *(channels - 1) * [0])).all()
    np.testing.assert_array_equal(seen[:, 64:], colour[:, 64:])


def test_it_takes_little_more_memory_than_the_picture() -> None:
    """Where colours were counted all at once, it was ten times as much."""
    colour = np.zeros((8192, 256, 3), np.uint8)
    colour[::3] = 255
    whole = header(*colour.shape[:2], 3, 8, 128 * [True, True, True, True])
    tracemalloc.start()
    try:
        seen = seen_by_networks(whole, colour)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not seen.any()
    assert peak < 4 * colour.nbytes

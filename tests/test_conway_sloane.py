"""Z^n, D_n and E8 as they are in the books: cells, closest points, membership."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from latticecodec.entropy.conway_sloane import (
    from_doubled,
    is_e8,
    nearest_d,
    nearest_e8,
    nearest_z,
    to_doubled,
)
from latticecodec.lab.quantizers import closest_point

Array = np.ndarray
D4_BASIS = np.array([[1.0, 1, 0, 0], [-1, 1, -1, 0], [0, 0, 1, -1], [0, 0, 0, 1]], dtype=np.float32)
E8_BASIS = np.array(  # the generator of Conway and Sloane, its vectors in columns
    [
        [2, -1, 0, 0, 0, 0, 0, 0.5],
        [0, 1, -1, 0, 0, 0, 0, 0.5],
        [0, 0, 1, -1, 0, 0, 0, 0.5],
        [0, 0, 0, 1, -1, 0, 0, 0.5],
        [0, 0, 0, 0, 1, -1, 0, 0.5],
        [0, 0, 0, 0, 0, 1, -1, 0.5],
        [0, 0, 0, 0, 0, 0, 1, 0.5],
        [0, 0, 0, 0, 0, 0, 0, 0.5],
    ],
    dtype=np.float32,
)


def normal(rows: int, dimension: int, width: float) -> Array:
    """Gaussian vectors [rows, dimension], float32."""
    return width * np.random.default_rng(0).standard_normal((rows, dimension), dtype=np.float32)


def distances(x: Array, point: Array) -> Array:
    """Squared, [N]."""
    return np.square((x - point).astype(np.float64)).sum(-1)


@pytest.mark.parametrize(
    ("nearest", "dimension", "volume", "samples", "moment"),
    [
        (nearest_z, 8, 1, 1 << 20, 1 / 12),
        (nearest_d, 4, 2, 1 << 21, 0.07660),
        (nearest_e8, 8, 1, 1 << 20, 0.07168),
    ],
)
def test_normalised_second_moment(
    nearest: Callable[[Array], Array], dimension: int, volume: float, samples: int, moment: float
) -> None:
    """G = E|e|^2 / n / V^(2/n) of table 2.3 in Conway and Sloane's book; the standard errors here are 1 to 3e-5.

    All three lattices contain 2 Z^n, so that points uniform in [0, 2)^n are uniform in the cell.
    """
    x = 2 * np.random.default_rng(0).random((samples, dimension), dtype=np.float32)
    energy = distances(x, nearest(x)).mean()
    assert energy / dimension / volume ** (2 / dimension) == pytest.approx(moment, abs=5e-5)


def squared_distance(x: Array, offset: float, parity: int | None) -> Array:
    """From x [N, n] to the integers + offset, of even sum if `parity` is 0: the least over all floors and ceilings.

    That is complete: of two points p and p +- 2 e_i, both in the lattice, the one within 1 of x_i is nearer.
    """
    floor = np.floor(x.astype(np.float64) - offset)  # [N, n]
    down = np.square(x - offset - floor)  # [N, n] cost of the floor; that of the ceiling:
    up = np.square(x - offset - floor - 1)  # [N, n]
    ceilings = np.array(list(itertools.product((0.0, 1.0), repeat=x.shape[-1])))  # [2^n, n]
    distance = down.sum(-1, keepdims=True) + (up - down) @ ceilings.T  # [N, 2^n]
    if parity is not None:
        sums = floor.sum(-1, keepdims=True) + ceilings.sum(-1)  # [N, 2^n]
        distance[sums % 2 != parity] = math.inf
    return distance.min(-1)


def test_the_point_of_z_is_the_nearest() -> None:
    x = normal(10_000, 5, 3)
    np.testing.assert_allclose(distances(x, nearest_z(x)), squared_distance(x, 0.0, None), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dimension", [2, 4, 8])
def test_the_point_of_d_is_the_nearest(dimension: int) -> None:
    x = normal(10_000, dimension, 3)
    point = nearest_d(x)
    assert (point.sum(-1) % 2 == 0).all()
    np.testing.assert_array_equal(point, np.round(point))
    np.testing.assert_allclose(distances(x, point), squared_distance(x, 0.0, 0), atol=1e-5, rtol=0)


def test_the_point_of_e8_is_the_nearest() -> None:
    x = normal(10_000, 8, 3)
    point = nearest_e8(x)
    assert is_e8(to_doubled(point)).all()
    best = np.minimum(squared_distance(x, 0.0, 0), squared_distance(x, 0.5, 0))
    np.testing.assert_allclose(distances(x, point), best, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("nearest", "basis"), [(nearest_d, D4_BASIS), (nearest_e8, E8_BASIS)])
def test_the_search_agrees(nearest: Callable[[Array], Array], basis: Array) -> None:
    x = normal(40, len(basis), 2)
    searched = [basis @ closest_point(torch.from_numpy(basis), torch.from_numpy(y)).numpy() for y in x]
    np.testing.assert_allclose(nearest(x), searched)


@pytest.mark.parametrize(
    ("doubled", "inside"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 0], True),
        ([2, 2, 0, 0, 0, 0, 0, 0], True),  # (1, 1, 0, ...)
        ([2, 0, 0, 0, 0, 0, 0, 0], False),  # sum of the point odd
        ([1, 1, 1, 1, 1, 1, 1, 1], True),
        ([-1, 1, 1, 1, 1, 1, 1, 1], False),  # one sign turned
        ([-1, -1, 1, 1, 1, 1, 1, 1], True),
        ([3, 1, 1, 1, 1, 1, 1, 1], False),
        ([1, 1, 1, 1, 0, 0, 0, 0], False),  # neither all even nor all odd
    ],
)
def test_membership_in_e8(doubled: list[int], inside: bool) -> None:
    assert bool(is_e8(np.array(doubled))) is inside


def test_e8_has_240_shortest_vectors() -> None:
    """And they are of squared length 2: 112 of the kind (+-1, +-1, 0...), 128 of the kind (+-1/2)^8."""
    doubled = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 8), -1).reshape(-1, 8)  # [5^8, 8]
    shortest = is_e8(doubled) & (np.square(doubled).sum(-1) == 4 * 2)
    assert int(shortest.sum()) == 240
    assert not (is_e8(doubled) & (np.square(doubled).sum(-1) == 4)).any()


def test_points_of_e8_survive_as_doubled_integers() -> None:
    point = nearest_e8(normal(1000, 8, 50))
    doubled = to_doubled(point)
    assert doubled.dtype == np.int32
    np.testing.assert_array_equal(from_doubled(doubled), point)
    np.testing.assert_array_equal(nearest_e8(point), point)

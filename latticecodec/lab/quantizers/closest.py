"""Exact closest point of any lattice: depth-first search in Schnorr-Euchner order.

Agrell, Eriksson, Vardy and Zeger, "Closest point search in lattices", IEEE Trans. IT 48(8), 2002, algorithm DECODE.
Plain Python in float64, its time exponential in the dimension: what the fast quantizers are tested against.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor


def closest_point(basis: Tensor, y: Tensor) -> Tensor:
    """Integer coordinates k [D], int32, of the lattice point basis @ k nearest to y [D].

    Args:
        basis: [D, D], the lattice vectors in its columns, linearly independent.
        y: [D].
    """
    q, r = torch.linalg.qr(basis.double())  # [D, D] each; |y - B k| = |Q^T y - R k|
    target = (q.mT @ y.double()).tolist()  # [D]
    rows = r.tolist()  # [D][D] upper triangular
    best: list[int] = []
    radius = math.inf  # squared distance of the best point so far

    def search(level: int, above: list[int], distance: float) -> None:
        """Choose coordinate `level`; `above` are the ones chosen after it, `distance` the part they account for."""
        nonlocal best, radius
        if level < 0:
            best, radius = above, distance
            return
        known = sum(entry * k for entry, k in zip(rows[level][level + 1 :], above, strict=True))
        centre = (target[level] - known) / rows[level][level]
        for k in outward(centre):
            reached = distance + (rows[level][level] * (k - centre)) ** 2
            if reached >= radius:
                return
            search(level - 1, [k, *above], reached)

    search(len(rows) - 1, [], 0.0)
    return torch.tensor(best, dtype=torch.int32)


def outward(centre: float) -> Iterator[int]:
    """All integers, the nearest to `centre` first: 2, 3, 1, 4, 0, ... for 2.3."""
    nearest = round(centre)
    side = 1 if centre >= nearest else -1
    yield nearest
    offset = 0
    while True:
        offset += 1
        yield nearest + side * offset
        yield nearest - side * offset

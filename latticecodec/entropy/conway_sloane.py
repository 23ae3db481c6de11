"""Closest points of the lattices Z^n, D_n and E8 (Conway and Sloane, IEEE Trans. IT 28(2), 1982, sections II to IV).

    Z^n   all integer vectors
    D_n   integer vectors of even sum (n = 4: D4)
    E8    D8 ∪ (D8 + 1/2): in eight dimensions, D8 and its copy moved by 1/2 along every axis

Volumes of the cells: 1, 2, 1. The last dimension of an array is the dimension of the lattice; points are computed in
float32 whatever the type of the input. |x| up to 2^20 is safe: the sum, whose parity decides, is then exact. Where
several points are equally near, any one of them is returned.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coder import Float32, Int32

Real = NDArray[np.floating[Any]]


def nearest_z(x: Real) -> Float32:
    """Point of Z^n nearest to x [..., n], float32."""
    return np.rint(x.astype(np.float32))


def nearest_d(x: Real) -> Float32:
    """Point of D_n nearest to x [..., n], float32.

    All coordinates are rounded; where the sum is odd, the one farthest from its integer goes the other way.
    """
    x = x.astype(np.float32)
    point = np.rint(x)  # [..., n]
    error = x - point  # [..., n]
    farthest = np.abs(error).argmax(-1)[..., None]  # [..., 1]
    other_way = np.where(np.take_along_axis(error, farthest, -1) < 0, np.float32(-1), np.float32(1))  # [..., 1]
    odd = point.sum(-1, keepdims=True) % 2  # [..., 1] 0 or 1
    np.put_along_axis(point, farthest, np.take_along_axis(point, farthest, -1) + odd * other_way, -1)
    return point


def nearest_e8(x: Real) -> Float32:
    """Point of E8 nearest to x [..., 8], float32: the nearer one of its two cosets' nearest points."""
    x = x.astype(np.float32)
    whole = nearest_d(x)  # [..., 8]
    half = nearest_d(x - np.float32(0.5)) + np.float32(0.5)  # [..., 8]
    half_is_nearer = np.square(x - half).sum(-1) < np.square(x - whole).sum(-1)  # [...]
    return np.where(half_is_nearer[..., None], half, whole)  # [..., 8]


def to_doubled(point: Float32) -> Int32:
    """Points of E8 [..., 8] -> twice their coordinates, int32 [..., 8]: how they are stored."""
    return np.rint(2 * point).astype(np.int32)


def from_doubled(doubled: Int32) -> Float32:
    """Doubled coordinates [..., 8] -> points of E8 [..., 8], float32."""
    return doubled.astype(np.float32) / np.float32(2)


def is_e8(doubled: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Whether integers d [..., 8] are doubled coordinates of a point of E8: bool [...].

    All even: d / 2 has to be in D8, its sum even. All odd: d / 2 = k + 1/2 with k = (d - 1) / 2 in D8, and
    sum(d) = 2 sum(k) + 8. In both cases the condition on the sum is therefore sum(d) = 0 mod 4.
    """
    parity = doubled % 2  # [..., 8]
    inside: NDArray[np.bool_] = (parity == parity[..., :1]).all(-1) & (doubled.sum(-1) % 4 == 0)
    return inside

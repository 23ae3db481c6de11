"""Closest points of the lattices Z^n, D_n and E8 (Conway and Sloane, IEEE Trans. IT 28(2), 1982, sections II to IV).

    Z^n   all integer vectors
    D_n   integer vectors of even sum (n = 4: D4)
    E8    D8 ∪ (D8 + 1/2): in eight dimensions, D8 and its copy moved by 1/2 along every axis

Volumes of the cells: 1, 2, 1. The last dimension of a tensor is the dimension of the lattice; points are computed in
float32 whatever the dtype of the input, and there is no matrix product for autocast to lower. |x| up to 2^20 is safe:
the sum, whose parity decides, is then exact. Where several points are equally near, any one of them is returned.
"""

import torch
from torch import Tensor


def nearest_z(x: Tensor) -> Tensor:
    """Point of Z^n nearest to x [..., n], float32."""
    return x.float().round()


def nearest_d(x: Tensor) -> Tensor:
    """Point of D_n nearest to x [..., n], float32.

    All coordinates are rounded; where the sum is odd, the one farthest from its integer goes the other way.
    """
    x = x.float()
    point = x.round()  # [..., n]
    error = x - point  # [..., n]
    farthest = error.abs().argmax(-1, keepdim=True)  # [..., 1]
    other_way = torch.where(error.gather(-1, farthest) < 0, -1.0, 1.0).to(x.dtype)  # [..., 1]
    odd = point.sum(-1, keepdim=True) % 2  # [..., 1] 0 or 1
    return point.scatter_add(-1, farthest, odd * other_way)  # [..., n]


def nearest_e8(x: Tensor) -> Tensor:
    """Point of E8 nearest to x [..., 8], float32: the nearer one of its two cosets' nearest points."""
    x = x.float()
    whole = nearest_d(x)  # [..., 8]
    half = nearest_d(x - 0.5) + 0.5  # [..., 8]
    half_is_nearer = (x - half).square().sum(-1) < (x - whole).square().sum(-1)  # [...]
    return torch.where(half_is_nearer[..., None], half, whole)  # [..., 8]


def to_doubled(point: Tensor) -> Tensor:
    """Points of E8 [..., 8] -> twice their coordinates, int32 [..., 8]: how they are stored."""
    return (2 * point).round().to(torch.int32)


def from_doubled(doubled: Tensor) -> Tensor:
    """Doubled coordinates [..., 8] -> points of E8 [..., 8], float32."""
    return doubled.to(torch.float32) / 2


def is_e8(doubled: Tensor) -> Tensor:
    """Whether integers d [..., 8] are doubled coordinates of a point of E8: bool [...].

    All even: d / 2 has to be in D8, its sum even. All odd: d / 2 = k + 1/2 with k = (d - 1) / 2 in D8, and
    sum(d) = 2 sum(k) + 8. In both cases the condition on the sum is therefore sum(d) = 0 mod 4.
    """
    parity = doubled % 2  # [..., 8]
    return (parity == parity[..., :1]).all(-1) & (doubled.sum(-1) % 4 == 0)

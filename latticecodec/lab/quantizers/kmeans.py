"""k-means clustering (Lloyd 1982), which gives a codebook its first codewords."""

import torch
from torch import Tensor

from .codewords import nearest


def kmeans(z: Tensor, codes: int, iterations: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cluster the rows of z, from randomly chosen rows.

    Args:
        z: [N, D] float32, N >= 1. With fewer rows than codes, rows are used several times; the repeated means stay
            empty clusters.
        codes: number K of clusters.
        iterations: Lloyd's steps, at least 1.
        generator: source of the random choice, on the CPU.

    Returns:
        Means [K, D] and the clusters' sizes [K] in float32, zero for an empty cluster, whose mean is a row of z.
    """
    order = torch.randperm(len(z), generator=generator)  # [N]
    means = z[order[torch.arange(codes) % len(z)].to(z.device)]  # [K, D]
    for _ in range(iterations):
        sizes, sums = cluster_sums(z, nearest(z, means), codes)
        filled = sizes[:, None] > 0  # [K, 1]
        means = torch.where(filled, sums / sizes[:, None].clamp_min(1), means)  # [K, D]
    return means, sizes


def cluster_sums(z: Tensor, indices: Tensor, codes: int) -> tuple[Tensor, Tensor]:
    """Number of rows [K] and sum of rows [K, D] that have each index; z [N, D], indices [N] in 0 ... K-1."""
    sizes = torch.bincount(indices, minlength=codes).to(z.dtype)  # [K]
    sums = torch.zeros(codes, z.shape[1], dtype=z.dtype, device=z.device).index_add_(0, indices, z)  # [K, D]
    return sizes, sums

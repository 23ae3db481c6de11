"""Design of an entropy-constrained codebook (Chou, Lookabaugh and Gray, IEEE Trans. ASSP 37, 1989).

Where the indices are entropy-coded, the best codeword of a row is not the nearest one: it minimises the squared
distance plus `weight` times the bits of its index. Codewords and bits are found in turns, as in k-means.
"""

import math

import torch
from torch import Tensor

from .codewords import nearest
from .kmeans import cluster_sums

EASING = 8  # iterations over which the weight of the bits grows to its full value
SMOOTHING = 0.1  # rows added to every count, so that no index has endless bits
RARE = 3  # rows; a code with fewer is moved onto a row that is far from its codeword


@torch.no_grad()
def entropy_constrained(
    z: Tensor, codes: int, weight: float, iterations: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """A codebook for the rows of z, and how many rows use each code.

    Args:
        z: [N, D] float32, N >= 1.
        codes: number K of codewords.
        weight: squared distance that one bit is worth.
        iterations: turns of assignment and averaging; in the last third no code is moved.
        generator: source of random choices, on the CPU.

    Returns:
        Codewords [K, D] and counts [K], float32.
    """
    lengths = z.norm(dim=1) + 1e-6  # [N] long rows are rare and lie far apart
    codebook = z[torch.multinomial(lengths, codes, replacement=len(z) < codes, generator=generator)]  # [K, D]
    codebook[0] = 0
    bits = torch.full((codes,), math.log2(codes))  # [K]
    for iteration in range(iterations):
        indices = nearest(z, codebook, weight * min(1.0, iteration / EASING) * bits)  # [N]
        counts, sums = cluster_sums(z, indices, codes)  # [K], [K, D]
        bits = torch.log2((len(z) + SMOOTHING * codes) / (counts + SMOOTHING))
        codebook = torch.where(counts[:, None] > 0, sums / counts[:, None].clamp_min(1), codebook)  # [K, D]
        rare = (counts < RARE).nonzero()[:, 0]
        if iteration < 2 * iterations // 3 and len(rare):
            errors = (z - codebook[indices]).square().sum(1)  # [N]
            if int((errors > 0).sum()) >= len(rare):
                codebook[rare] = z[torch.multinomial(errors, len(rare), generator=generator)]
                bits[rare] = math.log2(codes)
    return codebook, counts

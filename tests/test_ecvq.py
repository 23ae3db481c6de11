"""Entropy-constrained codebooks: cheaper indices for a little more distance."""

import pytest
import torch
from torch import Tensor

from latticecodec.lab.quantizers import entropy_constrained, kmeans
from latticecodec.lab.quantizers.codewords import nearest

pytestmark = pytest.mark.usefixtures("one_thread")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def heavy_tailed(count: int = 4096, seed: int = 0) -> Tensor:
    """Rows [count, 2] most of which are small, as latents are."""
    return torch.randn(count, 2, generator=generator(seed)) ** 3


def distortion(z: Tensor, codebook: Tensor) -> float:
    """Mean squared distance to the nearest codeword."""
    return float((z - codebook[nearest(z, codebook)]).square().sum(1).mean())


def performance(z: Tensor, codebook: Tensor, counts: Tensor, weight: float) -> tuple[float, float]:
    """Mean squared distance and mean bits a row, with the choice that the design is for."""
    bits = torch.log2(counts.sum() / counts.clamp_min(0.1))  # [K]
    indices = nearest(z, codebook, weight * bits)
    return float((z - codebook[indices]).square().sum(1).mean()), float(bits[indices].mean())


def test_bits_fall_and_distances_rise_with_the_weight() -> None:
    z = heavy_tailed()
    points = []
    for weight in (0.0, 0.1, 0.5, 2.0):
        codebook, counts = entropy_constrained(z, 32, weight, 24, generator())
        assert codebook.shape == (32, 2)
        assert float(counts.sum()) == len(z)
        points.append(performance(z, codebook, counts, weight))
    distances, bits = zip(*points, strict=True)
    assert list(distances) == sorted(distances)
    assert list(bits) == sorted(bits, reverse=True)
    assert bits[-1] < 0.7 * bits[0]


def test_without_a_weight_it_is_as_good_as_k_means() -> None:
    z = heavy_tailed()
    codebook, _ = entropy_constrained(z, 32, 0.0, 24, generator())
    means, _ = kmeans(z, 32, 24, generator())
    assert distortion(z, codebook) <= distortion(z, means)


def test_it_beats_k_means_at_the_weight_it_is_made_for() -> None:
    z, weight = heavy_tailed(), 0.5
    costs = []
    for codebook, counts in (entropy_constrained(z, 32, weight, 24, generator()), kmeans(z, 32, 24, generator())):
        distance, bits = performance(z, codebook, counts, weight)
        costs.append(distance + weight * bits)
    assert costs[0] < 0.95 * costs[1]


def test_the_generator_decides() -> None:
    z = heavy_tailed(512)
    first, second, other = (entropy_constrained(z, 16, 0.1, 12, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("rows", [1, 3, 9])
def test_more_codes_than_rows(rows: int) -> None:
    z = heavy_tailed(rows)
    codebook, counts = entropy_constrained(z, 16, 0.0, 24, generator())
    assert codebook.shape == (16, 2)
    assert bool(codebook.isfinite().all())
    assert float(counts.sum()) == rows
    assert distortion(z, codebook) < 0.5 * float(z.square().sum(1).mean())


def test_rows_that_are_all_alike() -> None:
    codebook, counts = entropy_constrained(torch.full((50, 2), 7.0), 4, 0.1, 12, generator())
    assert distortion(torch.full((50, 2), 7.0), codebook) < 1e-10
    assert counts.max() == 50

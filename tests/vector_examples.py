"""Small vector quantizers of every kind, and rows of numbers for them."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from latticecodec.lab.quantizers import ProductQuantizer, ResidualQuantizer, VectorQuantizer


def rows(count: int, dimensions: int, seed: int = 0) -> Tensor:
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))


def clusters(centres: Tensor, each: int, seed: int = 0) -> Tensor:
    """`each` rows about every centre, in random order."""
    z = centres.repeat(each, 1)
    z = z + 0.05 * rows(len(z), z.shape[1], seed)
    return z[torch.randperm(len(z), generator=torch.Generator().manual_seed(seed))]


def fixed(codebook: Tensor, **options: object) -> VectorQuantizer:
    """A quantizer in eval mode with a codebook of our own."""
    layer = VectorQuantizer(*codebook.shape, **options)
    layer.codebook.data.copy_(codebook)
    return layer.eval()


def running(codebook: Tensor, counts: list[float], **options: object) -> VectorQuantizer:
    """A quantizer in the middle of training by moving averages: each codeword is the average of `counts` rows."""
    layer = fixed(codebook, **options).train()
    layer.counts.copy_(torch.tensor(counts))
    layer.sums.copy_(codebook * layer.smoothed_counts()[:, None])
    layer.steps.fill_(1)
    return layer


EXAMPLES: dict[str, Callable[[], nn.Module]] = {
    "ema": lambda: VectorQuantizer(8, 4),
    "gradient": lambda: VectorQuantizer(8, 4, update="gradient"),
    "cosine": lambda: VectorQuantizer(8, 4, cosine=True),
    "cosine, gradient": lambda: VectorQuantizer(8, 4, update="gradient", cosine=True),
    "product": lambda: ProductQuantizer([VectorQuantizer(8, 1, seed=0), VectorQuantizer(6, 3, seed=1)]),
    "residual": lambda: ResidualQuantizer([VectorQuantizer(8, 4, seed=s) for s in range(3)]),
}
every_kind = pytest.mark.parametrize("make", EXAMPLES.values(), ids=EXAMPLES)

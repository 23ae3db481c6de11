"""The diagonal lattice with the parametrisation of LL-VQ-VAE itself: the basis b is the parameter, of any sign.

Khalil et al. 2023 (arXiv 2310.09382), eq. 3-8, with the loss of the published code, whose size term is a sum. It exists
to rerun that paper: with Adam the size term moves every |b| by about the learning rate at each step, where
exp(theta) in `DiagonalLattice` would grow or shrink by a factor. Codecs use `DiagonalLattice`.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import TrainingError
from ..arithmetic import straight_through

SMALLEST = 1e-6  # of |b|: below, coordinates would leave the 2^24 that float32 and the coder hold


@dataclass(frozen=True)
class SignedQuantized:
    """Result of quantizing row vectors."""

    values: Tensor  # [N, D] lattice points; the gradient passes straight through to the input
    coordinates: Tensor  # [N, D] int64
    loss: Tensor  # [] embedding, commitment and size terms


class SignedLattice(nn.Module):
    """Points b * k with b [D] learned and k integer; rows [N, D].

    Args:
        dimensions: D.
        width: entries of b are drawn from U(-width, width); `width_for_codebook_size(K, D)` is eq. 6.
        sparsity: gamma of eq. 7 and 8; the loss gains -gamma sum |b|: positive widens the cells, negative narrows them.
        commitment: weight of the commitment term, mean squared distance per entry, as the embedding term of weight 1.

    Raises:
        TrainingError: `width` is not positive.
    """

    def __init__(self, dimensions: int, width: float, sparsity: float = 1.0, commitment: float = 0.25) -> None:
        super().__init__()
        if not width > 0:
            raise TrainingError(f"a lattice basis drawn from a range of {width} has no cells")
        self.b = nn.Parameter((torch.rand(dimensions) * 2 - 1) * width)  # [D]
        self.sparsity, self.commitment = sparsity, commitment

    def basis(self) -> Tensor:
        """b [D], with entries nearer to zero than SMALLEST moved there."""
        sign = torch.where(self.b < 0, -1.0, 1.0)  # [D]
        return sign * self.b.abs().clamp_min(SMALLEST)  # [D]

    def forward(self, z: Tensor) -> SignedQuantized:
        """Quantize z [N, D]."""
        z = z.float()  # [N, D]
        basis = self.basis()  # [D]
        coordinates = (z / basis).detach().round()  # [N, D]
        points = coordinates * basis  # [N, D]
        loss = F.mse_loss(points, z.detach()) + self.commitment * F.mse_loss(z, points.detach())
        loss = loss - self.sparsity * self.b.abs().sum()
        return SignedQuantized(straight_through(points.detach(), z), coordinates.long(), loss)

    @torch.no_grad()
    def dequantize(self, coordinates: Tensor) -> Tensor:
        """Points [N, D] of coordinates [N, D]."""
        return coordinates * self.basis()  # [N, D]

"""Learnable lattice with a diagonal basis, the quantizer of LL-VQ-VAE (Khalil et al. 2023, eq. 3-8).

The lattice is {B k : k integer}, with B = diag(exp(theta)). Babai rounding, k = round(B^-1 y), is the exact closest
point of a diagonal lattice. The codec scales the basis: at `octaves` o, B = diag(exp(theta)) 2^o, so that one trained
lattice serves every rate; the scale travels in the file, in 1/1024 octave.
"""

import math

import torch
from torch import Tensor, nn

from ...errors import TrainingError
from ..arithmetic import straight_through
from ..widths import width_for_codebook_size
from .base import Quantized
from .rounding import soft_round


class DiagonalLattice(nn.Module):
    """Diagonal lattice over the channels of a latent tensor.

    Args:
        channels: dimension D of the lattice, one basis entry a channel.
        step: initial basis entry of all channels; ignored when `codebook_size` is given.
        codebook_size: K of eq. 6; the entries are drawn as |U(-w, w)| with w = 1 / (K^(1/D) - 1).
        sparsity: gamma of eq. 7. The loss gains -gamma * sum(B): positive widens the cells (few points in use,
            sparse), negative narrows them (dense). 0 leaves the size to the rate-distortion loss.
        commitment: weight of the commitment term, mean squared distance of y to its (detached) lattice point, beside
            the embedding term, which moves the basis and has weight 1; None is without both, 0 without the first.
        dither: in training, the values are rounded with subtractive dither (Zamir and Feder 1992): uniform noise in
            the cell is added before and subtracted after, so that the error does not depend on y.
        softness: alpha of `soft_round`, which in training then rounds the values; its own gradient replaces the
            straight-through one. Small is near the identity, large near rounding; None rounds.

    `dither` and `softness` touch nothing but the values in training: coordinates and `quantize` are as without them.

    Raises:
        TrainingError: `softness` is not positive, or `codebook_size` less than 2.
    """

    def __init__(
        self,
        channels: int,
        step: float = 0.5,
        codebook_size: float | None = None,
        sparsity: float = 0.0,
        commitment: float | None = None,
        dither: bool = False,
        softness: float | None = None,
    ) -> None:
        super().__init__()
        if softness is not None and not softness > 0:
            raise TrainingError(f"softness {softness} is not positive")
        if codebook_size is None:
            basis = torch.full((channels,), step)
        else:
            width = width_for_codebook_size(codebook_size, channels)
            basis = (torch.rand(channels) * 2 - 1).abs().clamp_min(1e-4) * width
        self.log_basis = nn.Parameter(basis.log())  # [D] theta
        self.sparsity = sparsity
        self.commitment = commitment
        self.dither = dither
        self.softness = softness

    def basis(self, octaves: Tensor) -> Tensor:
        """Basis diagonals [B, D] at scales `octaves` [B] (log2; negative is finer)."""
        return torch.exp(self.log_basis + octaves[:, None] * math.log(2))  # [B, D]

    def forward(self, y: Tensor, octaves: Tensor) -> Quantized:
        """Quantize y [B, D, h, w] for training, straight through the rounding."""
        basis = self.basis(octaves)[:, :, None, None]  # [B, D, 1, 1]
        relaxed = y / basis  # [B, D, h, w]
        coordinates = straight_through(relaxed.round(), relaxed)
        values = coordinates * basis
        if self.training and (self.dither or self.softness):
            values = self._round_for_training(relaxed) * basis
        loss = -self.sparsity * self.log_basis.exp().sum()
        if self.commitment is not None:
            point = relaxed.detach().round() * basis
            loss = loss + (point - y.detach()).square().mean()
            loss = loss + self.commitment * (point.detach() - y).square().mean()
        return Quantized(values, coordinates, relaxed, loss)

    def _round_for_training(self, relaxed: Tensor) -> Tensor:
        """Coordinates of the values in training: `relaxed` [B, D, h, w] rounded with dither and softness."""
        noise = torch.rand_like(relaxed) - 0.5 if self.dither else torch.zeros_like(relaxed)  # [B, D, h, w]
        noisy = relaxed + noise  # [B, D, h, w]
        rounded = soft_round(noisy, self.softness) if self.softness else straight_through(noisy.round(), noisy)
        return rounded - noise  # [B, D, h, w]

    @staticmethod
    def quantize(y: Tensor, basis: Tensor) -> Tensor:
        """Babai rounding: y [D, h, w] on the lattice of diagonal `basis` [D] -> int32 coordinates [D, h, w]."""
        return (y / basis[:, None, None]).round().to(torch.int32)

    @staticmethod
    def dequantize(coordinates: Tensor, basis: Tensor) -> Tensor:
        """int32 coordinates [D, h, w] -> lattice points [D, h, w], float32."""
        return coordinates.to(torch.float32) * basis[:, None, None]

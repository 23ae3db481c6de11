"""What a training step gets back from a lattice; what it gets from codebooks is in vector.py."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Quantized:
    """Result of quantizing in training."""

    values: Tensor  # [B, M, h, w] points of the codebook; gradients pass straight through to the input
    coordinates: Tensor  # [B, M, h, w] integers in floating point, straight-through as well
    relaxed: Tensor  # [B, M, h, w] unrounded coordinates
    loss: Tensor  # [] auxiliary loss (commitment, size), zero where its options are off

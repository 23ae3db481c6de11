"""A rounding function with a gradient (Agustsson and Theis, "Universally Quantized Neural Compression", 2020)."""

import math

import torch
from torch import Tensor


def soft_round(x: Tensor, alpha: float) -> Tensor:
    """s_alpha of section 4.1: the identity for alpha -> 0, rounding for alpha -> infinity; x [...] -> [...].

    s(x) = floor(x) + 1/2 + tanh(alpha r) / (2 tanh(alpha / 2)), with r = x - floor(x) - 1/2. Continuous and
    increasing; integers and half-integers stay where they are. alpha > 0.
    """
    middle = x.floor() + 0.5  # [...]
    return middle + torch.tanh(alpha * (x - middle)) / (2 * math.tanh(alpha / 2))  # [...]

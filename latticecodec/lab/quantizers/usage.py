"""How well a codebook is used, and what quantizing costs: figures to log in training.

A codebook that collapses onto few codes keeps a low loss for a long time; only these figures show it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .codewords import checked

COLLAPSED_BELOW = 0.1  # share of codes in use


@dataclass(frozen=True)
class CodebookUse:
    """Use of a codebook of K codes by a set of indices."""

    share_used: float  # 0 to 1: codes that occur at all
    perplexity: float  # 1 to K: 2^H for the entropy H of the indices in bits
    dead: int  # codes that do not occur


def usage(indices: Tensor, codes: int) -> CodebookUse:
    """Use of a codebook of `codes` codes by `indices` (integers of any shape, at least one).

    All three figures are bounded by the number of indices: give several times as many as there are codes.

    Raises:
        FormatError: an index is not in 0 ... codes-1.
    """
    counts = torch.bincount(checked(indices, codes).flatten(), minlength=codes)  # [K]
    shares = counts.double() / counts.sum()  # [K]
    used = int((counts > 0).sum())
    return CodebookUse(used / codes, float(torch.special.entr(shares).sum().exp()), codes - used)


def collapsed(use: CodebookUse) -> bool:
    """Whether so few codes are in use (less than a tenth) that a warning is due."""
    return use.share_used < COLLAPSED_BELOW


def quantization_error(z: Tensor, values: Tensor) -> float:
    """Mean squared difference of rows [N, D] and their values [N, D], over all N x D entries."""
    return float((z.detach().float() - values.detach().float()).square().mean())


def gradient_gap(loss: Callable[[Tensor], Tensor], z: Tensor, values: Tensor) -> float:
    """|grad loss(z) - grad loss(values)|: how wrong it is to use the gradient at `values` as the one at z.

    The straight-through estimator does use it, so at a gap of zero its step is exact. This is the gradient gap of Huh
    et al. 2023 (arXiv 2305.08842), at the values; "Balance of Number of Embedding and their Dimensions" (arXiv
    2407.04939, eq. 5) takes it at E(x), through the projections, as `lcodec reproduce` does. Here it is the Euclidean
    length of the difference over all N x D entries, each gradient taken with respect to the argument of `loss` at that
    point.

    Args:
        loss: the rest of the model, from rows [N, D] to the loss [] of the task; called twice.
        z: [N, D] rows before quantization.
        values: [N, D] their values.
    """
    return float((_gradient(loss, z) - _gradient(loss, values)).norm())


def _gradient(loss: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    point = at.detach().float().requires_grad_()  # [N, D]
    with torch.enable_grad():
        return torch.autograd.grad(loss(point), point)[0]  # [N, D]

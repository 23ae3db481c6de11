"""Latents as rows, one a position, and back."""

import torch
from torch import Tensor


def as_rows(u: Tensor) -> Tensor:
    """Latents [B, M, h, w] -> [B h w, M]."""
    return u.permute(0, 2, 3, 1).flatten(0, 2)


def as_maps(rows: Tensor, shape: torch.Size) -> Tensor:
    """Inverse of `as_rows`: rows [B h w, M] -> latents of `shape`, [B, M, h, w]."""
    return rows.view(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2)

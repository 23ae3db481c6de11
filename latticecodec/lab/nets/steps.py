"""The order of coding of entropy/steps.py as tensors, for the networks that learn it."""

import torch
from torch import Tensor

from ...config import CONTEXT_STEPS
from ...entropy.steps import POSITION_RANK


def context_steps(channels: int, height: int, width: int, device: torch.device | None = None) -> Tensor:
    """The step 0..3 at which each symbol is coded: uint8 [channels, height, width]."""
    row, column = (torch.arange(side, device=device).remainder(2) for side in (height, width))
    (_, right), (below, _) = POSITION_RANK  # computed, since a copy from the host would make a GPU wait
    rank = ((below * row)[:, None] ^ (right * column)).to(torch.uint8)  # [height, width]
    group = torch.arange(channels, device=device).remainder(CONTEXT_STEPS).to(torch.uint8)
    return rank[None] ^ group[:, None, None]  # [channels, height, width]

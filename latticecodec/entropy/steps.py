"""The order in which the symbols of a picture are coded.

Step s of 4 codes a quarter of the symbols: channel group c mod 4 at one of the four positions of each 2x2 cell, a Latin
square, so each step knows one more quarter of the channels at every position (DCVC-DC, Li et al., CVPR 2023). Within a
channel a diagonal pair of positions comes first, then the other pair.
"""

import torch
from torch import Tensor

from ..config import CONTEXT_STEPS

POSITION_RANK = ((0, 2), (3, 1))  # of (row mod 2, column mod 2)


def context_steps(channels: int, height: int, width: int, device: torch.device | None = None) -> Tensor:
    """The step 0..3 at which each symbol is coded: uint8 [channels, height, width]."""
    row, column = (torch.arange(side, device=device).remainder(2) for side in (height, width))
    (_, right), (below, _) = POSITION_RANK  # computed, since a copy from the host would make a GPU wait
    rank = ((below * row)[:, None] ^ (right * column)).to(torch.uint8)  # [height, width]
    group = torch.arange(channels, device=device).remainder(CONTEXT_STEPS).to(torch.uint8)
    return rank[None] ^ group[:, None, None]  # [channels, height, width]

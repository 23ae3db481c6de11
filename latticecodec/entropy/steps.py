"""The order in which the symbols of a picture are coded.

Step s of 4 codes a quarter of the symbols: channel group c mod 4 at one of the four positions of each 2x2 cell, a Latin
square, so each step knows one more quarter of the channels at every position (DCVC-DC, Li et al., CVPR 2023). Within a
channel a diagonal pair of positions comes first, then the other pair.
"""

import numpy as np
from numpy.typing import NDArray

from ..config import CONTEXT_STEPS

POSITION_RANK = ((0, 2), (3, 1))  # of (row mod 2, column mod 2)

Quarter = tuple[slice, slice, slice]  # channels, rows, columns


def quarters(step: int) -> list[Quarter]:
    """Where the symbols of a step are, for each group of channels: rank ^ group = step."""
    position = {rank: (row, column) for row, ranks in enumerate(POSITION_RANK) for column, rank in enumerate(ranks)}
    places = [(group, *position[step ^ group]) for group in range(CONTEXT_STEPS)]
    return [np.s_[group::CONTEXT_STEPS, row::2, column::2] for group, row, column in places]


def context_steps(channels: int, height: int, width: int) -> NDArray[np.uint8]:
    """The step 0..3 at which each symbol is coded: [channels, height, width]."""
    steps = np.empty((channels, height, width), dtype=np.uint8)
    for step in range(CONTEXT_STEPS):
        for quarter in quarters(step):
            steps[quarter] = step
    return steps

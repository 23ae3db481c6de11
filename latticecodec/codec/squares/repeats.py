"""How much of a picture stands in it before: a lossless coder copies that, and single squares do not show it."""

import numpy as np
from numpy.typing import NDArray

from ...picture import Samples
from .statistics import strips

FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)  # of hashes; each makes the run that is hashed twice as long
PICKED = 1 << 26  # hashes below are compared, one of 64: the same ones, wherever they stand


def repeated(colour: Samples) -> float:
    """Part of the runs of 16 pixels of [H, W, C] that are as one before; those that begin flat do not count.

    By one channel, grey or green: where another differs it says too much, and a trial is made for nothing.
    """
    runs = np.concatenate([_picked(colour[rows]) for rows in strips(len(colour))])
    return (len(runs) - len(np.unique(runs))) / max(1, len(runs))


def _picked(colour: Samples) -> NDArray[np.uint32]:
    """The hashes that are compared of the runs in [H, W, C]."""
    hashes = colour[:, :, colour.shape[2] // 2].astype(np.uint32)  # [H, W]
    begins = hashes[:, 1:] != hashes[:, :-1]  # [H, W - 1]
    for level, factor in enumerate(FACTORS):
        hashes = hashes[:, : -(1 << level)] * np.uint32(factor) + hashes[:, 1 << level :]  # [H, W - 15] at the end
    hashes = (hashes ^ hashes >> np.uint32(15)) * np.uint32(FACTORS[0])
    picked: NDArray[np.uint32] = hashes[(hashes < PICKED) & begins[:, : hashes.shape[1]]]
    return picked

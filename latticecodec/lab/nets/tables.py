"""The frequency tables that a model gets when it is exported: of a mixture of two Gaussians, at every scale."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...entropy.coder import PRECISION, Int32, Tables
from ...entropy.numbers import (
    FRACTION_BITS,
    LOG_SCALE_MIN,
    MEAN_BITS,
    MEAN_MAX,
    SCALE_BITS,
    SCALE_COUNT,
    TAIL_FROM,
    TAIL_RATIO,
    TAIL_SHARE,
    TAIL_SHARE_NARROW,
)
from ...entropy.tables import ONE, TableIndex

WIDEST = 1400  # half-width of the largest table


def fraction_shifts() -> Int32:
    """Low bits of a mean in sixteenths that each scale index ignores: one more for each doubling of sigma from 0.7."""
    log_sigma = LOG_SCALE_MIN + np.arange(SCALE_COUNT) / (1 << SCALE_BITS)
    return np.clip(np.floor((log_sigma - math.log(0.35)) / math.log(2)), 0, FRACTION_BITS).astype(np.int32)


def make_table_index() -> TableIndex:
    """Tables of a mixture of two Gaussians, the second TAIL_RATIO times as wide; its share depends on the scale."""
    shifts = fraction_shifts()
    rows: list[Int32] = []
    first: list[int] = []
    lengths: list[int] = []
    for scale in range(SCALE_COUNT):
        log_sigma = LOG_SCALE_MIN + scale / (1 << SCALE_BITS)
        sigma = math.exp(log_sigma)
        share = TAIL_SHARE if log_sigma >= TAIL_FROM else TAIL_SHARE_NARROW
        half = min(WIDEST, max(3, math.ceil(4 * sigma * TAIL_RATIO)))
        first.append(len(lengths))
        ignored = 1 << int(shifts[scale])
        for fraction in range(ONE // 2 % ignored, ONE, ignored):
            centre = (fraction - ONE // 2) / ONE
            edges = torch.arange(-half, half + 2, dtype=torch.float64) - 0.5 - centre  # [2 half + 2]
            inside = (1 - share) * _gaussian(edges, sigma) + share * _gaussian(edges, sigma * TAIL_RATIO)
            rows.append(integer_frequencies(inside))
            lengths.append(len(rows[-1]))
    means = np.sinh(np.arange(-MEAN_MAX, MEAN_MAX + 1) / (1 << MEAN_BITS)) * ONE
    tables = Tables(np.concatenate(rows), np.cumsum([0, *lengths]).astype(np.int32))
    return TableIndex(tables, np.round(means).astype(np.int32), shifts, np.array(first, dtype=np.int32))


def _gaussian(edges: Tensor, sigma: float) -> NDArray[np.float64]:
    """Mass between consecutive edges [n + 1], then the mass outside of them: [n + 1]."""
    root = 1 / (sigma * math.sqrt(2))
    mass = 0.5 * (torch.erf(edges[1:] * root) - torch.erf(edges[:-1] * root))
    outside = 0.5 * (torch.erfc(edges[-1:] * root) + torch.erfc(-edges[:1] * root))
    return torch.cat([mass, outside]).numpy()


def integer_frequencies(mass: NDArray[np.float64]) -> Int32:
    """Probabilities or weights [n] to integers [n], each at least 1, in sum 2^24; the largest takes up the rounding."""
    free = (1 << PRECISION) - len(mass)
    frequencies = 1 + np.floor(np.clip(mass, 0, None) / mass.sum() * free).astype(np.int64)
    frequencies[np.argmax(frequencies)] += (1 << PRECISION) - frequencies.sum()
    result: Int32 = frequencies.astype(np.int32)
    return result

"""Rates of models on a scaled basis: the fineness, how much finer it is than the model's own, in 1/1024 octave."""

import numpy as np

from ..config import ModelConfig
from ..container import BASIS_UNIT
from ..entropy.numbers import LEVELS
from ..errors import ModelError


class Fineness:
    """What `base.Bottleneck` asks about rates; every scale is legal."""

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self.span = round(config.octaves * BASIS_UNIT)  # fineness at rate coordinate 1
        self.lowest, self.highest = (round(t * self.span) for t in config.reach)

    def rate(self, quality: float) -> int:
        """See `base.Bottleneck`."""
        return round(self.lowest + quality / 100 * (self.highest - self.lowest))

    def quality(self, rate: int) -> float:
        """See `base.Bottleneck`."""
        return 100 * (rate - self.lowest) / (self.highest - self.lowest)

    def scale(self, rate: int) -> int:
        """See `base.Bottleneck`."""
        return -rate

    def rate_of(self, scale: int) -> int:
        """See `base.Bottleneck`."""
        return -scale

    def level(self, rate: int) -> int:
        """The prior's quality level 0..63, in integers."""
        return int(np.clip((2 * rate * (LEVELS - 1) + self.span) // (2 * self.span), 0, LEVELS - 1))


def check_no_books(config: ModelConfig) -> None:
    """Raise ModelError for sizes of codebooks where a kind has none."""
    if config.books:
        raise ModelError(f"config field books is {list(config.books)}; of a {config.quantizer} it must be []")

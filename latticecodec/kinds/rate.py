"""A rate: how much finer than the model's own basis that of a picture is, and what everybody else calls it."""

from dataclasses import dataclass

import numpy as np

from ..config import ModelConfig
from ..container import BASIS_UNIT
from ..entropy.numbers import LEVELS


@dataclass(frozen=True)
class Rate:
    """One of the rates of a model; bytes and fidelity rise with each of its numbers but `scale`.

    Attributes:
        number: the fineness, in 1/1024 octave.
        quality: 0..100.
        level: what the prior knows of it, 0..63 (FORMAT.md).
        t: the rate coordinate, which the synthesis and the weight of the distortion depend on.
    """

    number: int
    quality: float
    level: int
    t: float

    @property
    def scale(self) -> int:
        """What the header's scale field says of it."""
        return -self.number


class Rates:
    """The rates of a model: every integer from `lowest`, quality 0, to `highest`, quality 100, and those beyond."""

    def __init__(self, config: ModelConfig) -> None:
        self._span = round(config.octaves * BASIS_UNIT)  # fineness at rate coordinate 1
        self.lowest, self.highest = (round(t * self._span) for t in config.reach)

    def at(self, number: int) -> Rate:
        """The rate of a number."""
        quality = 100 * (number - self.lowest) / (self.highest - self.lowest)
        level = (2 * number * (LEVELS - 1) + self._span) // (2 * self._span)  # rounded, in integers
        return Rate(number, quality, int(np.clip(level, 0, LEVELS - 1)), number / self._span)

    def of_quality(self, quality: float) -> Rate:
        """The rate nearest to a quality of 0..100."""
        return self.at(round(self.lowest + quality / 100 * (self.highest - self.lowest)))

    def of_scale(self, scale: int) -> Rate:
        """The rate that a header's scale field means; every scale is legal."""
        return self.at(-scale)

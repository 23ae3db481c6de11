"""What the codec asks of whoever computes the networks: arrays of numpy in, arrays of numpy out, one picture at a time.

A backend is made of a model's configuration and its tensors, those of a base and low-rank additions merged. Its
results may differ from another backend's in the last digits; nothing in a file depends on them but for what an encoder
chooses. M, Z: channels of latents and of hyper-latents; h, w: latent positions, those of hyper-latents in
`hyper_analysis`; t: the rate coordinate (`kinds.Rate`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..entropy.coder import Float32
from ..weights import Array

Tensors = Mapping[str, Array]  # by the names in model.safetensors
Report = Callable[[int, int], None]  # called with (steps done, steps in all)


class Backend(Protocol):
    """The networks of a model.

    Every method raises LcqError where there is not enough memory. None changes what it is given, or keeps it.
    """

    def analysis(self, x: Float32) -> Float32:
        """Pixels x [3, 16 h, 16 w] in [0, 1] -> latents y [M, h, w]."""

    def hyper_analysis(self, u: Float32) -> Float32:
        """Companded coordinates of latents u [M, 4 h, 4 w] -> hyper-latents z [Z, h, w], not rounded."""

    def synthesis(self, y_hat: Float32, t: float) -> Float32:
        """Latents y_hat [M, h, w] -> pixels x_hat [3, 16 h, 16 w], about in [0, 1], not clamped."""

    def distortion_step(self, y_hat: Float32, t: float, x: Float32, tune: str) -> Float32:
        """The gradient [M, h, w], with respect to y_hat, of what y_hat costs in bits.

        The cost is DISTORTIONS[tune](x_hat, x, config.rate_weight(t)) of lab/distortion.py, with x_hat the first H rows
        and W columns of what the synthesis makes of y_hat.

        Args:
            y_hat: latents [M, h, w].
            t: rate coordinate.
            x: the picture they are of, [3, H, W] in [0, 1], H <= 16 h and W <= 16 w.
            tune: one of config.TUNES.

        Raises ImageError where x is too small for `tune`.
        """


@dataclass(frozen=True)
class Refinement:
    """How latents are to be refined, whatever part of a picture they are of.

    Attributes:
        steps: the lattice basis [M]: y_hat = steps x coordinates.
        t: rate coordinate.
        tune: what to refine for, one of config.TUNES.
        iterations: of gradient descent.
        rounded_below: log of the predicted sigma from which a coordinate is not rounded, since it will be part of an
            E8 point.
    """

    steps: Float32
    t: float
    tune: str
    iterations: int
    rounded_below: float


class Refiner(Protocol):
    """What moves latents down a gradient: of distortion alone, or through the prior in floating point of bits too."""

    def refine(self, u: Float32, x: Float32, refinement: Refinement, report: Report) -> Float32:
        """Latents in lattice steps [M, h, w] that make a better file than u [M, h, w].

        Args:
            u: latents in lattice steps.
            x: the picture they are of, [3, H, W] in [0, 1], H <= 16 h and W <= 16 w.
            refinement: how.
            report: called with (iterations done, iterations in all) after each.

        Raises ImageError where x is too small for the tune, LcqError where there is not enough memory.
        """

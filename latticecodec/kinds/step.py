"""Effort 1: one step down the distortion alone, after which points should be chosen by distance and bits together."""

import math

import numpy as np

from ..backends.backend import Backend, Refinement, Report
from ..entropy.coder import Float32

ONE_STEP = {1: (0.007, 7.0), 2: (0.02, 1.0)}  # step and sharpness of the soft rounding, by the unit of the coordinates


class OneStep:
    """See `backend.Refiner`; one iteration, which looks at the distortion and not at the bits.

    Args:
        backend: of the model.
        unit: 1 where latents will be rounded to integers; 2 for E8, whose points the soft rounding does not know, so
            that it is weak.
    """

    def __init__(self, backend: Backend, unit: int) -> None:
        self._backend = backend
        self._length, self._sharpness = ONE_STEP[unit]

    def refine(self, u: Float32, x: Float32, refinement: Refinement, report: Report) -> Float32:
        """See `backend.Refiner`."""
        basis = refinement.steps[:, None, None]  # [M, 1, 1]
        soft, slope = soft_round(u, self._sharpness)  # [M, h, w] each
        gradient = self._backend.distortion_step(soft * basis, refinement.t, x, refinement.tune)  # [M, h, w], of y_hat
        report(1, 1)
        return u - self._length * (gradient * basis * slope)


def soft_round(u: Float32, alpha: float) -> tuple[Float32, Float32]:
    """u [...] rounded softly, and the slope of that; the identity for alpha -> 0, rounding for alpha -> infinity.

    s(u) = floor(u) + 1/2 + tanh(alpha r) / (2 tanh(alpha / 2)), with r = u - floor(u) - 1/2 (Agustsson and Theis,
    2020).
    """
    middle = np.floor(u) + np.float32(0.5)  # [...]
    bent = np.tanh(alpha * (u - middle))  # [...]
    most = 2 * math.tanh(alpha / 2)
    return middle + bent / most, alpha / most * (1 - np.square(bent))

"""Efforts 1 to 3: steps down the distortion alone; points should be chosen by distance and bits together after them."""

import math

import numpy as np

from ..backends.backend import Backend, Refinement, Report
from ..entropy.coder import Float32


class Steps:
    """See `backend.Refiner`; its iterations look at the distortion and not at the bits.

    Args:
        backend: of the model.
        length: of a step.
        sharpness: of the soft rounding.
    """

    def __init__(self, backend: Backend, length: float, sharpness: float) -> None:
        self._backend, self._length, self._sharpness = backend, length, sharpness

    def refine(self, u: Float32, x: Float32, refinement: Refinement, report: Report) -> Float32:
        """See `backend.Refiner`."""
        basis, count = refinement.steps[:, None, None], refinement.iterations  # [M, 1, 1]
        for done in range(1, count + 1):
            soft, slope = soft_round(u, self._sharpness)  # [M, h, w] each
            y_hat = soft * basis  # [M, h, w]
            gradient = self._backend.distortion_step(y_hat, refinement.t, x, refinement.tune)  # [M, h, w]
            u = u - self._length * (gradient * basis * slope)  # [M, h, w]
            report(done, count)
        return u


def soft_round(u: Float32, alpha: float) -> tuple[Float32, Float32]:
    """u [...] rounded softly, and the slope of that; the identity for alpha -> 0, rounding for alpha -> infinity.

    s(u) = floor(u) + 1/2 + tanh(alpha r) / (2 tanh(alpha / 2)), with r = u - floor(u) - 1/2 (Agustsson and Theis,
    2020).
    """
    middle = np.floor(u) + np.float32(0.5)  # [...]
    bent = np.tanh(alpha * (u - middle))  # [...]
    most = 2 * math.tanh(alpha / 2)
    return middle + bent / most, alpha / most * (1 - np.square(bent))

"""Effort 1: one step down the distortion alone, after which points should be chosen by distance and bits together."""

import math

import numpy as np

from ..backends.backend import Backend
from ..entropy.coder import Float32
from .parts import Report

ONE_STEP = {1: (0.007, 7.0), 2: (0.02, 1.0)}  # step and sharpness of the soft rounding, by the unit of the coordinates


def one_step(
    u: Float32, *, steps: Float32, t: float, x: Float32, tune: str, unit: int, backend: Backend, report: Report
) -> Float32:
    """Latents [M, h, w] in lattice steps that the synthesis makes more of than of u [M, h, w].

    Args:
        u: latents in lattice steps.
        steps: the lattice basis [M].
        t: rate coordinate.
        x: the picture they are of, [3, H, W] in [0, 1].
        tune: one of config.TUNES.
        unit: 1 where they will be rounded to integers; 2 for E8, whose points the soft rounding does not know, so that
            it is weak.
        backend: of the model.
        report: called when it is done.
    """
    length, sharpness = ONE_STEP[unit]
    basis = steps[:, None, None]  # [M, 1, 1]
    soft, slope = soft_round(u, sharpness)  # [M, h, w] each
    gradient = backend.distortion_step(soft * basis, t, x, tune)  # [M, h, w], of y_hat
    report(1, 1)
    return u - length * (gradient * basis * slope)


def soft_round(u: Float32, alpha: float) -> tuple[Float32, Float32]:
    """u [...] rounded softly, and the slope of that; the identity for alpha -> 0, rounding for alpha -> infinity.

    s(u) = floor(u) + 1/2 + tanh(alpha r) / (2 tanh(alpha / 2)), with r = u - floor(u) - 1/2 (Agustsson and Theis,
    2020).
    """
    middle = np.floor(u) + np.float32(0.5)  # [...]
    bent = np.tanh(alpha * (u - middle))  # [...]
    most = 2 * math.tanh(alpha / 2)
    return middle + bent / most, alpha / most * (1 - np.square(bent))

"""Hyper-latents from latents: companded, edges repeated up to whole positions, rounded."""

import numpy as np

from ..backends.backend import Backend
from ..config import HYPER
from ..entropy.coder import Float32, Int32
from ..entropy.numbers import COORDINATE_MAX
from ..errors import ModelError


def hyper_latents(backend: Backend, u: Float32) -> Int32:
    """Latents in units of about a quantization step [M, h, w] -> z int32 [Z, h/4, w/4].

    Raises ModelError where the network gives values that are not numbers.
    """
    bottom, right = -u.shape[1] % HYPER, -u.shape[2] % HYPER
    companded: Float32 = np.arcsinh(u)  # [M, h, w]
    companded /= 2
    padded = np.pad(companded, ((0, 0), (0, bottom), (0, right)), mode="edge")  # [M, h', w']
    z = np.rint(backend.hyper_analysis(padded))  # [Z, h/4, w/4]
    if not np.isfinite(z).all():
        raise ModelError("the model's hyper-analysis gives values that are not numbers; take another model")
    return z.clip(-COORDINATE_MAX, COORDINATE_MAX).astype(np.int32)

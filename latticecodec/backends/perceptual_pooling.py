"""Pictures of half the size, and gradients back to the whole."""

import numpy as np

from ..entropy.coder import Float32


def halved(x: Float32) -> Float32:
    """Means of 2 x 2 pixels of [C, 2h, 2w], [C, h, w]."""
    pairs: Float32 = x[:, ::2] + x[:, 1::2]  # [C, h, 2w]
    halves: Float32 = (pairs[:, :, ::2] + pairs[:, :, 1::2]) / np.float32(4)  # [C, h, w]
    return halves


def doubled(gradient: Float32) -> Float32:
    """What `halved` passes back: gradients [C, h, w] with respect to means, [C, 2h, 2w] to their pixels."""
    pixels: Float32 = np.repeat(np.repeat(gradient / 4, 2, axis=2), 2, axis=1)  # [C, 2h, 2w]
    return pixels

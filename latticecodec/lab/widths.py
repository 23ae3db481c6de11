"""How wide the first basis of a lattice is."""

import math


def width_for_codebook_size(size: float, dimensions: int) -> float:
    """Half-width of the initial basis for about `size` points in [0, 1]^D (eq. 6, A.1): 1 / (K^(1/D) - 1)."""
    return 1.0 / (math.pow(size, 1.0 / dimensions) - 1.0)

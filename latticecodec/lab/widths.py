"""How wide the first basis of a lattice is."""

import math

from ..errors import TrainingError

SIZE_MIN = 2.0  # points; of fewer there is no codebook, and near one the basis grows without bounds


def width_for_codebook_size(size: float, dimensions: int) -> float:
    """Half-width of the initial basis for about `size` points in [0, 1]^D (eq. 6, A.1): 1 / (K^(1/D) - 1).

    Raises TrainingError for less than SIZE_MIN.
    """
    if not size >= SIZE_MIN:
        raise TrainingError(f"a codebook of {size} points is too small; take at least {SIZE_MIN:g}")
    return 1.0 / (math.pow(size, 1.0 / dimensions) - 1.0)

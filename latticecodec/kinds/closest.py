"""The codeword that costs least for each row: squared distance and a penalty together."""

import numpy as np
from numpy.typing import NDArray

from ..entropy.coder import Float32

TABLE_ENTRIES = 2**17  # most distances held at once: 512 KiB of float32, which stay in the cache of a core


def closest(rows: Float32, codewords: Float32, penalty: Float32) -> NDArray[np.int64]:
    """Indices [N] of the codeword c that minimises |row - c|^2 + penalty; the lowest of equals.

    The codewords' mean is taken off both sides, which keeps the distances exact far from the origin.

    Args:
        rows: [N, D].
        codewords: [K, D].
        penalty: [N, K].
    """
    centre = codewords.mean(0)  # [D]
    codes = codewords - centre  # [K, D]
    offsets = np.square(codes).sum(1)  # [K]
    chosen = np.empty(len(rows), np.int64)
    count = max(1, TABLE_ENTRIES // len(codewords))
    for start in range(0, len(rows), count):
        at = slice(start, start + count)
        chosen[at] = ((rows[at] - centre) @ (-2 * codes.T) + (offsets + penalty[at])).argmin(1)
    return chosen

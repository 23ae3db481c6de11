"""From the tables of a lattice model to what `E8Points` reads beside them."""

import numpy as np
import torch
from torch import Tensor

from ...entropy.coder import PRECISION, Int32
from ...entropy.e8 import LEVELS, ONE, RHO_BITS
from ...entropy.tables import TableIndex
from .tables import integer_frequencies


def e8_state(index: TableIndex, threshold: int) -> dict[str, Tensor]:
    """What `E8Points` needs beside the tables of the integers, for coordinates of scale index `threshold` and up."""
    count = len(index.tables.offsets) - 1
    rows = [bit_row((level + 0.5) / LEVELS) for level in range(LEVELS)]
    even, rho = np.full(count, -1, dtype=np.int32), np.zeros(count, dtype=np.int32)
    for table in range(int(index.first[threshold]), count):
        row = index.tables.frequencies[index.tables.offsets[table] : index.tables.offsets[table + 1]]
        half = (len(row) - 2) // 2
        balance = int((row[:-1].astype(np.int64) * (1 - 2 * (np.arange(-half, half + 1) & 1))).sum())
        rho[table] = min(max(balance >> (PRECISION - RHO_BITS), 1 - ONE), ONE - 1)
        even[table] = count + len(rows)
        rows += [one_parity(row, 0), one_parity(row, 1)]
    return {
        "e8.threshold": torch.tensor([threshold], dtype=torch.int32),
        "e8.frequencies": torch.from_numpy(np.concatenate(rows)),
        "e8.offsets": torch.from_numpy(np.cumsum([0, *(len(row) for row in rows)]).astype(np.int32)),
        "e8.even": torch.from_numpy(even),
        "e8.rho": torch.from_numpy(rho),
    }


def bit_row(zero: float) -> Int32:
    """The table of a bit that is 0 with probability `zero`: frequencies of -1, 0, 1 and the escape."""
    return integer_frequencies(np.array([0, zero, 1 - zero, 0]))


def one_parity(row: Int32, parity: int) -> Int32:
    """The table of j for residuals r = 2 j + parity, from the table of r."""
    half = (len(row) - 2) // 2
    reach = max(1, (half + parity) // 2)  # half-width of the new table
    mass = np.zeros(2 * reach + 2)
    for j in range(-reach, reach + 1):
        r = 2 * j + parity
        if -half <= r <= half:
            mass[j + reach] = row[r + half]
    mass[-1] = row[-1] / 2
    return integer_frequencies(mass)

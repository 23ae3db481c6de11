"""The lattice of `lattice-e8`: E8 for blocks of eight coordinates, integers elsewhere, on the same diagonal basis.

Which coordinates form blocks follows from the prior's predictions (entropy/e8.py); to this class all are doubled
integers. E8 and the integers have one point a unit volume, so the rate stays and the error of a block falls, by up to
0.65 dB (Conway and Sloane 1982).
"""

import torch
from torch import Tensor

from .lattice import DiagonalLattice


class E8Lattice(DiagonalLattice):
    """Diagonal basis over E8 and integer points in doubled coordinates; trained as the diagonal lattice."""

    @staticmethod
    def quantize(y: Tensor, basis: Tensor) -> Tensor:
        """The nearest integer points of y [D, h, w], as doubled coordinates; E8 blocks are made in entropy/e8.py."""
        return 2 * DiagonalLattice.quantize(y, basis)

    @staticmethod
    def dequantize(coordinates: Tensor, basis: Tensor) -> Tensor:
        """int32 doubled coordinates [D, h, w] -> lattice points [D, h, w], float32."""
        return coordinates.to(torch.float32) * (basis[:, None, None] / 2)

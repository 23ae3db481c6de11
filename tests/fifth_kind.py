"""A kind of model in one file, as CONTRIBUTING.md tells it: `dead-zone`, scalar quantization with a wider cell at zero.

A coordinate within 0.7 lattice steps of zero becomes zero; the cells beyond are one step wide, as a lattice's are, and
begin 0.2 steps farther out (JPEG 2000 has such a quantizer, with a zone of a whole step either way).
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from latticecodec.entropy.coder import Float32, Int32
from latticecodec.kinds import Basis, Budget, Lattice, Rate
from latticecodec.lab.arithmetic import straight_through
from latticecodec.lab.quantizers import DiagonalLattice, Quantized
from latticecodec.lab.training.kinds.lattice import LatticeModel

ZONE = 0.2  # lattice steps that the cell of zero is wider than the others, either way


# ---- to code pictures with it: latticecodec/kinds/dead_zone.py ------------------------------------------------------


class DeadZone(Lattice):
    """A lattice whose latents are shrunk before they are rounded and coded, and whose points lie farther out."""

    name = "dead-zone"
    format_id = (15, 1)
    described: ClassVar[dict[str, str]] = {"quantizer": "dead-zone", "lattice": "diagonal"}

    def prepare(self, y: Float32, rate: Rate, basis: Basis | None, budget: Budget | None = None) -> Float32:
        """See `kind.Kind`."""
        u = super().prepare(y, rate, basis, budget)  # [M, h, w]
        shrunk: Float32 = np.sign(u) * np.maximum(np.abs(u) - np.float32(ZONE), 0)
        return shrunk

    def values(self, indices: Int32, rate: Rate, basis: Basis | None) -> Float32:
        """See `kind.Kind`."""
        return super().values(indices + ZONE * np.sign(indices), rate, basis)  # [M, h, w]


KINDS = (DeadZone,)


# ---- to train it: latticecodec/lab/training/kinds/dead_zone.py ------------------------------------------------------


class DeadZoneLattice(DiagonalLattice):
    """The points of `DeadZone`, with gradients."""

    def forward(self, y: Tensor, octaves: Tensor) -> Quantized:
        """Quantize y [B, D, h, w] for training, straight through the rounding."""
        basis = self.basis(octaves)[:, :, None, None]  # [B, D, 1, 1]
        u = y / basis  # [B, D, h, w]
        shrunk = u.sign() * (u.abs() - ZONE).clamp_min(0)
        k = shrunk.round()
        values = straight_through((k + ZONE * k.sign()) * basis, y)
        return Quantized(values, straight_through(k, shrunk), shrunk, torch.zeros((), device=y.device))


class DeadZoneModel(LatticeModel):
    """A lattice model in all but its lattice."""

    kind = "dead-zone"
    options = ()
    tuned = False
    lattice = DeadZoneLattice


MODEL = DeadZoneModel

"""Learnable lattice with a full basis: {B k : k integer}, the lattice vectors in the columns of B.

As in OLVQ (Zhang and Wu, "Learning Optimal Lattice Vector Quantizers", NeurIPS 2024, arXiv 2411.16119), the basis is
trained with the networks, and a penalty can keep it near orthogonal, where the fast roundings are close to exact. Both
roundings are Babai's (Combinatorica 6, 1986), and give a near point, not always the nearest. Here vectors are the rows
of tensors [..., D], so that points are k @ B^T; in latents [B, D, h, w] they are the fibres along the channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import ModelError, TrainingError
from ..arithmetic import straight_through
from .base import Quantized


def relax(y: Tensor, basis: Tensor) -> Tensor:
    """Real coordinates B^-1 y [..., D] of y [..., D] in basis [D, D]."""
    inverse: Tensor = torch.linalg.inv(basis)  # [D, D]
    return y @ inverse.mT  # [..., D]


def babai(y: Tensor, basis: Tensor) -> Tensor:
    """Babai rounding k = round(B^-1 y): y [..., D], basis [D, D] -> integers in floating point [..., D]."""
    return relax(y, basis).round()


def nearest_plane(y: Tensor, basis: Tensor) -> Tensor:
    """Babai's nearest plane, one coordinate after the other: y [..., D], basis [D, D] -> integers [..., D].

    With B = Q R, the last coordinate picks the nearest of the parallel planes that the other columns span; what is
    left of y is rounded in the same way within that plane.
    """
    q, r = torch.linalg.qr(basis)  # [D, D] each
    rest = y @ q  # [..., D] Q^T y
    coordinates = torch.zeros_like(rest)  # [..., D]
    for i in reversed(range(len(r))):
        coordinates[..., i] = (rest[..., i] / r[i, i]).round()  # [...]
        rest = rest - coordinates[..., i, None] * r[:, i]  # [..., D]
    return coordinates


ROUNDINGS = {"babai": babai, "nearest-plane": nearest_plane}


class FullLattice(nn.Module):
    """Lattice of any basis over the channels of a latent tensor.

    Args:
        channels: dimension D of the lattice; the basis has D^2 entries.
        step: the initial basis is `step` times the identity.
        rounding: key of ROUNDINGS; "babai" is one matrix product, "nearest-plane" D steps and nearer on average.
        orthogonality: weight of `skewness` in the loss.
        commitment: weight of the commitment term, mean squared distance of y to its (detached) lattice point; the
            embedding term, which moves the basis, then has weight 1.

    Raises:
        TrainingError: `rounding` is not a key of ROUNDINGS.
    """

    def __init__(
        self,
        channels: int,
        step: float = 0.5,
        rounding: str = "babai",
        orthogonality: float = 0.0,
        commitment: float = 0.0,
    ) -> None:
        super().__init__()
        if rounding not in ROUNDINGS:
            raise TrainingError(f"rounding {rounding!r} is not one of {', '.join(ROUNDINGS)}")
        self.columns = nn.Parameter(step * torch.eye(channels))  # [D, D] B
        self.rounding = rounding
        self.orthogonality = orthogonality
        self.commitment = commitment

    def basis(self, octaves: Tensor) -> Tensor:
        """Bases [B, D, D] at scales `octaves` [B] (log2; negative is finer)."""
        return self.columns * octaves.exp2()[:, None, None]  # [B, D, D]

    def skewness(self) -> Tensor:
        """Off-diagonal energy of the Gram matrix of the normalised columns, in [0, D^2 - D]; 0 is orthogonal."""
        directions = F.normalize(self.columns, dim=0)  # [D, D]
        return 2 * (directions.mT @ directions).triu(1).square().sum()  # []

    def forward(self, y: Tensor, octaves: Tensor) -> Quantized:
        """Quantize y [B, D, h, w] for training, straight through the rounding; in float32, even under autocast.

        Raises:
            ModelError: the basis is singular.
        """
        with torch.autocast(y.device.type, enabled=False):
            scale = octaves.float().exp2()[:, None, None, None]  # [B, 1, 1, 1]
            rows = (y.float() / scale).movedim(1, -1)  # [B, h, w, D]
            relaxed = relax(rows, _regular(self.columns))  # [B, h, w, D]
            with torch.no_grad():
                rounded = ROUNDINGS[self.rounding](rows, self.columns)  # [B, h, w, D]
            coordinates = straight_through(rounded, relaxed)  # [B, h, w, D]
            values = (coordinates @ self.columns.mT).movedim(-1, 1) * scale  # [B, D, h, w]
            loss = self.orthogonality * self.skewness()  # []
            if self.commitment:
                point = (rounded @ self.columns.mT).movedim(-1, 1) * scale  # [B, D, h, w]
                loss = loss + (point - y.detach()).square().mean()
                loss = loss + self.commitment * (point.detach() - y).square().mean()
        return Quantized(values, coordinates.movedim(-1, 1), relaxed.movedim(-1, 1), loss)

    def quantize(self, y: Tensor, basis: Tensor) -> Tensor:
        """Vectors y [..., D] on the lattice of `basis` [D, D] -> int32 coordinates [..., D].

        Raises:
            ModelError: the basis is singular.
        """
        with torch.autocast(y.device.type, enabled=False):
            return ROUNDINGS[self.rounding](y.float(), _regular(basis.float())).to(torch.int32)  # [..., D]

    @staticmethod
    def dequantize(coordinates: Tensor, basis: Tensor) -> Tensor:
        """int32 coordinates [..., D] -> points [..., D] of the lattice of `basis` [D, D], float32."""
        with torch.autocast(coordinates.device.type, enabled=False):
            return coordinates.to(torch.float32) @ basis.float().mT  # [..., D]


def _regular(basis: Tensor) -> Tensor:
    """`basis` itself, if its columns are linearly independent in float32."""
    condition = float(torch.linalg.cond(basis.detach(), 1))
    if not condition < 1 / torch.finfo(torch.float32).eps:
        raise ModelError(f"the lattice basis is singular (condition number {condition:.1g})")
    return basis

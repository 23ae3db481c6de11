"""The rotation trick: a gradient through vector quantization that knows where the codeword lies.

Fifty et al., "Restructuring Vector Quantization with the Rotation Trick", ICLR 2025, arXiv 2410.06424. The codeword q
of the row e is written as q = (|q| / |e|) R e, with R the rotation in the plane of e and q that turns e onto q. Forward
this is q; backward, with the ratio and R held constant, the gradient is scaled and turned by the same map. Made for
codewords that are not near zero: a codeword of length 0 would silence the gradient.
"""

from typing import Any

import torch
from torch import Tensor

from .vector import VectorQuantizer

LENGTH_MIN = 1e-6  # of e and q
BISECTOR_MIN = 1e-3  # length of e/|e| + q/|q|: closer to opposite directions than this, the rotation has no axis


def rotate(e: Tensor, q: Tensor, least_ratio: float = 0.0) -> Tensor:
    """q [N, D] bit for bit in float32, whose gradient goes to e [N, D] through (|q| / |e|) R.

    R = I - 2 r r^T + 2 q' e'^T with e' = e / |e|, q' = q / |q|, r = (e' + q') / |e' + q'|, applied without building
    a matrix. Nothing goes to q. Rows for which R is not defined, since e or q is near zero or they point in opposite
    directions, pass the gradient straight through; so do rows of one entry, which have no direction to turn, and those
    with |q| below `least_ratio` |e|, whose gradient would all but vanish.
    """
    e = e.float()
    q = q.detach().float()
    constant = e.detach()
    e_length, q_length = (x.norm(dim=1, keepdim=True) for x in (constant, q))  # [N, 1]
    e_unit = constant / e_length.clamp_min(LENGTH_MIN)  # [N, D]
    q_unit = q / q_length.clamp_min(LENGTH_MIN)  # [N, D]
    bisector = e_unit + q_unit  # [N, D]
    bisector_length = bisector.norm(dim=1, keepdim=True)  # [N, 1]
    r = bisector / bisector_length.clamp_min(BISECTOR_MIN)  # [N, D]
    turned = e - 2 * r * (r * e).sum(1, keepdim=True) + 2 * q_unit * (e_unit * e).sum(1, keepdim=True)  # [N, D]
    mapped = q_length / e_length.clamp_min(LENGTH_MIN) * turned  # [N, D]
    defined = (e_length > LENGTH_MIN) & (q_length > LENGTH_MIN) & (bisector_length > BISECTOR_MIN)  # [N, 1]
    defined &= (q_length >= least_ratio * e_length) & (e.shape[1] > 1)  # [N, 1]
    mapped = torch.where(defined, mapped, e)  # [N, D]
    return q - (mapped.detach() - mapped)


class RotationQuantizer(VectorQuantizer):
    """A VectorQuantizer with the same forward, bit for bit, and the rotation for its backward.

    Args:
        codes, dimensions, settings: as there.
        least_ratio: see `rotate`.
    """

    def __init__(self, codes: int, dimensions: int, least_ratio: float = 0.0, **settings: Any) -> None:
        super().__init__(codes, dimensions, **settings)
        self.least_ratio = least_ratio

    def pass_gradient(self, z: Tensor, values: Tensor) -> Tensor:
        """`values` [N, D] bit for bit, with the gradient rotated from their directions to those of z [N, D]."""
        return rotate(z, values, self.least_ratio)


class RescaledQuantizer(RotationQuantizer):
    """The rotation, and the gradient then scaled by 1 / (1 + |e - q|).

    Section 2.4 of "Rotational and rescaling VQ-VAE" scales gradients by the distance of encoder output and codeword and
    gives no formula; this is the simplest one that it describes.
    """

    def pass_gradient(self, z: Tensor, values: Tensor) -> Tensor:
        """`values` [N, D] bit for bit."""
        turned = super().pass_gradient(z, values)  # [N, D]
        scale = 1 / (1 + (z.detach() - values).norm(dim=1, keepdim=True))  # [N, 1]
        out: Tensor = values - scale * (turned.detach() - turned)  # [N, D]
        return out

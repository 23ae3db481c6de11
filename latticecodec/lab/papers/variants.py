"""The variant of "Rotational and rescaling VQ-VAE" that its published code has in place of the rotation trick."""

from torch import Tensor

from ..quantizers import VectorQuantizer

LENGTH_MIN = 1e-6


class ReflectedQuantizer(VectorQuantizer):
    """What the published code computes: the decoder sees |e| q / |q| in place of q, the gradient goes straight through.

    The length of e is not in the index, so that no file of indices could give these values; `dequantize` gives q.
    """

    def pass_gradient(self, z: Tensor, values: Tensor) -> Tensor:
        """`values` [N, D] with the lengths of z [N, D]."""
        lengths = z.detach().norm(dim=1, keepdim=True)  # [N, 1]
        reflected = lengths * values / values.norm(dim=1, keepdim=True).clamp_min(LENGTH_MIN)  # [N, D]
        out: Tensor = reflected - (z.detach() - z)  # [N, D]
        return out

"""Two variants of "Rotational and rescaling VQ-VAE" beside the rotation trick: that of its text and of its code."""

from torch import Tensor

from ..quantizers import RotationQuantizer, VectorQuantizer

LENGTH_MIN = 1e-6


class RescaledQuantizer(RotationQuantizer):
    """The rotation, and the gradient then scaled by 1 / (1 + |e - q|).

    Section 2.4 says that "adaptive scaling adjusts gradient magnitudes based on encoder-codebook distances" and gives
    no formula; this is the simplest one that it describes.
    """

    def pass_gradient(self, z: Tensor, values: Tensor) -> Tensor:
        """`values` [N, D] bit for bit."""
        turned = super().pass_gradient(z, values)  # [N, D]
        scale = 1 / (1 + (z.detach() - values).norm(dim=1, keepdim=True))  # [N, 1]
        out: Tensor = values - scale * (turned.detach() - turned)  # [N, D]
        return out


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

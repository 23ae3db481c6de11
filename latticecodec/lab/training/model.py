"""The trainable model: transforms, quantizer and float prior in one module, and its rate-distortion terms."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...backends.tensors import part
from ...config import ModelConfig
from ..arithmetic import straight_through
from ..nets import Analysis, HyperAnalysis, Synthesis
from ..nets.prior import FloatPrior, compand
from ..nets.prior_state import float_tensors, integer_tensors, scale_offsets
from ..quantizers import QUANTIZERS, Quantized
from .quantizer_options import DEFAULTS, QuantizerOptions


@dataclass(frozen=True)
class Forward:
    """What one pass over a batch gives."""

    bpp: Tensor  # [B] estimated bits per pixel, y and z
    bpp_z: Tensor  # [B] the part of z
    mse: Tensor  # [B] mean squared error of pixels in [0, 1]
    x_hat: Tensor  # [B, 3, H, W] not clamped
    loss: Tensor  # [] the quantizer's own loss


class TrainableModel(nn.Module):
    """All parameters of a photo codec."""

    def __init__(self, config: ModelConfig, options: QuantizerOptions = DEFAULTS) -> None:
        super().__init__()
        self.config = config
        self.analysis = Analysis(config)
        self.synthesis = Synthesis(config)
        self.hyper_analysis = HyperAnalysis(config)
        self.quantizer = QUANTIZERS[config.quantizer](
            config.latents,
            codebook_size=options.codebook_size,
            sparsity=options.gamma or 0.0,
            commitment=options.commitment or 0.0,
        )
        self.prior = FloatPrior(config)

    def forward(self, x: Tensor, t: Tensor, generator: torch.Generator | None = None) -> Forward:
        """Rate and distortion of x [B, 3, H, W] in [0, 1] at rate coordinates t [B] in [0, 1].

        With a generator the rate is that of coordinates with uniform noise (Ballé et al. 2017), without one that of
        the rounded ones; the distortion is always that of the rounded ones (Minnen and Singh 2020).
        """
        y = self.analysis(x).float()  # [B, M, h, w]
        q = self.quantizer(y, -self.config.octaves * t)
        z = self.hyper_analysis(compand(q.relaxed)).float()  # [B, Z, h/4, w/4]
        z_hat = straight_through(z.round(), z)
        features = self.prior.hyper(z_hat, t)  # [B, F, h, w]
        mean, scale = self.prior.context(q.coordinates, features)  # [B, M, h, w] each
        bits_y = self.prior.bits(noisy(q, generator), mean, scale)
        z_mean, z_scale = self.prior.z_parameters(t)
        z_rate = z_hat if generator is None else z + uniform(z, generator)
        bits_z = self.prior.bits(z_rate, z_mean, z_scale)
        x_hat = self.synthesis(q.values, t).float()  # [B, 3, H, W]
        pixels = x.shape[2] * x.shape[3]
        bpp_z = bits_z.sum((1, 2, 3)) / pixels
        bpp = bits_y.sum((1, 2, 3)) / pixels + bpp_z
        return Forward(bpp, bpp_z, (x_hat - x).square().mean((1, 2, 3)), x_hat, q.loss)

    def coded_tensors(self) -> dict[str, Tensor]:
        """The quantizer and the prior as a file is coded with them, named as in a model folder."""
        tensors = {f"quantizer.{name}": value.float() for name, value in self.quantizer.state_dict().items()}
        integers = integer_tensors(self.prior, scale_offsets(self.config.latents))
        return tensors | {f"prior.{name}": value.contiguous() for name, value in integers.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of `coded_tensors`, for the prior."""
        offsets = scale_offsets(self.config.latents)
        self.prior.load_state_dict(float_tensors(self.prior, part("prior", tensors), offsets))


def uniform(like: Tensor, generator: torch.Generator) -> Tensor:
    """Uniform noise on [-1/2, 1/2) of the shape, on the device and in the memory order of `like`."""
    return torch.empty_like(like).uniform_(-0.5, 0.5, generator=generator)


def noisy(q: Quantized, generator: torch.Generator | None) -> Tensor:
    """The coordinates that the rate is measured on."""
    return q.coordinates if generator is None else q.relaxed + uniform(q.relaxed, generator)

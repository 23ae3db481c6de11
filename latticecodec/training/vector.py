"""The trainable `vq` and `rotation`: transforms, residual codebooks and the float categorical prior."""

import torch
from torch import Tensor, nn

from ..arithmetic import straight_through
from ..bottlenecks.tensors import part
from ..config import ModelConfig
from ..networks import Analysis, HyperAnalysis, Synthesis
from ..prior.categorical_network import CategoricalPrior
from ..prior.categorical_state import categorical_state
from ..prior.network import compand
from ..prior.state import float_tensors
from ..quantizers import ResidualQuantizer, RotationQuantizer, VectorQuantizer
from .model import Forward, uniform

TRAINED = (  # with transforms of a base model, the parts of them that train; the rest stays the base's
    "analysis.leave",
    "analysis.shortcut",
    "synthesis.enter",
    "synthesis.shortcut",
    "synthesis.gain",
    "synthesis.blocks16.0",
    "synthesis.blocks16.1",
)
STAGE = {"vq": VectorQuantizer, "rotation": RotationQuantizer}  # by config.quantizer


class VectorModel(nn.Module):
    """All parameters of a photo codec with residual codebooks; the codewords are moving averages, buffers."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.analysis = Analysis(config)
        self.synthesis = Synthesis(config)
        self.hyper_analysis = HyperAnalysis(config)
        kind = STAGE[config.quantizer]
        self.quantizer = ResidualQuantizer([kind(config.codes, config.latents, seed=s) for s in range(config.stages)])
        self.prior = CategoricalPrior(config, config.stages, config.codes)
        if config.base:
            for name, value in self.named_parameters():
                value.requires_grad_(name.startswith((*TRAINED, "hyper_analysis", "prior")))

    def forward(self, x: Tensor, t: Tensor, generator: torch.Generator | None = None) -> Forward:
        """Rate and distortion of x [B, 3, H, W] in [0, 1] with 1 + t (stages - 1) stages, rounded, t [B] in [0, 1].

        The indices are chosen by distance alone: their bits teach the prior and the hyper-latents. With a generator
        the rate of hyper-latents is that of uniform noise around them.
        """
        y = self.analysis(x).float()  # [B, M, h, w]
        batch, channels, height, width = y.shape
        used = 1 + (t * (self.config.stages - 1)).round().long()  # [B]
        t = (used - 1) / max(1, self.config.stages - 1)  # [B] that of the stages used
        rows = y.permute(0, 2, 3, 1).flatten(0, 2)  # [N, M]
        q = self.quantizer(rows, used.repeat_interleave(height * width))
        y_hat = q.values.view(batch, height, width, channels).permute(0, 3, 1, 2)  # [B, M, h, w]
        indices = q.indices.view(batch, height, width, -1).permute(0, 3, 1, 2)  # [B, G, h, w]
        z = self.hyper_analysis(compand(y)).float()  # [B, Z, h/4, w/4]
        z_hat = straight_through(z.round(), z)
        z_mean, z_scale = self.prior.z_parameters(t)
        bits_z = self.prior.bits_z(z_hat if generator is None else z + uniform(z, generator), z_mean, z_scale)
        bits_y = self.prior.bits(indices, used, self.prior.hyper(z_hat, t))  # [B]
        x_hat = self.synthesis(y_hat, t).float()  # [B, 3, H, W]
        pixels = x.shape[2] * x.shape[3]
        bpp_z = bits_z.sum((1, 2, 3)) / pixels
        return Forward(bits_y / pixels + bpp_z, bpp_z, (x_hat - x).square().mean((1, 2, 3)), x_hat, q.loss)

    def rows(self, x: Tensor) -> Tensor:
        """Pictures x [B, 3, H, W] in [0, 1] -> the vectors that are quantized, float32 [B H/16 W/16, M]."""
        y: Tensor = self.analysis(x).float()  # [B, M, h, w]
        return y.permute(0, 2, 3, 1).flatten(0, 2)

    def coded_tensors(self) -> dict[str, Tensor]:
        """The codebooks and the prior as a file is coded with them, named as in a model folder."""
        codebooks = torch.stack([stage.codebook for stage in self.quantizer.first(None)])  # [G, K, M]
        integers = categorical_state(self.prior)
        return {
            "quantizer.codebooks": codebooks.half(),
            **{f"prior.{name}": value.contiguous() for name, value in integers.items()},
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of `coded_tensors`; the moving averages begin at the codewords."""
        for stage, codebook in zip(self.quantizer.first(None), tensors["quantizer.codebooks"].float(), strict=True):
            stage.begin_at(codebook)
        self.prior.load_state_dict(float_tensors(self.prior, part("prior", tensors), {}))

"""The trainable `lattice`: transforms, a diagonal lattice and the float prior, and their rate-distortion terms."""

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from ....config import ModelConfig
from ....errors import TrainingError
from ....weights import part
from ...arithmetic import straight_through
from ...nets.prior import FloatPrior, compand
from ...nets.prior_state import float_tensors, integer_tensors, scale_offsets
from ...quantizers import DiagonalLattice, Quantized
from ...ranks import Ranks
from ..data import Crops
from ..model import Forward, PhotoModel, Source, uniform
from ..options import TrainOptions
from ..quantizer_options import DEFAULTS, QuantizerOptions
from .lowrank import frozen_tensors, plain_name
from .lowrank_start import start_low_rank
from .revive import revive
from .revive_units import revive_units


class LatticeModel(PhotoModel):
    """See `PhotoModel`."""

    kind = "lattice"
    options: ClassVar[tuple[str, ...]] = ("gamma", "codebook_size", "commitment")
    tuned = True
    recorded = True
    lattice: ClassVar[type[DiagonalLattice]] = DiagonalLattice

    def __init__(self, config: ModelConfig, options: QuantizerOptions = DEFAULTS) -> None:
        super().__init__(config)
        self.quantizer = self.lattice(
            config.latents,
            codebook_size=options.codebook_size,
            sparsity=options.gamma or 0.0,
            commitment=options.commitment,
        )
        self.prior = FloatPrior(config)

    @classmethod
    def check(cls, options: TrainOptions, from_scratch: bool) -> None:
        """See `PhotoModel`."""
        if options.quantizer.codebook_size is not None and not from_scratch:
            raise TrainingError("`codebook_size` draws a first basis, but `init_from` brings its own; leave one out")

    @classmethod
    def start(cls, source: Source, crops: Crops, options: TrainOptions, resume: Path | None) -> PhotoModel:
        """See `PhotoModel`; from another lattice, or as additions to it.

        Dead channels of it get new directions, and dead units of its prior a gradient.
        """
        if options.rank:
            return start_low_rank(cls, source.info, source.config, options.rank, options.quantizer)
        model = super().start(source, crops, options, resume)
        if isinstance(model, LatticeModel) and resume is None:
            pictures = crops.first()  # [N, 3, S, S]
            revive(model, pictures)
            revive_units(model, pictures)
        return model

    def forward(self, x: Tensor, t: Tensor, generator: torch.Generator | None = None) -> Forward:
        """See `PhotoModel`.

        With a generator the rate is that of coordinates with uniform noise (Ballé et al. 2017), without one that of
        the rounded ones; the distortion is always that of the rounded ones (Minnen and Singh 2020).
        """
        y = self.analysis(x).float()  # [B, M, h, w]
        q = self.quantizer(y, -self.config.octaves * t)
        z = self.hyper_analysis(compand(q.relaxed)).float()  # [B, Z, h/4, w/4]
        z_hat = straight_through(z.round(), z)
        features = self.prior.hyper(z_hat, t)  # [B, F, h, w]
        mean, scale = self.prior.context(q.coordinates, features)  # [B, M, h, w] each
        bits_y = self.prior.bits(noisy(q, generator, self.ranks), mean, scale)
        z_mean, z_scale = self.prior.z_parameters(t)
        z_rate = z_hat if generator is None else z + uniform(z, generator, self.ranks)
        bits_z = self.prior.bits(z_rate, z_mean, z_scale)
        x_hat = self.synthesis(q.values, t).float()  # [B, 3, H, W]
        pixels = x.shape[2] * x.shape[3]
        bpp_z = bits_z.sum((1, 2, 3)) / pixels
        bpp = bits_y.sum((1, 2, 3)) / pixels + bpp_z
        return Forward(bpp, bpp_z, (x_hat - x).square().mean((1, 2, 3)), x_hat, q.loss)

    def transform_tensors(self) -> dict[str, Tensor]:
        """See `PhotoModel`."""
        return {plain_name(name): value for name, value in super().transform_tensors().items()}

    def base_tensors(self) -> set[str]:
        """See `PhotoModel`."""
        return frozen_tensors(self)

    def coded_tensors(self) -> dict[str, Tensor]:
        """See `PhotoModel`."""
        tensors = {f"quantizer.{name}": value.float() for name, value in self.quantizer.state_dict().items()}
        integers = integer_tensors(self.prior, scale_offsets(self.config.latents))
        return tensors | {f"prior.{name}": value.contiguous() for name, value in integers.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """See `PhotoModel`."""
        offsets = scale_offsets(self.config.latents)
        self.prior.load_state_dict(float_tensors(self.prior, part("prior", tensors), offsets))


def noisy(q: Quantized, generator: torch.Generator | None, ranks: Ranks) -> Tensor:
    """The coordinates that the rate is measured on."""
    return q.coordinates if generator is None else q.relaxed + uniform(q.relaxed, generator, ranks)


MODEL = LatticeModel

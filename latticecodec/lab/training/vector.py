"""The trainable `vq`, `adaptive` and `rotation`: transforms, codebooks on a scaled basis, the categorical prior."""

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...backends.tensors import part
from ...config import ModelConfig
from ...kinds.codebook import BIT
from ..arithmetic import straight_through
from ..nets import Analysis, HyperAnalysis, Synthesis
from ..nets.categorical_prior import CategoricalPrior, all_bits, index_bits
from ..nets.categorical_state import categorical_state
from ..nets.prior import compand
from ..nets.prior_state import float_tensors
from ..quantizers import (
    AttentiveAdaptiveQuantizer,
    ProductQuantizer,
    RescaledQuantizer,
    RotationQuantizer,
    Selected,
    SharedAdaptiveQuantizer,
    VectorQuantizer,
)
from ..quantizers.vector import COMMITMENT
from .model import Forward, uniform
from .quantizer_options import DEFAULTS, QuantizerOptions

TRAINED = (  # with transforms of a base model, the parts of them that train; the rest stays the base's
    "analysis.leave",
    "analysis.shortcut",
    "synthesis.enter",
    "synthesis.shortcut",
    "synthesis.gain",
    "synthesis.leave",
    "synthesis.blocks16.0",
    "synthesis.blocks16.1",
)
FREEZABLE: dict[str, tuple[str, ...]] = {  # by what `freeze` is told: the parameters that do not train
    "nothing": (),
    "analysis": ("analysis.", "log_basis"),
    "transforms": ("analysis.", "log_basis", "synthesis."),
}
STEP = 0.5  # of the basis of a model from scratch
REVIVE_BELOW = 0.002  # with entropy coding codes differ widely in use; rare ones are not dead
ROTATED_FROM = 0.1  # ratio of the lengths of codeword and slice; below, rotation leaves the gradient straight through


class VectorModel(nn.Module):
    """All parameters of a photo codec with codebooks; codewords that are moving averages are buffers."""

    def __init__(self, config: ModelConfig, options: QuantizerOptions = DEFAULTS) -> None:
        super().__init__()
        self.config = config
        self.analysis = Analysis(config)
        self.synthesis = Synthesis(config)
        self.hyper_analysis = HyperAnalysis(config)
        self.log_basis = nn.Parameter(torch.full((config.latents,), math.log(STEP)))  # [M] at rate coordinate 0
        self.quantizer = new_quantizer(config, options)
        self.prior = CategoricalPrior(config)
        self.frozen = "nothing"  # see `freeze`
        if config.base:
            for name, value in self.named_parameters():
                value.requires_grad_(name.startswith((*TRAINED, "log_basis", "hyper_analysis", "quantizer", "prior")))

    def plan(self, steps: int) -> None:
        """Let temperatures fall over so many steps."""
        if isinstance(self.quantizer, AttentiveAdaptiveQuantizer):
            self.quantizer.iterations = steps

    def freeze(self, what: str) -> None:
        """Keep parts as they are, a key of FREEZABLE; with "transforms" a step runs no synthesis."""
        self.frozen = what
        for name, value in self.named_parameters():
            if name.startswith(FREEZABLE[what]):
                value.requires_grad_(False)

    def forward(self, x: Tensor, t: Tensor, generator: torch.Generator | None = None) -> Forward:
        """Rate and distortion of x [B, 3, H, W] in [0, 1] at rate coordinates t [B] in [0, 1].

        The indices are those of least squared distance and bits together, with the bits that the prior gives to a
        first choice. The bits teach the prior and the hyper-latents, and through the soft choice of a codeword
        (Agustsson et al. 2017) the analysis. With a generator the rate of hyper-latents is that of uniform noise
        around them. With frozen transforms the error of pixels is, in training, an estimate from that of the latents.
        """
        y = self.analysis(x).float()  # [B, M, h, w]
        unit = self._unit(t)  # [B, M, 1, 1]
        u = y / unit  # [B, M, h, w]
        z = self.hyper_analysis(compand(u)).float()  # [B, Z, h/4, w/4]
        z_hat = straight_through(z.round(), z)
        z_mean, z_scale = self.prior.z_parameters(t)
        bits_z = self.prior.bits_z(z_hat if generator is None else z + uniform(z, generator), z_mean, z_scale)
        features = self.prior.hyper(z_hat, t)  # [B, F, h, w]
        rows = as_rows(u)  # [N, M]
        q = self.quantizer(rows, penalties=list(self._penalties(rows, features)))
        values = as_maps(q.values, u.shape)  # [B, M, h, w]
        coded = q.plain if isinstance(q, Selected) else q
        logits = self.prior.logits(as_maps(coded.values.detach(), u.shape), features)  # [G, N, K]
        bits = index_bits(logits, coded.indices.T)  # [G, N]
        if self.training and self.frozen == "nothing":
            bits = bits + self._rate_gradient(rows, logits.detach())
        if isinstance(q, Selected):
            bits = bits + q.rate_gradient(logits.detach())
        pixels = x.shape[2] * x.shape[3]
        bpp_z = bits_z.sum((1, 2, 3)) / pixels
        bpp = bits.sum(0).view(len(x), -1).sum(1) / pixels + bpp_z
        if self.training and self.frozen == "transforms":
            squares = (values - u).square().sum((1, 2, 3))  # [B]
            return Forward(bpp, bpp_z, squares / (BIT * self.config.rate_weight(t) * 255**2 * pixels), x, q.loss)
        x_hat = self.synthesis(values * unit, t).float()  # [B, 3, H, W]
        return Forward(bpp, bpp_z, (x_hat - x).square().mean((1, 2, 3)), x_hat, q.loss)

    def _unit(self, t: Tensor) -> Tensor:
        """Basis diagonals [B, M, 1, 1] at rate coordinates t [B]."""
        return torch.exp(self.log_basis - self.config.octaves * math.log(2) * t[:, None])[:, :, None, None]

    @torch.no_grad()
    def _penalties(self, rows: Tensor, features: Tensor) -> Tensor:
        """What all indices cost [G, N, K] in the context of a first choice, made with the indices' shares alone."""
        first = list(BIT * self.quantizer.bits())  # [K] each
        values = self.quantizer.dequantize(self.quantizer.quantize(rows, penalties=first))  # [N, M]
        shape = (len(features), self.config.latents, *features.shape[2:])
        return all_bits(self.prior.logits(as_maps(values, torch.Size(shape)), features), BIT)

    def _rate_gradient(self, rows: Tensor, logits: Tensor) -> Tensor:
        """Zeros [G, N] with the gradient that the expected bits of a soft choice have in `rows` [N, M]."""
        bits = all_bits(logits)  # [G, N, K]
        expected = []
        parts = zip(self.quantizer.candidates(), self.quantizer.slices(rows), bits, strict=True)
        for codewords, slice_, own in parts:  # [K, D_g], [N, D_g], [N, K]
            codewords = codewords.detach()
            cost = codewords.square().sum(1) - 2 * slice_ @ codewords.T + BIT * own  # [N, K]
            expected.append((torch.softmax(-cost / BIT, 1) * own).sum(1))  # [N]
        soft = torch.stack(expected)  # [G, N]
        return soft - soft.detach()

    @torch.no_grad()
    def code(self, x: Tensor, t: float) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures x [B, 3, H, W] -> rows in units of the basis [N, M], indices int64 [N, G], their values [N, M]."""
        coordinate = torch.full((len(x),), t, device=x.device)
        u = self.analysis(x).float() / self._unit(coordinate)  # [B, M, h, w]
        features = self.prior.hyper(self.hyper_analysis(compand(u)).float().round(), coordinate)
        rows = as_rows(u)
        indices = self.quantizer.quantize(rows, penalties=list(self._penalties(rows, features)))
        return rows, indices, self.quantizer.dequantize(indices)

    def draw(self, values: Tensor, shape: torch.Size, t: float) -> Tensor:
        """Values in units of the basis [N, M] -> pictures [B, 3, H, W] of that shape."""
        coordinate = torch.full((shape[0],), t, device=values.device)
        maps = torch.Size((shape[0], values.shape[1], shape[2] // 16, shape[3] // 16))
        x_hat: Tensor = self.synthesis(as_maps(values, maps) * self._unit(coordinate), coordinate)
        return x_hat

    def coded_tensors(self) -> dict[str, Tensor]:
        """The basis, the codebooks and the prior as a file is coded with them, named as in a model folder."""
        codewords = torch.cat([part.detach().half() for part in self.quantizer.candidates()], 1)  # [K, M]
        stored = codewords
        if isinstance(self.quantizer, SharedAdaptiveQuantizer):
            stored = self.quantizer.union().detach().half()  # [K, D]
        selection = {}
        if isinstance(self.quantizer, AttentiveAdaptiveQuantizer):
            selection = self.quantizer.selection.state_dict(prefix="quantizer.selection.")
        integers = categorical_state(self.prior, codewords.float())
        return {
            "quantizer.log_basis": self.log_basis.detach().float(),
            "quantizer.codebooks": stored,
            **selection,
            **{f"prior.{name}": value.contiguous() for name, value in integers.items()},
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of `coded_tensors`; the moving averages begin at the codewords, all codes equally often used."""
        self.log_basis.copy_(tensors["quantizer.log_basis"])
        self.quantizer.begin_at(tensors["quantizer.codebooks"].float())
        self.prior.load_state_dict(float_tensors(self.prior, part("prior", tensors), {}))


def new_quantizer(
    config: ModelConfig, options: QuantizerOptions = DEFAULTS
) -> ProductQuantizer | SharedAdaptiveQuantizer:
    """The codebooks of a model that no training has seen."""
    commitment = COMMITMENT if options.commitment is None else options.commitment
    if config.quantizer == "adaptive":
        sizes = [(codes, config.books[0] // codes) for codes in config.books]
        if options.selection == "attention":
            temperature = options.temperature or "linear"
            return AttentiveAdaptiveQuantizer(sizes, config.groups, commitment=commitment, temperature=temperature)
        return SharedAdaptiveQuantizer(sizes, config.groups, commitment=commitment)
    kind: Callable[..., VectorQuantizer] = VectorQuantizer
    if config.quantizer == "rotation":
        rotation = RescaledQuantizer if options.rescaling == "distance" else RotationQuantizer
        kind = functools.partial(rotation, least_ratio=ROTATED_FROM)
    settings = {"update": options.codebook_update or "ema", "commitment": commitment, "revive_below": REVIVE_BELOW}
    return ProductQuantizer(
        [kind(config.codes, width, seed=seed, **settings) for seed, width in enumerate(config.groups)]
    )


def as_rows(u: Tensor) -> Tensor:
    """Latents [B, M, h, w] -> [B h w, M]."""
    return u.permute(0, 2, 3, 1).flatten(0, 2)


def as_maps(rows: Tensor, shape: torch.Size) -> Tensor:
    """Inverse of `as_rows`: rows [B h w, M] -> latents of `shape`, [B, M, h, w]."""
    return rows.view(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2)

"""The trainable models with codebooks, on which `vq`, `rotation` and `adaptive` build.

Transforms, codebooks on a scaled basis, the categorical prior.
"""

import dataclasses
import math
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from .... import zoo
from ....config import PATCH, ModelConfig
from ....errors import TrainingError
from ....kinds.codebook import BIT
from ....weights import part
from ...arithmetic import straight_through
from ...nets.categorical_prior import CategoricalPrior, all_bits, index_bits
from ...nets.categorical_state import categorical_state
from ...nets.prior import compand
from ...nets.prior_state import float_tensors
from ...quantizers import ProductQuantizer, Selected, SharedAdaptiveQuantizer
from ..checkpoint import contents_of, load_state
from ..data import Crops
from ..model import Forward, PhotoModel, Source, uniform
from ..options import TrainOptions
from ..quantizer_options import DEFAULTS, QuantizerOptions
from .adopt import adopt, exchange
from .diagnosis import diagnose
from .fit import fit
from .lattice import LatticeModel
from .rows import as_maps, as_rows

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
STEP = 0.5  # of the basis of a model from scratch
LAMBDAS = 0.0002, 0.02  # at rate coordinates 0 and 1: lower rates than a lattice's
TEACHING = "commitment", "rescaling"  # options that teach the analysis alone
SMALL = 128  # models of fewer latents have codebooks of fewer codewords


class CodebookModel(PhotoModel):
    """See `PhotoModel`; codewords that are moving averages are buffers."""

    options: ClassVar[tuple[str, ...]] = ("commitment",)
    freezable: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "nothing": (),
        "analysis": ("analysis.", "log_basis"),
        "transforms": ("analysis.", "log_basis", "synthesis."),
    }

    def __init__(self, config: ModelConfig, options: QuantizerOptions = DEFAULTS) -> None:
        super().__init__(config)
        self.log_basis = nn.Parameter(torch.full((config.latents,), math.log(STEP)))  # [M] at rate coordinate 0
        self.quantizer = self.codebooks(config, options)
        self.prior = CategoricalPrior(config)
        self.frozen = "nothing"  # see `freeze`
        if config.base:
            for name, value in self.named_parameters():
                value.requires_grad_(name.startswith((*TRAINED, "log_basis", "hyper_analysis", "quantizer", "prior")))

    @classmethod
    def check(cls, options: TrainOptions, from_scratch: bool) -> None:
        """See `PhotoModel`; an option whose loss or gradient reaches the analysis alone needs one that learns."""
        given = [name for name in TEACHING if name in options.quantizer.given()]
        if given and options.freeze != "nothing":
            told = f"`{given[0]}` teaches the analysis alone, which `freeze` {options.freeze} keeps as it is"
            raise TrainingError(f"{told}; leave one out")

    @classmethod
    @abstractmethod
    def codebooks(cls, config: ModelConfig, options: QuantizerOptions) -> ProductQuantizer | SharedAdaptiveQuantizer:
        """The codebooks of a model that no training has seen."""

    @staticmethod
    def sizes(latents: int) -> tuple[int, int, tuple[int, ...]]:
        """How many groups so many latents are cut into, K, and the sizes of codebooks that the groups choose from."""
        return latents // 4, 16 if latents < SMALL else 256, ()

    @classmethod
    def even(cls, latents: int) -> tuple[int, ...]:
        """Widths of groups of about equal width."""
        count = cls.sizes(latents)[0]
        return tuple((latents + group) // count for group in range(count))

    @classmethod
    def suited(cls, widths: tuple[int, ...], latents: int) -> tuple[int, ...]:
        """Widths of groups of so many latents that the codebooks can have, as near to `widths` as may be."""
        return widths

    @classmethod
    def configured(cls, config: ModelConfig, groups: tuple[int, ...] = ()) -> ModelConfig:
        """See `PhotoModel`; for lower rates, and with groups of about equal width by default."""
        codes, books = cls.sizes(config.latents)[1:]
        lambda_min, lambda_max = LAMBDAS
        return dataclasses.replace(
            config,
            quantizer=cls.kind,
            groups=groups or cls.even(config.latents),
            codes=codes,
            books=books,
            lambda_min=lambda_min,
            lambda_max=lambda_max,
            octaves=round(math.log2(lambda_max / lambda_min) / 2, 2),  # distortion is as the square of the unit
            reach=(0.0, 1.0),
        )

    @classmethod
    def start(cls, source: Source, crops: Crops, options: TrainOptions, resume: Path | None) -> PhotoModel:
        """See `PhotoModel`; also from other codebooks, and from a lattice."""
        info, kind = source.info, source.model
        if kind is not cls and issubclass(kind, CodebookModel):
            return exchange(kind.of(info, source.config), cls, crops.first(), options.quantizer)
        if kind is LatticeModel:
            base = info.name if info in zoo.list_models() else ""
            lattice = LatticeModel.of(info, source.config)
            groups = cls._groups_of(resume, lattice.config.latents)
            return adopt(lattice, cls, base, crops.first(), options.quantizer, groups)
        return super().start(source, crops, options, resume)

    @classmethod
    def _groups_of(cls, resume: Path | None, latents: int) -> tuple[int, ...]:
        """The groups of so many latents in a checkpoint, which followed from its first pictures; empty without them."""
        if resume is None:
            return ()
        config = load_state(resume)["config"]
        with contents_of(resume):
            fits = config["quantizer"] == cls.kind and sum(config["groups"]) == latents
            return tuple(config["groups"]) if fits else ()

    def fit(self, pictures: Tensor) -> None:
        """See `PhotoModel`; the first codebooks."""
        with torch.no_grad():
            fit(self, as_rows(self.analysis(pictures)))

    def freeze(self, what: str) -> None:
        """See `PhotoModel`; with "transforms" a step runs no synthesis."""
        super().freeze(what)
        self.frozen = what

    def forward(self, x: Tensor, t: Tensor, generator: torch.Generator | None = None) -> Forward:
        """See `PhotoModel`.

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
        z_rate = z_hat if generator is None else z + uniform(z, generator, self.ranks)
        bits_z = self.prior.bits_z(z_rate, z_mean, z_scale)
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
        maps = torch.Size((shape[0], values.shape[1], shape[2] // PATCH, shape[3] // PATCH))
        x_hat: Tensor = self.synthesis(as_maps(values, maps) * self._unit(coordinate), coordinate)
        return x_hat

    def diagnose(self, pictures: Tensor, device: torch.device) -> dict[str, float]:
        """See `PhotoModel`: how the codebooks are used."""
        return dataclasses.asdict(diagnose(self, pictures, device))

    def coded_tensors(self) -> dict[str, Tensor]:
        """See `PhotoModel`."""
        codewords = torch.cat([part.detach().half() for part in self.quantizer.candidates()], 1)  # [K, M]
        integers = categorical_state(self.prior, codewords.float())
        return {
            "quantizer.log_basis": self.log_basis.detach().float(),
            "quantizer.codebooks": codewords,
            **{f"prior.{name}": value.contiguous() for name, value in integers.items()},
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """See `PhotoModel`; the moving averages begin at the codewords, all codes equally often used."""
        self.log_basis.copy_(tensors["quantizer.log_basis"])
        self.quantizer.begin_at(tensors["quantizer.codebooks"].float())
        self.prior.load_state_dict(float_tensors(self.prior, part("prior", tensors), {}))

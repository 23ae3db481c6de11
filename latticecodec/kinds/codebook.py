"""The bottleneck of `vq` and `rotation`, on which `adaptive` builds: codebooks, hyper-latents, the categorical prior.

encode   y ─► y / B ─┬─► codewords, group after group ◄─► prior ─► coder ─► payload
                     └─► hyper-analysis ─► z ───────────────┘
decode   y_hat = B codewords ◄─ indices ◄─ prior ◄─ coder ◄─ payload

The encoder takes the index that costs least in squared distance and bits together (entropy-constrained VQ). The rate is
the fineness: how much finer than the model's own basis B is, in 1/1024 octave.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from ..config import ModelConfig
from ..container import BASIS_UNIT, PRODUCT, ROTATION, VQ
from ..entropy.categorical import IntegerCategorical, Positions
from ..entropy.coder import PRECISION, Decoder, Int32
from ..errors import ImageError, ModelError
from ..lab.arithmetic import exact_arithmetic
from ..lab.nets import HyperAnalysis
from ..lab.quantizers.composite import product_of
from .base import Basis, Coded, Effort
from .fineness import Fineness, check_no_books
from .stream import Stream, hyper_latents
from .tensors import network, part

WIDTH_MIN = 6  # of the context network
BIT = 0.12  # squared distance, in units of the basis, that one bit is worth: 2 ln 2 / 12, the slope of fine rounding


class CodebookBottleneck(Fineness):
    """See `base.Bottleneck`; the index tensor is int32 [G, h, w], 0..K-1."""

    name = "vq"
    format_id = (VQ, PRODUCT)
    described: ClassVar[dict[str, str]] = {"quantizer": "vq", "codebooks": "product"}
    positions = 1
    efforts = 0

    def __init__(self, config: ModelConfig, tensors: dict[str, Tensor], device: torch.device) -> None:
        super().__init__(config)
        self.device, self.channels = device, len(config.groups)
        stored = tensors["quantizer.codebooks"]  # [K, M], or the union of adaptive ones
        if len(stored) != config.codes:
            raise RuntimeError(f"{len(stored)} codewords")
        codebooks = self._codebooks(stored.float())  # [K, M]
        if codebooks.shape != (config.codes, config.latents):
            raise RuntimeError(f"codebooks of shape {tuple(codebooks.shape)}")
        self._basis = tensors["quantizer.log_basis"].float().exp().to(device)  # [M]
        if self._basis.shape != (config.latents,):
            raise RuntimeError(f"a basis of shape {tuple(self._basis.shape)}")
        self._quantizer = product_of(torch.split(codebooks, list(config.groups), 1)).eval().to(device)
        self._hyper_analysis = network(lambda: HyperAnalysis(config), "hyper_analysis", tensors, device)
        self.prior = IntegerCategorical(config, part("prior", tensors), device)

    @staticmethod
    def check(config: ModelConfig) -> None:
        """See `base.Bottleneck`."""
        check_no_books(config)
        check_groups(config)

    def _codebooks(self, stored: Tensor) -> Tensor:
        """The codewords of all groups side by side [K, M], from what a model stores."""
        return stored

    def _barred(self, slices: Sequence[Tensor]) -> Callable[[int, Positions], Tensor]:
        """What adds infinity to the cost of codewords that an encoder may not take.

        From slices [h w, D_g] to a function of a group and n positions: [n, K], or zero where all may be taken.
        """
        return lambda group, at: torch.zeros((), device=self.device)

    def fingerprint(self) -> str:
        """See `base.Bottleneck`."""
        return self.prior.fingerprint()

    def own_basis(self, rate: int) -> Basis:
        """See `base.Bottleneck`."""
        raise ModelError(f"model {self.config.name} has codebooks, not a lattice basis that could be embedded")

    def check_basis(self, basis: Basis | None) -> None:
        """See `base.Bottleneck`."""
        if basis is not None:
            raise ModelError(f"the file has a lattice basis where its model {self.config.name} has codebooks: damaged")

    def check_indices(self, indices: Int32, rate: int) -> None:
        """See `base.Bottleneck`."""
        if indices.ndim != 3 or len(indices) != len(self.config.groups):
            raise ImageError(f"indices of shape {indices.shape}; expected integers [{len(self.config.groups)}, h, w]")
        if indices.size and not 0 <= indices.min() <= indices.max() < self.config.codes:
            raise ImageError(f"indices from {indices.min()} to {indices.max()}; expected 0 to {self.config.codes - 1}")

    def prepare(self, y: Tensor, rate: int, basis: Basis | None, effort: Effort) -> Tensor:
        """See `base.Bottleneck`; there is but one way to encode, whatever the effort."""
        with exact_arithmetic(self.device):
            return y / self._basis_at(rate)[:, None, None]  # [M, h, w]

    def encode(self, u: Tensor, rate: int, level: int) -> Coded:
        """See `base.Bottleneck`."""
        height, width = u.shape[1:]
        with exact_arithmetic(self.device):
            z = hyper_latents(self._hyper_analysis, u)  # [Z, h/4, w/4]
        slices = self._quantizer.slices(u.flatten(1).T)  # [h w, D_i] each
        quantizers, barred = self._quantizer.first(None), self._barred(slices)

        def choose(group: int, at: Positions, rows: Int32) -> Int32:
            bits = PRECISION - torch.log2(torch.from_numpy(rows).to(self.device).float())  # [n, K]
            chosen = quantizers[group].quantize(slices[group][at], BIT * bits + barred(group, at))  # [n]
            indices: Int32 = chosen.to(torch.int32).cpu().numpy()
            return indices

        stream = Stream(self.prior.tables)
        indices = self.prior.encode(choose, z, height, width, self.level(rate), stream.put, stream.put_rows)
        return Coded(stream.finish(), indices, stream.bits)

    def decode(self, payload: bytes, rate: int, height: int, width: int) -> Int32:
        """See `base.Bottleneck`."""
        coder = Decoder(payload)
        return self.prior.decode(
            lambda ids: coder.get(ids, self.prior.tables), coder.get_rows, height, width, self.level(rate)
        )

    def values(self, indices: Int32, rate: int, basis: Basis | None) -> tuple[Tensor, float]:
        """See `base.Bottleneck`."""
        rows = torch.from_numpy(indices).to(self.device).flatten(1).T  # [h w, G]
        values = self._quantizer.dequantize(rows).T.reshape(-1, *indices.shape[1:])  # [M, h, w]
        return (values * self._basis_at(rate)[:, None, None])[None], rate / self.span

    def _basis_at(self, rate: int) -> Tensor:
        """Basis diagonal [M] at a rate."""
        basis: Tensor = self._basis * 2.0 ** (-rate / BASIS_UNIT)
        return basis


class RotationBottleneck(CodebookBottleneck):
    """A `vq` that was trained in another way."""

    name = "rotation"
    format_id = (ROTATION, PRODUCT)
    described: ClassVar[dict[str, str]] = {"quantizer": "rotation", "codebooks": "product"}


def check_groups(config: ModelConfig) -> None:
    """Raise ModelError where the groups are not cut out of all latents, or the networks too narrow for them."""
    if sum(config.groups) != config.latents or config.codes < 2:
        told = f"config field groups covers {sum(config.groups)} latents, and codes is {config.codes}"
        raise ModelError(f"{told}; groups must cover {config.latents} latents, with 2 codes or more")
    if config.context_width < WIDTH_MIN:
        told = f"config field context_width is {config.context_width}"
        raise ModelError(f"{told}; codebooks need {WIDTH_MIN} or more")

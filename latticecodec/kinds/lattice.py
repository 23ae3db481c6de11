"""The bottleneck of `lattice` and `lattice-e8`: a scaled diagonal basis, hyper-latents and the integer prior.

encode   y ─► y / B ─┬─► lattice points k ─► prior ─► coder ─► payload
                     └─► hyper-analysis ─► z ─┘
decode   y_hat = B k ◄─ k ◄─ prior ◄─ coder ◄─ payload

The rate is the fineness: how much finer than the model's own lattice the basis is, in 1/1024 octave.
"""

from functools import cached_property, partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..config import HYPER, ModelConfig
from ..container import BASIS_UNIT, DIAGONAL, E8, LATTICE
from ..entropy.coder import Decoder, Int32
from ..entropy.integer import IntegerPrior
from ..entropy.numbers import COORDINATE_MAX
from ..errors import ImageError, ModelError
from ..lab.arithmetic import exact_arithmetic, undisturbed
from ..lab.nets import HyperAnalysis, synthesis_reach
from ..lab.nets.prior import FloatPrior
from ..lab.nets.prior_state import float_tensors, scale_offsets
from ..lab.quantizers import DiagonalLattice, E8Lattice
from .base import Basis, Coded, Effort
from .fineness import Fineness, check_no_books
from .refine import by_parts, one_step, refine
from .stream import Stream, hyper_latents
from .tensors import network, part

BIT = 0.035  # squared distance, in lattice steps, that one bit is worth at effort 1
ITERATIONS = {2: 3, 3: 4, 4: 5, 5: 6, 6: 8, 7: 10, 8: 13, 9: 16}  # of the refinement, by level of effort


class LatticeBottleneck(Fineness):
    """See `base.Bottleneck`; the index tensor is int32 [M, h, w], lattice coordinates (doubled ones for E8)."""

    name = "lattice"
    format_id = (LATTICE, DIAGONAL)
    described: ClassVar[dict[str, str]] = {"quantizer": "lattice", "lattice": "diagonal"}
    lattice: ClassVar[type[DiagonalLattice]] = DiagonalLattice
    positions = 1
    efforts = max(ITERATIONS)

    def __init__(self, config: ModelConfig, tensors: dict[str, Tensor], device: torch.device) -> None:
        super().__init__(config)
        self.device, self.channels = device, config.latents
        self._halo = -(-synthesis_reach(config) // HYPER) * HYPER
        self._hyper_analysis = network(lambda: HyperAnalysis(config), "hyper_analysis", tensors, device)
        self._quantizer: Any = network(lambda: self.lattice(config.latents), "quantizer", tensors, device)
        self._state = part("prior", tensors)
        self.prior = IntegerPrior(config, self._state, device)

    @staticmethod
    def check(config: ModelConfig) -> None:
        """See `base.Bottleneck`."""
        if config.groups or config.codes:
            told = f"config: a {config.quantizer} has no groups and no codes"
            raise ModelError(f"{told}; the fields must be [] and 0")
        check_no_books(config)

    def fingerprint(self) -> str:
        """See `base.Bottleneck`."""
        return self.prior.fingerprint()

    def own_basis(self, rate: int) -> Basis:
        """See `base.Bottleneck`."""
        return tuple(int(v) for v in (torch.log2(self._basis(rate, None)) * BASIS_UNIT).round().tolist())

    def check_basis(self, basis: Basis | None) -> None:
        """See `base.Bottleneck`."""
        if basis is not None and len(basis) != self.config.latents:
            told = f"the file's basis has {len(basis)} entries where its model has {self.config.latents}"
            raise ModelError(f"{told}: damaged")

    def check_indices(self, indices: Int32, rate: int) -> None:
        """See `base.Bottleneck`; which coordinates of E8 form blocks, and so their parity, is not checked."""
        if indices.ndim != 3 or len(indices) != self.config.latents:
            raise ImageError(f"indices of shape {indices.shape}; expected integers [{self.config.latents}, h, w]")
        if indices.size and not -COORDINATE_MAX <= indices.min() <= indices.max() <= COORDINATE_MAX:
            raise ImageError(f"indices from {indices.min()} to {indices.max()}; the format ends at {COORDINATE_MAX}")

    def prepare(self, y: Tensor, rate: int, basis: Basis | None, effort: Effort) -> Tensor:
        """See `base.Bottleneck`; level 1 takes one step down the distortion, levels from 2 up refine further."""
        steps, t = self._basis(rate, basis)[:, None, None], rate / self.span  # [M, 1, 1]
        with exact_arithmetic(self.device):
            u = y / steps  # [M, h, w]
        if not effort.level:
            return u

        def distortion(soft: Tensor, row: int, column: int) -> Tensor:
            return effort.distortion(soft * steps, t, row, column)

        with exact_arithmetic(self.device, gradients=True):
            if effort.level == 1:
                return by_parts(u, self._halo, partial(one_step, unit=self.prior.unit), distortion, effort.report)
            iterate = partial(
                refine,
                t=t,
                prior=self._float_prior,
                hyper_analysis=self._hyper_analysis,
                iterations=ITERATIONS[effort.level],
                rounded_below=self.prior.integers_below,
            )
            return by_parts(u, self._halo, iterate, distortion, effort.report)

    def encode(self, u: Tensor, rate: int, level: int) -> Coded:
        """See `base.Bottleneck`; level 1 chooses points by distance and bits together, others take the nearest."""
        with exact_arithmetic(self.device):
            z = hyper_latents(self._hyper_analysis, u)  # [Z, h/4, w/4]
        stream = Stream(self.prior.tables)
        weight = BIT if level == 1 else 0.0
        k = self.prior.encode(u.cpu().numpy(), z, self.level(rate), stream.put, weight)  # [M, h, w]
        return Coded(stream.finish(), k, stream.bits)

    @cached_property
    def _float_prior(self) -> FloatPrior:
        """The prior in floating point."""
        with undisturbed(self.device):
            with torch.device("meta"):
                prior = FloatPrior(self.config)
            state = float_tensors(prior, self._state, scale_offsets(self.config.latents))
            prior.load_state_dict(state, assign=True)
            return prior.eval().requires_grad_(False).to(self.device)

    def decode(self, payload: bytes, rate: int, height: int, width: int) -> Int32:
        """See `base.Bottleneck`."""
        coder = Decoder(payload)
        shape = (self.config.latents, height, width)
        return self.prior.decode(lambda ids: coder.get(ids, self.prior.tables), shape, self.level(rate))

    def values(self, indices: Int32, rate: int, basis: Basis | None) -> tuple[Tensor, float]:
        """See `base.Bottleneck`."""
        k = torch.from_numpy(indices).to(self.device)
        return self._quantizer.dequantize(k, self._basis(rate, basis))[None], rate / self.span

    def _basis(self, rate: int, entries: Basis | None) -> Tensor:
        """Basis diagonal [M]: the model's own at `rate`, or the one a file carries."""
        if entries is not None:
            return torch.exp2(torch.tensor(entries, device=self.device, dtype=torch.float32) / BASIS_UNIT)
        octaves = torch.tensor([-rate / BASIS_UNIT], device=self.device, dtype=torch.float32)
        basis: Tensor = self._quantizer.basis(octaves)[0]
        return basis


class E8Bottleneck(LatticeBottleneck):
    """The same with points of E8 where the prior expects large coordinates."""

    name = "lattice-e8"
    format_id = (LATTICE, E8)
    described: ClassVar[dict[str, str]] = {"quantizer": "lattice", "lattice": "e8"}
    lattice = E8Lattice

"""The bottleneck of `lattice` and `lattice-e8`: a scaled diagonal basis, hyper-latents and the integer prior.

encode   y ─► y / B ─┬─► lattice points k ─► prior ─► coder ─► payload
                     └─► hyper-analysis ─► z ─┘
decode   y_hat = B k ◄─ k ◄─ prior ◄─ coder ◄─ payload

The rate is the fineness: how much finer than the model's own lattice the basis is, in 1/1024 octave.
"""

from typing import Any

import torch
from torch import Tensor

from ..arithmetic import exact_arithmetic
from ..coder import Decoder, Int32
from ..config import ModelConfig
from ..container import BASIS_UNIT
from ..errors import ImageError, ModelError
from ..networks import HyperAnalysis
from ..prior.integer import IntegerPrior
from ..prior.numbers import COORDINATE_MAX
from ..prior.points import Put
from ..quantizers import QUANTIZERS
from .base import Basis, Coded
from .fineness import Fineness
from .stream import Stream, hyper_latents
from .tensors import network, part


class LatticeBottleneck(Fineness):
    """See `base.Bottleneck`; the index tensor is int32 [M, h, w], lattice coordinates (doubled ones for E8)."""

    positions = 1

    def __init__(self, config: ModelConfig, tensors: dict[str, Tensor], device: torch.device) -> None:
        super().__init__(config)
        self.device = device
        self._hyper_analysis = network(HyperAnalysis(config), "hyper_analysis", tensors, device)
        self._quantizer: Any = network(QUANTIZERS[config.quantizer](config.latents), "quantizer", tensors, device)
        self.format_id: tuple[int, int] = self._quantizer.format_id
        self.prior = IntegerPrior(config, part("prior", tensors), device)

    def fingerprint(self) -> str:
        """See `base.Bottleneck`."""
        return self.prior.fingerprint()

    def own_basis(self, rate: int) -> Basis:
        """See `base.Bottleneck`."""
        return tuple(int(v) for v in (torch.log2(self._basis(rate, None)) * BASIS_UNIT).round().tolist())

    def check_basis(self, basis: Basis | None) -> None:
        """See `base.Bottleneck`."""
        if basis is not None and len(basis) != self.config.latents:
            raise ModelError(f"the file's basis has {len(basis)} entries, the model {self.config.latents}")

    def check_indices(self, indices: Int32, rate: int) -> None:
        """See `base.Bottleneck`; which coordinates of E8 form blocks, and so their parity, is not checked."""
        if indices.ndim != 3 or len(indices) != self.config.latents:
            raise ImageError(f"indices of shape {indices.shape}; expected integers [{self.config.latents}, h, w]")
        if indices.size and not -COORDINATE_MAX <= indices.min() <= indices.max() <= COORDINATE_MAX:
            raise ImageError(f"indices from {indices.min()} to {indices.max()}; the format ends at {COORDINATE_MAX}")

    def encode(self, y: Tensor, rate: int, basis: Basis | None) -> Coded:
        """See `base.Bottleneck`."""
        stream = Stream(self.prior.tables)
        k = self.quantize(y, rate, basis, stream.put)  # [M, h, w]
        return Coded(stream.finish(), k, stream.bits)

    def quantize(self, y: Tensor, rate: int, basis: Basis | None, put: Put) -> Int32:
        """Latents y [M, h, w] to lattice coordinates [M, h, w], handing what is to be coded to `put`."""
        with exact_arithmetic(self.device):
            u = y / self._basis(rate, basis)[:, None, None]  # [M, h, w]
            z = hyper_latents(self._hyper_analysis, u)  # [Z, h/4, w/4]
        return self.prior.encode(u.cpu().numpy(), z, self.level(rate), put)

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

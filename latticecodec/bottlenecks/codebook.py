"""The bottleneck of `vq` and `rotation`: residual codebooks, hyper-latents and the categorical prior.

encode   y ─┬─► nearest codewords, stage after stage ─► indices ─► prior ─► coder ─► payload
            └─► hyper-analysis ─► z ────────────────────────────────┘
decode   y_hat = sum of codewords ◄─ indices ◄─ prior ◄─ coder ◄─ payload

The rate is the number of stages that are coded.
"""

import torch
from torch import Tensor

from ..arithmetic import exact_arithmetic
from ..coder import Decoder, Int32
from ..config import ModelConfig
from ..container import RESIDUAL, ROTATION, VQ
from ..errors import FormatError, ImageError, ModelError
from ..networks import HyperAnalysis
from ..prior.categorical import IntegerCategorical
from ..prior.numbers import LEVELS
from ..quantizers.composite import residual_of
from .base import Basis, Coded
from .stream import Stream, hyper_latents
from .tensors import network, part

FORMAT_IDS = {"vq": (VQ, RESIDUAL), "rotation": (ROTATION, RESIDUAL)}  # in the header of a file, by config.quantizer


class CodebookBottleneck:
    """See `base.Bottleneck`; the index tensor is int32 [stages coded, h, w], 0..K-1."""

    def __init__(self, config: ModelConfig, tensors: dict[str, Tensor], device: torch.device) -> None:
        self.config, self.device = config, device
        self.format_id = FORMAT_IDS[config.quantizer]
        self.lowest, self.highest = 1, config.stages
        codebooks = tensors["quantizer.codebooks"].float()  # [G, K, M]
        if codebooks.shape != (config.stages, config.codes, config.latents):
            raise RuntimeError(f"codebooks of shape {tuple(codebooks.shape)}")
        self._quantizer = residual_of(codebooks).eval().to(device)
        self._hyper_analysis = network(HyperAnalysis(config), "hyper_analysis", tensors, device)
        self.prior = IntegerCategorical(config, config.stages, config.codes, part("prior", tensors), device)

    def fingerprint(self) -> str:
        """See `base.Bottleneck`."""
        return self.prior.fingerprint()

    def rate(self, quality: float) -> int:
        """See `base.Bottleneck`."""
        return round(self.lowest + quality / 100 * (self.highest - self.lowest))

    def quality(self, rate: int) -> float:
        """See `base.Bottleneck`."""
        return 100 * (rate - self.lowest) / max(1, self.highest - self.lowest)

    def scale(self, rate: int) -> int:
        """See `base.Bottleneck`."""
        return rate

    def rate_of(self, scale: int) -> int:
        """See `base.Bottleneck`."""
        if not self.lowest <= scale <= self.highest:
            raise FormatError(f"the file has {scale} stages, its model {self.lowest} to {self.highest}")
        return scale

    def own_basis(self, rate: int) -> Basis:
        """See `base.Bottleneck`."""
        raise ModelError(f"model {self.config.name} has codebooks, not a lattice basis that could be embedded")

    def check_basis(self, basis: Basis | None) -> None:
        """See `base.Bottleneck`."""
        if basis is not None:
            raise ModelError(f"the file has a lattice basis, its model {self.config.name} has codebooks")

    def check_indices(self, indices: Int32, rate: int) -> None:
        """See `base.Bottleneck`."""
        if indices.ndim != 3 or len(indices) != rate:
            wanted = f"[{rate}, h, w] at quality {self.quality(rate):.4g}"
            raise ImageError(f"indices of shape {indices.shape}; expected integers {wanted}")
        if indices.size and not 0 <= indices.min() <= indices.max() < self.config.codes:
            raise ImageError(f"indices from {indices.min()} to {indices.max()}; expected 0 to {self.config.codes - 1}")

    def encode(self, y: Tensor, rate: int, basis: Basis | None) -> Coded:
        """See `base.Bottleneck`."""
        with exact_arithmetic(self.device):
            rows = y.flatten(1).T  # [h w, M]
            columns = self._quantizer.quantize(rows, rate)  # [h w, rate]
            indices: Int32 = columns.T.reshape(rate, *y.shape[1:]).to(torch.int32).cpu().numpy()
            z = hyper_latents(self._hyper_analysis, y)  # [Z, h/4, w/4]
        stream = Stream(self.prior.tables)
        self.prior.encode(indices, z, self._level(rate), stream.put, stream.put_rows)
        return Coded(stream.finish(), indices, stream.bits)

    def decode(self, payload: bytes, rate: int, height: int, width: int) -> Int32:
        """See `base.Bottleneck`."""
        coder = Decoder(payload)
        return self.prior.decode(
            lambda ids: coder.get(ids, self.prior.tables), coder.get_rows, rate, height, width, self._level(rate)
        )

    def values(self, indices: Int32, rate: int, basis: Basis | None) -> tuple[Tensor, float]:
        """See `base.Bottleneck`."""
        rows = torch.from_numpy(indices).to(self.device).flatten(1).T  # [h w, rate]
        y_hat = self._quantizer.dequantize(rows).T.reshape(1, -1, *indices.shape[1:])  # [1, M, h, w]
        return y_hat, self._coordinate(rate)

    def _coordinate(self, rate: int) -> float:
        """The rate coordinate t in [0, 1] of a number of stages."""
        return (rate - 1) / max(1, self.config.stages - 1)

    def _level(self, rate: int) -> int:
        """The prior's quality level 0..63, in integers."""
        return (rate - 1) * (LEVELS - 1) // max(1, self.config.stages - 1)

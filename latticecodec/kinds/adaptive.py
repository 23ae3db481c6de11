"""The bottleneck of `adaptive`: that of `vq`, with all groups choosing from one set of codebooks of several widths.

A codeword counts through all codebooks in what is coded. In the index tensor it is a pair, the codebook and the index
in it, and the groups of a latent position lie side by side as a square: [2, S h, S w] with S^2 = G, group S i + j at
row S y + i, column S x + j. A model that was trained to select codebooks by attention brings that along; it is for the
encoder alone, and reading a file takes nothing of it.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import ModelConfig
from ..container import ADAPTIVE, PRODUCT
from ..entropy.categorical import Positions
from ..entropy.coder import Int32
from ..errors import FormatError, ImageError, ModelError
from ..lab.quantizers.selection import SliceAttention
from ..lab.quantizers.shared import pairs_of, union_of
from .base import Basis, Coded
from .codebook import CodebookBottleneck, check_groups
from .tensors import network, part

SELECTION = "quantizer.selection"  # the part of a model that chooses codebooks, where it has one


class AdaptiveBottleneck(CodebookBottleneck):
    """See `base.Bottleneck`; the index tensor is int32 [2, S h, S w]."""

    name = "adaptive"
    format_id = (ADAPTIVE, PRODUCT)
    described: ClassVar[dict[str, str]] = {"quantizer": "adaptive", "codebooks": "product"}

    @staticmethod
    def check(config: ModelConfig) -> None:
        """See `base.Bottleneck`."""
        books = config.books
        if not books:
            raise ModelError("config field books is []; of an adaptive it must be one size or more")
        check_groups(config)
        divide = all(books[0] % count == 0 for count in books)
        if not (divide and sum(books) == config.codes and max(config.groups) <= books[0] // min(books)):
            told = f"they must divide the first of them, add up to the {config.codes} codes, and suit the groups"
            raise ModelError(f"config field books is {list(books)}; {told}")
        if math.isqrt(len(config.groups)) ** 2 != len(config.groups):
            told = f"config field groups has {len(config.groups)} entries"
            raise ModelError(f"{told}; an adaptive needs a square number")

    def __init__(self, config: ModelConfig, tensors: dict[str, Tensor], device: torch.device) -> None:
        super().__init__(config, tensors, device)
        self.channels, self.positions = 2, math.isqrt(len(config.groups))  # S
        self._selection: SliceAttention | None = None
        if part(SELECTION, tensors):
            attention = partial(SliceAttention, config.groups, len(config.books))
            self._selection = network(attention, SELECTION, tensors, device)

    def _codebooks(self, stored: Tensor) -> Tensor:
        """The codewords of all groups [K, M] from the union [K, D], of whose entries a group takes the first."""
        return torch.cat([stored[:, :width] for width in self.config.groups], 1)

    @torch.no_grad()
    def _barred(self, slices: Sequence[Tensor]) -> Callable[[int, Positions], Tensor]:
        """See CodebookBottleneck; with a selection the codewords of all codebooks but the one it chooses."""
        if self._selection is None:
            return super()._barred(slices)
        chosen = self._selection(slices).argmax(2)  # [h w, G]
        owner = pairs_of(torch.arange(self.config.codes, device=self.device), self.config.books)[0]  # [K]
        return lambda group, at: torch.where(owner == chosen[at, group, None], 0.0, math.inf)

    def check_indices(self, indices: Int32, rate: int) -> None:
        """See `base.Bottleneck`."""
        side = self.positions
        if indices.ndim != 3 or len(indices) != 2 or indices.shape[1] % side or indices.shape[2] % side:
            raise ImageError(f"indices of shape {indices.shape}; expected integers [2, {side} h, {side} w]")
        try:
            self._joint(indices)
        except FormatError as error:
            raise ImageError(f"pairs of codebook and index: {error}") from None

    def encode(self, u: Tensor, rate: int, level: int) -> Coded:
        """See `base.Bottleneck`."""
        coded = super().encode(u, rate, level)
        return Coded(coded.payload, self._pairs(coded.indices), coded.bits)

    def decode(self, payload: bytes, rate: int, height: int, width: int) -> Int32:
        """See `base.Bottleneck`."""
        return self._pairs(super().decode(payload, rate, height, width))

    def values(self, indices: Int32, rate: int, basis: Basis | None) -> tuple[Tensor, float]:
        """See `base.Bottleneck`."""
        return super().values(self._joint(indices), rate, basis)

    def _pairs(self, joint: Int32) -> Int32:
        """[G, h, w] -> [2, S h, S w]."""
        square = F.pixel_shuffle(torch.from_numpy(joint), self.positions)[0]  # [S h, S w]
        pairs: Int32 = pairs_of(square, self.config.books).to(torch.int32).numpy()
        return pairs

    def _joint(self, pairs: Int32) -> Int32:
        """[2, S h, S w] -> [G, h, w]."""
        square = union_of(torch.tensor(pairs), self.config.books)  # [S h, S w]
        joint: Int32 = F.pixel_unshuffle(square[None], self.positions).to(torch.int32).numpy()
        return joint

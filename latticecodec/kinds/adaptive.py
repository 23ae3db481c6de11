"""Models of kind `adaptive`: `vq` with all groups choosing from one set of codebooks of several widths.

A codeword counts through all codebooks in what is coded. In the index tensor it is a pair, the codebook and the index
in it, and the groups of a latent position lie side by side as a square: [2, S h, S w] with S^2 = G, group S i + j at
row S y + i, column S x + j. A model that was trained to select codebooks by attention brings that along; it is for the
encoder alone, and reading a file takes nothing of it.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..config import ModelConfig
from ..container import ADAPTIVE, PRODUCT
from ..entropy.categorical import Positions
from ..entropy.coder import Float32, Int32
from ..errors import ImageError, ModelError
from ..weights import part
from .codebook import Codebook
from .fields import check_groups
from .kind import Basis, Coded
from .rate import Rate
from .selection import SliceSelection

if TYPE_CHECKING:
    from ..backends.backend import Backend, Tensors

SELECTION = "quantizer.selection"  # the part of a model that chooses codebooks, where it has one


class Adaptive(Codebook):
    """See `kind.Kind`; the index tensor is int32 [2, S h, S w]."""

    name = "adaptive"
    format_id = (ADAPTIVE, PRODUCT)
    described: ClassVar[dict[str, str]] = {"quantizer": "adaptive", "codebooks": "product"}

    def __init__(self, config: ModelConfig, tensors: "Tensors", backend: "Backend") -> None:
        super().__init__(config, tensors, backend)
        self.channels, self.positions = 2, math.isqrt(len(config.groups))  # S
        self._sizes = np.array(config.books)  # [m] codewords of each codebook
        self._book_ends = np.cumsum(self._sizes)  # [m]
        selection = part(SELECTION, tensors)
        self._selection = SliceSelection(config.groups, len(config.books), selection) if selection else None

    @staticmethod
    def check(config: ModelConfig) -> None:
        """See `kind.Kind`."""
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

    def _codebooks(self, stored: Float32) -> Float32:
        """The codewords of all groups [K, M] from the union [K, D], of whose entries a group takes the first."""
        return np.concatenate([stored[:, :width] for width in self._config.groups], 1)

    def _barred(self, slices: Sequence[Float32]) -> Callable[[int, Positions], Float32]:
        """See `Codebook`; with a selection the codewords of all codebooks but the one it chooses."""
        if self._selection is None:
            return super()._barred(slices)
        chosen = self._selection(slices)  # [h w, G]
        owner = np.repeat(np.arange(len(self._sizes)), self._sizes)  # [K]
        taken, barred = np.float32(0), np.float32(math.inf)
        return lambda group, at: np.where(owner == chosen[at, group, None], taken, barred)

    def check_indices(self, indices: Int32) -> None:
        """See `kind.Kind`."""
        side = self.positions
        if indices.ndim != 3 or len(indices) != 2 or indices.shape[1] % side or indices.shape[2] % side:
            raise ImageError(f"indices of shape {indices.shape}; expected integers [2, {side} h, {side} w]")
        told = "pairs of codebook and index: index"
        book, index = indices  # [S h, S w] each
        if (outside := (book < 0) | (book >= len(self._sizes))).any():
            raise ImageError(f"{told} {book[outside][0]} is outside: there are codebooks 0 to {len(self._sizes) - 1}")
        if (outside := (index < 0) | (index >= self._sizes[book])).any():
            which, there = book[outside][0], self._sizes[book[outside][0]]
            raise ImageError(
                f"{told} {index[outside][0]} is outside codebook {which}: it has codewords 0 to {there - 1}"
            )

    def encode(self, u: Float32, rate: Rate, effort: int) -> Coded:
        """See `kind.Kind`."""
        coded = super().encode(u, rate, effort)
        return Coded(coded.payload, self._pairs(coded.indices), coded.bits)

    def decode(self, payload: bytes, rate: Rate, height: int, width: int) -> Int32:
        """See `kind.Kind`."""
        return self._pairs(super().decode(payload, rate, height, width))

    def values(self, indices: Int32, rate: Rate, basis: Basis | None) -> Float32:
        """See `kind.Kind`."""
        return super().values(self._joint(indices), rate, basis)

    def _pairs(self, joint: Int32) -> Int32:
        """[G, h, w] -> [2, S h, S w]."""
        side, (height, width) = self.positions, joint.shape[1:]
        blocks = joint.reshape(side, side, height, width).transpose(2, 0, 3, 1)  # [h, S, w, S]
        square = blocks.reshape(side * height, side * width)
        book = np.searchsorted(self._book_ends, square, side="right")
        first = self._book_ends - self._sizes  # [m]
        return np.stack([book, square - first[book]]).astype(np.int32)

    def _joint(self, pairs: Int32) -> Int32:
        """[2, S h, S w] -> [G, h, w]."""
        side, (height, width) = self.positions, pairs.shape[1:]
        square = (self._book_ends - self._sizes)[pairs[0]] + pairs[1]  # [S h, S w]
        blocks = square.reshape(height // side, side, width // side, side).transpose(1, 3, 0, 2)  # [S, S, h, w]
        joint: Int32 = blocks.reshape(side * side, height // side, width // side).astype(np.int32)
        return joint


KINDS = (Adaptive,)

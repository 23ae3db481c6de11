"""Adaptive multi-codebook quantization of slices of a vector, all from the same codebooks.

Every slice chooses for itself among codebooks of many short or few long codewords (Chen et al., arXiv 2407.04939, see
adaptive.py): a slice of one strong entry and one of eight faint ones take codewords of one set. The choice is that of
least squared distance and penalty; attentive.py has that of an attention. The projections to and from a codebook's D_i
entries are the first entries and zeros, the best ones where entries come in order of their variance and without
correlation.
An index of the union counts through the codebooks, first all of codebook 0.
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..ranks import ALONE, Ranks
from .codewords import checked, nearest
from .vector import COMMITMENT, VectorQuantized, VectorQuantizer

SMOOTHING = 1e-3  # rows added to every count of an index


class SharedAdaptiveQuantizer(nn.Module):
    """Slices of z [N, D], each a codeword of any codebook; only the first entries of it where the slice is narrower.

    The interface is that of a ProductQuantizer with codebooks of K = sum of N_i codewords, all of D_max entries.

    Args:
        sizes: (N_i, D_i) of each codebook.
        widths: of the slices, in order; none above the largest D_i.
        decay: of the moving averages of codewords and of the counts of indices.
        commitment: weight of the commitment loss.
    """

    counts: Tensor  # [G, K] moving average of the rows a batch gives each index
    ranks: Ranks = ALONE

    def __init__(
        self,
        sizes: Sequence[tuple[int, int]],
        widths: Sequence[int],
        decay: float = 0.99,
        commitment: float = COMMITMENT,
    ) -> None:
        super().__init__()
        self.widths, self.decay, self.commitment = list(widths), decay, commitment
        self.hidden = max(entries for _, entries in sizes)
        self.codebooks = nn.ModuleList(VectorQuantizer(*size, decay=decay, seed=i) for i, size in enumerate(sizes))
        self.register_buffer("counts", torch.ones(len(self.widths), sum(codes for codes, _ in sizes)))

    def books(self) -> list[VectorQuantizer]:
        """The codebooks, in order."""
        return [cast(VectorQuantizer, book) for book in self.codebooks]

    def union(self) -> Tensor:
        """Every codeword of every codebook, [K, hidden]."""
        return torch.cat([F.pad(book.codebook, (0, self.hidden - book.dimensions)) for book in self.books()])

    def candidates(self) -> list[Tensor]:
        """What each slice chooses from, [K, D_g]."""
        union = self.union()  # [K, hidden]
        return [union[:, :width] for width in self.widths]

    @torch.no_grad()
    def begin_at(self, union: Tensor) -> None:
        """Take the codewords [K, hidden] of another quantizer's `union`."""
        parts = torch.split(union, [book.codes for book in self.books()])  # [N_i, hidden] each
        for book, part in zip(self.books(), parts, strict=True):
            book.begin_at(part[:, : book.dimensions])

    def bits(self) -> Tensor:
        """Bits [G, K] of each index by the moving counts: -log2 of its share."""
        counts = self.counts + SMOOTHING
        return torch.log2(counts.sum(1, keepdim=True) / counts)

    def slices(self, z: Tensor) -> tuple[Tensor, ...]:
        """z [N, D] cut up: one [N, D_g] for each slice."""
        return torch.split(z, self.widths, 1)

    def forward(self, z: Tensor, penalties: Sequence[Tensor] | None = None) -> VectorQuantized:
        """Quantize z [N, D]; in training mode learn from it as well. `penalties` are one [N, K] a slice."""
        z = z.float()
        indices = self.quantize(z, penalties)  # [N, G]
        values = self.dequantize(indices)  # [N, D]
        loss = self.commitment * F.mse_loss(z, values)
        if self.training:
            self._learn(z.detach(), indices)
        return VectorQuantized(values - (z.detach() - z), indices, loss)

    @torch.no_grad()
    def quantize(self, z: Tensor, penalties: Sequence[Tensor] | None = None) -> Tensor:
        """Indices int64 [N, G] of z [N, D]; `penalties` are one [K] or [N, K] a slice."""
        own: Sequence[Tensor | None] = penalties if penalties is not None else [None] * len(self.widths)
        parts = zip(self.slices(z.float()), self.candidates(), own, strict=True)
        return torch.stack([nearest(part, codewords, penalty) for part, codewords, penalty in parts], 1)

    @torch.no_grad()
    def dequantize(self, indices: Tensor) -> Tensor:
        """Values [N, D] of indices [N, G]; raises FormatError where one is not in 0 ... K-1."""
        columns = zip(self.candidates(), indices.unbind(1), strict=True)
        return torch.cat([codewords[checked(column, len(codewords))] for codewords, column in columns], 1)

    @torch.no_grad()
    def _learn(self, z: Tensor, indices: Tensor) -> None:
        """Moving averages of codewords and counts."""
        if not self.all_finite(z):
            return
        self.count(indices)
        joint, rows = indices.T.flatten(), self.completed(z, indices)  # [G N], [G N, hidden]
        first = 0
        for book in self.books():
            own = ((joint >= first) & (joint < first + book.codes)).nonzero()[:, 0]
            book.learn(rows[own, : book.dimensions], joint[own] - first)
            first += book.codes

    def all_finite(self, z: Tensor) -> bool:
        """Whether z [N, D] is all numbers, in every process; a row that is not would stay in the averages for good."""
        return not self.ranks.total((~z.isfinite()).sum())

    def count(self, indices: Tensor) -> None:
        """Moving averages of how often each slice has each index; indices [N, G]."""
        uses = self.ranks.total(F.one_hot(indices, self.counts.shape[1]).sum(0))  # [G, K]
        self.counts.lerp_(uses.to(self.counts.dtype), 1 - self.decay)

    def completed(self, z: Tensor, indices: Tensor) -> Tensor:
        """The slices of z [N, D] as rows as wide as a codeword, [G N, hidden].

        Where a slice is narrower, the entries of its codeword stand in for what is missing; indices [N, G].
        """
        rows = self.union()[indices.T.flatten()]  # [G N, hidden]
        for group, part in enumerate(self.slices(z)):
            rows[group * len(z) : (group + 1) * len(z), : part.shape[1]] = part
        return rows


def pairs_of(indices: Tensor, codes: Sequence[int]) -> Tensor:
    """Indices of the union, of any shape [...], to pairs [2, ...]: codebook, index in it; `codes` are the N_i."""
    ends = torch.tensor(list(codes), device=indices.device).cumsum(0)
    book = torch.searchsorted(ends, indices, right=True)
    first = F.pad(ends, (1, 0))[book]
    return torch.stack([book, indices - first])

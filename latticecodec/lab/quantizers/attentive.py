"""Adaptive multi-codebook quantization of slices whose codebook an attention chooses, as in the paper.

The codebooks are those of `shared`. Every slice is quantized with each of them, all of them learn from all slices, and
the quantization loss is the mean over them (eq. 4 of Chen et al., arXiv 2407.04939); the attention of `selection`
chooses one, in training with Gumbel noise, in eval mode without. What counts indices or predicts them learns from the
choice without noise, which is what files hold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .codewords import float32, nearest
from .selection import TEMPERATURES, SliceAttention, gumbel_choice, largest
from .shared import SharedAdaptiveQuantizer
from .vector import COMMITMENT, VectorQuantized, step_generator


@dataclass(frozen=True)
class Selected(VectorQuantized):
    """Result of quantizing rows with a codebook chosen for each of their slices."""

    plain: VectorQuantized  # what a file holds: the codebooks of the largest scores, without noise
    choice: Tensor  # [N, G, m] one-hot, with the gradient of a softmax
    inside: Tensor  # [N, G, m] int64, the index of the union that each codebook would give

    def rate_gradient(self, logits: Tensor) -> Tensor:
        """Zeros [G, N] with the gradient that the bits of an index have in the choice; logits [G, N, K], natural."""
        bits = -logits.gather(2, self.inside.transpose(0, 1)) / math.log(2)  # [G, N, m] up to what all have in common
        return ((self.choice - self.choice.detach()).transpose(0, 1) * bits).sum(2)


class AttentiveAdaptiveQuantizer(SharedAdaptiveQuantizer):
    """A SharedAdaptiveQuantizer that chooses codebooks by attention, and codewords in them by distance and penalty.

    Args:
        sizes, widths, decay, commitment: as there.
        temperature: a key of TEMPERATURES, for the gradient of the choice.
        seed: of the attention and of the Gumbel noise.
    """

    steps: Tensor  # [] int64, training batches seen

    def __init__(
        self,
        sizes: Sequence[tuple[int, int]],
        widths: Sequence[int],
        decay: float = 0.99,
        commitment: float = COMMITMENT,
        temperature: str = "linear",
        seed: int = 0,
    ) -> None:
        super().__init__(sizes, widths, decay, commitment)
        self.selection = SliceAttention(widths, len(sizes), seed)
        self.schedule, self.seed = TEMPERATURES[temperature], seed
        self.begun, self.iterations = 0, 1  # the batch at which the temperature begins to fall, and over how many
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, z: Tensor, penalties: Sequence[Tensor] | None = None) -> Selected:
        """Quantize z [N, D]; in training mode learn from it as well. `penalties` are one [N, K] a slice."""
        z = z.float()
        scores = self.scores(z)  # [N, G, m]
        plain = largest(scores)  # [N, G, m]
        choice = self._sampled(scores) if self.training else plain  # [N, G, m]
        inside = self._inside(z, penalties)  # [N, G, m]
        lifted = torch.stack([self.dequantize(indices) for indices in inside.unbind(2)], 2)  # [N, D, m]
        loss = self.commitment * F.mse_loss(z[:, :, None].expand_as(lifted), lifted)
        coded = VectorQuantized(*self._taken(plain.detach(), lifted, inside), loss)
        values, indices = self._taken(choice, lifted, inside)  # [N, D], [N, G]
        if self.training:
            self._learn_all(z.detach(), coded.indices, inside)
        return Selected(values - (z.detach() - z), indices, loss, coded, choice, inside)

    @torch.no_grad()
    def quantize(self, z: Tensor, penalties: Sequence[Tensor] | None = None) -> Tensor:
        """Indices int64 [N, G] of z [N, D]; `penalties` are one [K] or [N, K] a slice."""
        z = z.float()
        books = self.scores(z).argmax(2, keepdim=True)  # [N, G, 1]
        return self._inside(z, penalties).gather(2, books)[:, :, 0]

    def _taken(self, choice: Tensor, lifted: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Values [N, D] and indices [N, G] of a choice [N, G, m], of all codebooks' [N, D, m] and [N, G, m]."""
        widths = torch.tensor(self.widths, device=lifted.device)  # [G]
        values = (lifted * choice.repeat_interleave(widths, 1)).sum(2)  # [N, D]
        return values, inside.gather(2, choice.argmax(2, keepdim=True))[:, :, 0]

    def scores(self, z: Tensor) -> Tensor:
        """Score of every codebook for the slices of z [N, D], [N, G, m]; in float32 under autocast as well."""
        with float32(z.device):
            scores: Tensor = self.selection(self.slices(z.float()))
        return scores

    def _sampled(self, scores: Tensor) -> Tensor:
        """A choice [N, G, m] of this training step from scores [N, G, m]."""
        step = int(self.steps)
        self.steps += 1
        temperature = self.schedule(step - self.begun, self.iterations)
        return gumbel_choice(scores, temperature, step_generator(self.seed, step), self.ranks)

    @torch.no_grad()
    def _inside(self, z: Tensor, penalties: Sequence[Tensor] | None) -> Tensor:
        """For each slice of z [N, D] the best index of the union within each codebook, [N, G, m]."""
        columns = []
        for group, (part, codewords) in enumerate(zip(self.slices(z), self.candidates(), strict=True)):
            own, first = [], 0
            for book in self.books():
                at = slice(first, first + book.codes)
                penalty = penalties[group][..., at] if penalties is not None else None  # [N_i] or [N, N_i]
                own.append(first + nearest(part, codewords[at], penalty))
                first += book.codes
            columns.append(torch.stack(own, 1))  # [N, m]
        return torch.stack(columns, 1)

    @torch.no_grad()
    def _learn_all(self, z: Tensor, indices: Tensor, inside: Tensor) -> None:
        """Moving averages: counts of `indices` [N, G], and each codebook's codewords from all slices of z [N, D]."""
        if not self.all_finite(z):
            return
        self.count(indices)
        first = 0
        for book, own in zip(self.books(), inside.unbind(2), strict=True):
            book.learn(self.completed(z, own)[:, : book.dimensions], own.T.flatten() - first)
            first += book.codes

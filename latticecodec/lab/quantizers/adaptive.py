"""Adaptive multi-codebook quantization: every row chooses among codebooks of many short or few long codewords.

Chen et al., "Balance of Number of Embedding and their Dimensions in Vector Quantization", arXiv 2407.04939. Codebook i
has N_i codewords in D_i dimensions, with N_i D_i = W for all; the paper's are (512, 128), (1024, 64) ... (65536, 1).

    z [N, hidden] ─► attention to the codebooks ─► Gumbel-softmax ─► one codebook a row ───────────────┐
      └─► to D_i ─► nearest of N_i ─► back to hidden,  in each codebook i ────────────────────────────►┴─► values

Where the paper leaves a choice: selection is as in selection.py, hard, and in eval mode its arg max without noise;
codebooks live in their own D_i dimensions, between two linear layers; all of them learn from all rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from ...errors import TrainingError
from .codewords import checked, float32, nearest
from .selection import HEADS, CodebookAttention, gumbel_choice, largest
from .vector import COMMITMENT, VectorQuantizer, step_generator


@dataclass(frozen=True)
class AdaptiveQuantized:
    """Result of quantizing row vectors with a codebook of their choice."""

    values: Tensor  # [N, hidden] float32; the gradient passes to the input, the projections and the selection
    pairs: Tensor  # [N, 2] int64: codebook, index in it
    loss: Tensor  # [] quantization terms of eq. 4


class AdaptiveQuantizer(nn.Module):
    """One of m codebooks for each row, and one codeword of it.

    Args:
        sizes: (N_i, D_i) of each codebook, with the same product.
        hidden: dimensions of the rows, a multiple of the two heads.
        alpha: commitment weight of eq. 4.
        beta: weight of the quantization terms of eq. 4.
        decay: of the moving averages by which codewords are learned.
        update: as in VectorQuantizer: moving averages, or by gradient.
        revive_below: as in VectorQuantizer.
        seed: of the Gumbel noise and of the codebooks' random choices.

    Raises:
        TrainingError: the products differ, or `hidden` cannot be divided among the heads.
    """

    steps: Tensor  # [] int64, training batches seen

    def __init__(
        self,
        sizes: Sequence[tuple[int, int]],
        hidden: int,
        alpha: float = COMMITMENT,
        beta: float = 1.0,
        decay: float = 0.99,
        revive_below: float = 0.1,
        seed: int = 0,
        update: Literal["ema", "gradient"] = "ema",
    ) -> None:
        super().__init__()
        if len({codes * dimensions for codes, dimensions in sizes}) != 1:
            raise TrainingError(f"codebooks {list(sizes)}: codewords x dimensions must be the same for all")
        if hidden < 1 or hidden % HEADS:
            raise TrainingError(f"{hidden} hidden dimensions cannot be divided among {HEADS} heads")
        self.hidden, self.beta, self.seed = hidden, beta, seed
        self.codebooks = nn.ModuleList(
            VectorQuantizer(n, d, update, decay, alpha, revive_below=revive_below, seed=seed + i)
            for i, (n, d) in enumerate(sizes)
        )
        self.down = nn.ModuleList(nn.Linear(hidden, d) for _, d in sizes)
        self.up = nn.ModuleList(nn.Linear(d, hidden) for _, d in sizes)
        self.project_query = nn.Linear(hidden, hidden, bias=False)
        self.attention = CodebookAttention(hidden, len(sizes), seed)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, z: Tensor, temperature: float = 1.0) -> AdaptiveQuantized:
        """Quantize z [N, hidden]; in training mode learn from it, and sample codebooks.

        `temperature` is that of the samples' gradient; it changes none of them. In eval mode the values are those of
        `dequantize(pairs)`, but for the rounding of the linear layers.
        """
        with float32(z.device):
            z = z.float()  # [N, hidden]
            parts = [book(down(z)) for book, down in zip(self.codebooks, self.down, strict=True)]
            choice = self._choice(self.scores(z), temperature)  # [N, m] one-hot
            ids = choice.argmax(1, keepdim=True)  # [N, 1]
            lifted = torch.stack([up(part.values) for up, part in zip(self.up, parts, strict=True)], 1)
            values = (choice[:, :, None] * lifted).sum(1)  # [N, hidden], of lifted [N, m, hidden]
            indices = torch.stack([part.indices for part in parts], 1).gather(1, ids)  # [N, 1]
            loss = self.beta * torch.stack([part.loss for part in parts]).mean()
            return AdaptiveQuantized(values, torch.cat([ids, indices], 1), loss)

    def scores(self, z: Tensor) -> Tensor:
        """Score of every codebook for rows z [N, hidden], [N, m]: logits of the choice."""
        scores: Tensor = self.attention(self.project_query(z))  # [N, m]
        return scores

    def _choice(self, scores: Tensor, temperature: float) -> Tensor:
        """One-hot rows of `scores` [N, m], in training with Gumbel noise; with the gradient of a softmax."""
        if not self.training:
            return largest(scores)
        step = int(self.steps)
        self.steps += 1
        return gumbel_choice(scores, temperature, step_generator(self.seed, step))

    @torch.no_grad()
    def quantize(self, z: Tensor) -> Tensor:
        """Pairs int64 [N, 2] (codebook, index) for z [N, hidden], as `forward` chooses them in eval mode."""
        with float32(z.device):
            z = z.float()  # [N, hidden]
            ids = self.scores(z).argmax(1, keepdim=True)  # [N, 1]
            indices = [book.quantize(down(z)) for book, down in zip(self._books(), self.down, strict=True)]
            return torch.cat([ids, torch.stack(indices, 1).gather(1, ids)], 1)  # [N, 2]

    @torch.no_grad()
    def quantize_rate(self, z: Tensor, lam: float, bits_of_id: Tensor, bits_of_index: Sequence[Tensor]) -> Tensor:
        """Pairs int64 [N, 2] of least |z - value|^2 + lam x bits over all codewords of all codebooks.

        Entropy-constrained vector quantization (Chou, Lookabaugh, Gray 1989), in the hidden space; `lam = 0` is the
        nearest value of all. The lowest pair wins a tie.

        Args:
            z: [N, hidden].
            lam: squared distance worth one bit, >= 0.
            bits_of_id: [m] finite cost of each codebook's number.
            bits_of_index: for each codebook [N_i], the finite cost of each index.
        """
        z = z.float()  # [N, hidden]
        indices, costs = [], []
        for book, up, id_bits, bits in zip(self._books(), self.up, bits_of_id, bits_of_index, strict=True):
            values = all_values(book, up)  # [N_i, hidden]
            penalty = lam * (id_bits + bits)  # [N_i]
            index = nearest(z, values, penalty)  # [N]
            indices.append(index)
            costs.append((z - values[index]).square().sum(1) + penalty[index])  # [N]
        ids = torch.stack(costs, 1).argmin(1, keepdim=True)  # [N, 1]
        return torch.cat([ids, torch.stack(indices, 1).gather(1, ids)], 1)  # [N, 2]

    @torch.no_grad()
    def dequantize(self, pairs: Tensor) -> Tensor:
        """Values [N, hidden] of pairs [N, 2], the same for a pair whatever the others are.

        Raises:
            FormatError: there is no such codebook, or an index is outside its codebook.
        """
        pairs = pairs.to(self.project_query.weight.device)  # [N, 2]
        ids = checked(pairs[:, 0], len(self.codebooks))  # [N]
        values = torch.empty(len(pairs), self.hidden, device=pairs.device)  # [N, hidden]
        for i, (book, up) in enumerate(zip(self._books(), self.up, strict=True)):
            rows = (ids == i).nonzero()[:, 0]
            if len(rows):
                values[rows] = all_values(book, up)[checked(pairs[rows, 1], book.codes)]
        return values

    def _books(self) -> list[VectorQuantizer]:
        return [cast(VectorQuantizer, book) for book in self.codebooks]


def all_values(codebook: VectorQuantizer, up: nn.Module) -> Tensor:
    """Every codeword of a codebook in the hidden space, [N_i, hidden]."""
    with float32(codebook.codebook.device):
        return cast(Tensor, up(codebook.codebook))

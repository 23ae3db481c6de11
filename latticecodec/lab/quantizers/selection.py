"""The choice of a codebook by attention, and its gradient (Chen et al., arXiv 2407.04939, section 3.2).

    query ─► two heads: softmax(q k / sqrt(d)) of the codebooks' keys, that mean of their values ─► linear ─► scores
    scores + Gumbel noise ─► the largest, forward; softmax at a temperature, backward

The paper's formula for the probabilities has keys and no values, its algorithm has both: this is the algorithm. Each
head weighs its own half of the values with a softmax of its own; the mean of their logits would be one head's.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..arithmetic import straight_through
from ..ranks import ALONE, Ranks
from .vector import step_generator

HEADS = 2
SLICE_HIDDEN = 32  # dimensions of the queries of slices


class CodebookAttention(nn.Module):
    """Scores of m codebooks for queries [..., hidden], by multi-head attention to a key and a value of each.

    Args:
        hidden: dimensions of queries, keys and values, a multiple of the two heads.
        books: m.
        seed: of keys and values.
    """

    def __init__(self, hidden: int, books: int, seed: int = 0) -> None:
        super().__init__()
        keys, values = torch.randn(2, books, hidden, generator=step_generator(seed, 0))
        self.keys, self.values = nn.Parameter(keys), nn.Parameter(values)  # [m, hidden] each
        self.project_key = nn.Linear(hidden, hidden, bias=False)
        self.project_value = nn.Linear(hidden, hidden, bias=False)
        self.project_scores = nn.Linear(hidden, books)
        for layer in (self.project_key, self.project_value, self.project_scores):
            nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(self.project_scores.bias)

    def forward(self, query: Tensor) -> Tensor:
        """Query [..., hidden] -> scores [..., m]."""
        q = query.reshape(*query.shape[:-1], HEADS, -1)  # [..., 2, d]
        k = self.project_key(self.keys).view(-1, *q.shape[-2:])  # [m, 2, d]
        v = self.project_value(self.values).view(-1, *q.shape[-2:])  # [m, 2, d]
        weights = torch.softmax(torch.einsum("...hd,mhd->...hm", q, k) / math.sqrt(q.shape[-1]), -1)  # [..., 2, m]
        mixed = torch.einsum("...hm,mhd->...hd", weights, v).flatten(-2)  # [..., hidden]
        scores: Tensor = self.project_scores(mixed)  # [..., m]
        return scores


class SliceAttention(nn.Module):
    """Scores of m codebooks for the slices of a vector: each slice has a linear map to queries of its own.

    The map sees asinh of the slice, so that a strong entry does not drown all others.

    Args:
        widths: of the G slices.
        books: m.
        seed: of all first weights.
    """

    def __init__(self, widths: Sequence[int], books: int, seed: int = 0) -> None:
        super().__init__()
        self.widest = max(widths)
        inputs = self.widest + 1  # entries and a one
        query = torch.randn(len(widths), SLICE_HIDDEN, inputs, generator=step_generator(seed, 1))
        self.query = nn.Parameter(query / math.sqrt(inputs))  # [G, hidden, inputs]
        self.attention = CodebookAttention(SLICE_HIDDEN, books, seed)

    def forward(self, slices: Sequence[Tensor]) -> Tensor:
        """Slices [N, D_g] -> scores [N, G, m]."""
        padded = torch.stack([F.pad(part, (0, self.widest - part.shape[1])) for part in slices], 1)  # [N, G, D]
        inputs = F.pad(torch.asinh(padded), (0, 1), value=1.0)  # [N, G, D + 1]
        scores: Tensor = self.attention(torch.einsum("ngi,ghi->ngh", inputs, self.query))
        return scores


def gumbel_choice(scores: Tensor, temperature: float, generator: torch.Generator, ranks: Ranks = ALONE) -> Tensor:
    """One-hot samples [N, ..., m] of the softmax of `scores` [N, ..., m], with a gradient; N rows are for each process.

    The temperature has no part in which one is drawn: the largest of scores and Gumbel noise is the largest at any. The
    gradient is that of their softmax at the temperature (Jang et al. 2017, straight-through).
    """
    noise = torch.empty(ranks.count * len(scores), *scores.shape[1:]).exponential_(generator=generator)  # [N', ..., m]
    return largest(scores - noise[ranks.own(len(noise))].log().to(scores.device), temperature)


def largest(scores: Tensor, temperature: float = 1.0) -> Tensor:
    """One-hot of the largest of `scores` [..., m], with the gradient of their softmax at the temperature."""
    soft = (scores / temperature).softmax(-1)  # [..., m]
    return straight_through(F.one_hot(scores.argmax(-1), scores.shape[-1]).to(soft.dtype), soft)


def temperature_linear(step: int, steps: int) -> float:
    """Temperature of 0-based `step`, from the number of steps at the first down to 1 at the last.

    The paper's T = (iterations - m) + 1, with m from 1 up. It flattens the gradient of the choice to next to nothing
    for most of a run.
    """
    return float(max(1, steps - step))


def temperature_exponential(step: int, steps: int) -> float:
    """Temperature of 0-based `step`, from 5 at the first of `steps` down to 0.5 at the last, by equal factors."""
    return float(5.0 * 0.1 ** min(1.0, step / max(steps - 1, 1)))


TEMPERATURES: dict[str, Callable[[int, int], float]] = {
    "linear": temperature_linear,
    "exponential": temperature_exponential,
}

"""First codebooks of a photo model: entropy-constrained designs on the rows of a few pictures."""

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from ....kinds.codebook import BIT
from ...quantizers import SharedAdaptiveQuantizer, entropy_constrained

if TYPE_CHECKING:
    from .codebook import CodebookModel

ITERATIONS = 24  # of a design
ROUNDS = 4  # of choices and counts among all codewords of shared codebooks
ROWS = 1 << 16  # most rows that a shared codebook is designed on
BATCH = 2048  # rows that counts stand for: latent positions of a batch
UNUSED = 0.01  # rows a batch, of an index that no row has


@torch.no_grad()
def fit(model: "CodebookModel", y: Tensor) -> None:
    """Set the codewords of `model` and their counts from latents y [N, M]; its prior starts from the counts."""
    generator = torch.Generator().manual_seed(0)
    t = (1.2 * torch.rand(len(y), 1, generator=generator).sqrt()).clamp(max=1)  # high rates need most codewords
    rows = y / torch.exp(model.log_basis - model.config.octaves * math.log(2) * t)  # [N, M]
    if isinstance(model.quantizer, SharedAdaptiveQuantizer):
        _fit_shared(model.quantizer, rows, generator)
    else:
        for vq, part in zip(model.quantizer.first(None), model.quantizer.slices(rows), strict=True):
            codebook, counts = entropy_constrained(part, vq.codes, BIT, ITERATIONS, generator)
            vq.begin_at(codebook, counts * BATCH / len(rows))
    model.prior.context.leave.bias.copy_(-model.quantizer.bits().flatten())


def _fit_shared(quantizer: SharedAdaptiveQuantizer, rows: Tensor, generator: torch.Generator) -> None:
    """A codebook is designed for the slices that it is just wide enough for; then every slice counts what it takes."""
    books, slices = quantizer.books(), quantizer.slices(rows)  # slices [N, D_g] each
    home = [min((b for b in books if b.dimensions >= width), key=lambda b: b.dimensions) for width in quantizer.widths]
    quantizer.counts.fill_(UNUSED)
    first = 0
    for book in books:
        own = [group for group in range(len(slices)) if home[group] is book] or list(range(len(slices)))
        parts = [_widened(slices[group], book.dimensions) for group in own]
        z = torch.cat(parts)[torch.randperm(len(rows) * len(own), generator=generator)[:ROWS]]  # [n, D_i]
        codebook, counts = entropy_constrained(z, book.codes, BIT, ITERATIONS, generator)
        book.begin_at(codebook, counts * BATCH * len(own) / len(z))
        for group in own:
            quantizer.counts[group, first : first + book.codes] += counts * BATCH / len(z)
        first += book.codes
    for _ in range(ROUNDS):
        indices = quantizer.quantize(rows, list(BIT * quantizer.bits()))  # [N, G]
        for group, column in enumerate(indices.T):
            counts = torch.bincount(column, minlength=quantizer.counts.shape[1])  # [K]
            quantizer.counts[group] = counts * BATCH / len(rows) + UNUSED


def _widened(rows: Tensor, width: int) -> Tensor:
    """Rows [N, D] with zeros added, or entries cut off, to [N, width]."""
    return F.pad(rows[:, :width], (0, max(0, width - rows.shape[1])))

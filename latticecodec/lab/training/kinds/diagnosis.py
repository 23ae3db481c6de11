"""What goes on inside the codebooks of a model in training: figures for the log, and a warning when one collapses."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...arithmetic import mixed_precision
from ...quantizers import CodebookUse, collapsed, gradient_gap, quantization_error, usage
from ...quantizers.shared import pairs_of

if TYPE_CHECKING:
    from .codebook import CodebookModel

PICTURES = 8  # that the gradient gap is taken on


@dataclass(frozen=True)
class Diagnosis:
    """Codebook figures over the validation pictures at the highest rate."""

    share_used: float  # 0 to 1: codes that occur, mean over codebooks
    perplexity: float  # 1 to K, mean over codebooks
    dead: int  # codes that do not occur, all codebooks together
    quantization_error: float  # mean squared, per latent value in units of the basis
    gradient_gap: float  # of the picture's mean squared error, see quantizers.usage


@torch.no_grad()
def diagnose(model: "CodebookModel", pictures: Tensor, device: torch.device) -> Diagnosis:
    """Figures of the codebooks of `model` on pictures uint8 [N, 3, S, S].

    Warns, naming the codebooks, when less than a tenth of a codebook is in use.
    """
    columns, errors = [], []
    for part in torch.split(pictures, 4):
        with mixed_precision(device):
            rows, indices, values = model.code(part.to(device).float() / 255, 1.0)  # [N, M], [N, G], [N, M]
        errors.append(len(rows) * quantization_error(rows, values))
        columns.append(indices)
    uses = _uses(model, torch.cat(columns))
    fallen = [str(group) for group, use in enumerate(uses) if collapsed(use)]
    if fallen:
        warnings.warn(f"less than a tenth of the codes in use, in codebooks {', '.join(fallen)}", stacklevel=2)
    return Diagnosis(
        share_used=sum(use.share_used for use in uses) / len(uses),
        perplexity=sum(use.perplexity for use in uses) / len(uses),
        dead=sum(use.dead for use in uses),
        quantization_error=sum(errors) / sum(map(len, columns)),
        gradient_gap=_gradient_gap(model, pictures[:PICTURES].to(device).float() / 255),
    )


def _uses(model: "CodebookModel", indices: Tensor) -> list[CodebookUse]:
    """How each codebook is used by indices [N, G]."""
    if not model.config.books:
        return [usage(column, model.config.codes) for column in indices.unbind(1)]
    book, index = pairs_of(indices, model.config.books)  # [N, G] each
    owns = [index[book == number] for number in range(len(model.config.books))]
    return [
        usage(own, codes) if len(own) else CodebookUse(0.0, 1.0, codes)
        for own, codes in zip(owns, model.config.books, strict=True)
    ]


def _gradient_gap(model: "CodebookModel", x: Tensor) -> float:
    """The gradient gap of the mean squared error of pictures x [B, 3, S, S] in [0, 1]."""
    rows, _, values = model.code(x, 1.0)  # [N, M]
    return gradient_gap(lambda at: (model.draw(at, x.shape, 1.0) - x).square().mean(), rows, values)

"""What goes on inside the codebooks of a model in training: figures for the log, and a warning when one collapses."""

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from ..quantizers import collapsed, gradient_gap, quantization_error, usage
from .models import PhotoModel
from .precision import mixed_precision
from .vector import VectorModel

PICTURES = 8  # that the gradient gap is taken on


@dataclass(frozen=True)
class Diagnosis:
    """Codebook figures over the validation pictures, all stages in use."""

    share_used: float  # 0 to 1: codes that occur, mean over stages
    perplexity: float  # 1 to K, mean over stages
    dead: int  # codes that do not occur, all stages together
    quantization_error: float  # mean squared, per latent value
    gradient_gap: float  # of the picture's mean squared error, see quantizers.usage


@torch.no_grad()
def diagnose(model: PhotoModel, pictures: Tensor, device: torch.device) -> Diagnosis | None:
    """Figures of the codebooks of `model` on pictures uint8 [N, 3, S, S]; None for lattices.

    Warns, naming the stages, when less than a tenth of a codebook is in use.
    """
    if not isinstance(model, VectorModel):
        return None
    columns, errors = [], []
    for part in torch.split(pictures, 4):
        with mixed_precision(device):
            rows = model.rows(part.to(device).float() / 255)  # [N, M]
        indices = model.quantizer.quantize(rows)  # [N, G]
        errors.append(quantization_error(rows, model.quantizer.dequantize(indices)))
        columns.append(indices)
    uses = [usage(column, model.config.codes) for column in torch.cat(columns).unbind(1)]
    fallen = [str(stage) for stage, use in enumerate(uses) if collapsed(use)]
    if fallen:
        warnings.warn(f"less than a tenth of the codes in use, in codebooks {', '.join(fallen)}", stacklevel=2)
    return Diagnosis(
        share_used=sum(use.share_used for use in uses) / len(uses),
        perplexity=sum(use.perplexity for use in uses) / len(uses),
        dead=sum(use.dead for use in uses),
        quantization_error=sum(errors) / len(errors),
        gradient_gap=_gradient_gap(model, pictures[:PICTURES].to(device).float() / 255),
    )


def _gradient_gap(model: VectorModel, x: Tensor) -> float:
    """The gradient gap of the mean squared error of pictures x [B, 3, S, S] in [0, 1]."""
    rows = model.rows(x)  # [N, M]
    t = torch.ones(len(x), device=x.device)

    def loss(values: Tensor) -> Tensor:
        shape = (len(x), x.shape[2] // 16, x.shape[3] // 16)
        x_hat: Tensor = model.synthesis(values.view(*shape, -1).permute(0, 3, 1, 2), t)  # [B, 3, S, S]
        return (x_hat - x).square().mean()

    return gradient_gap(loss, rows, model.quantizer.dequantize(model.quantizer.quantize(rows)))

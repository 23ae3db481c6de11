"""What a training is seen to do on the way, on its first training pictures."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .bottleneck import Lattice, Passed
from .counting import Statistics
from .datasets import Pictures
from .model import PaperModel

PICTURES = 32


def seen(model: PaperModel, pictures: Pictures, device: torch.device, progress: float) -> dict[str, float]:
    """A line of the history; the model is in eval mode, so that nothing learns.

    - mse: what `measure` calls mse_forward, of PICTURES pictures;
    - used, perplexity: as in `measure`, of the same;
    - quantization_error: mean over the codebooks of `Bottleneck.losses`;
    - gradient_gap: `gap_at_encoder`;
    - density: of a lattice, its points in a unit of length along one dimension, geometric mean over the dimensions;
    - share_N, loss_N: of adaptive codebooks, the share of the positions that choose the one of N codewords, and its
      part of quantization_error.
    """
    x = model.to_input(pictures.train[:PICTURES].to(device))  # [B, C, H, W]
    with torch.no_grad():
        rows, shape = model.encode(x)
        passed = model.bottleneck(rows, progress)
        mse = float(F.mse_loss(model.decode(passed.values, shape), x))
        losses = model.bottleneck.losses(rows)
    statistics = Statistics(model.bottleneck)
    statistics.add(passed.symbols.view(*shape, -1))
    found = {
        "mse": mse,
        "used": float(statistics.distinct()),
        "perplexity": statistics.perplexity(),
        "quantization_error": sum(losses) / len(losses),
        "gradient_gap": gap_at_encoder(model, x, rows, shape, passed),
    }
    if isinstance(model.bottleneck, Lattice):
        found["density"] = float(1 / model.bottleneck.codewords().abs().log().mean().exp())
    if model.bottleneck.chooses:
        sizes = model.bottleneck.sizes()
        shares = torch.bincount(passed.symbols[:, 0], minlength=len(sizes)) / len(passed.symbols)  # [m]
        found |= {f"share_{codes}": float(share) for codes, share in zip(sizes, shares, strict=True)}
        found |= {f"loss_{codes}": loss for codes, loss in zip(sizes, losses, strict=True)}
    return found


def gap_at_encoder(model: PaperModel, x: Tensor, rows: Tensor, shape: tuple[int, int, int], passed: Passed) -> float:
    """|d L(G(z_e)) / dE - d L(G(z_q)) / dE| of the picture's mean squared error (eq. 5 of arXiv 2407.04939).

    E is what the encoder gives, z_e its values without the search for codewords and z_q those with it, whose gradient
    goes straight through the search and then through the projections, as in training; the choice among codebooks is
    held. Euclidean length over all N x D entries.

    Args:
        model: in eval mode.
        x: pictures [B, C, H, W].
        rows: [N, D] of `model.encode(x)`.
        shape: (B, h, w) of the same.
        passed: what became of them.
    """
    at = rows.detach().requires_grad_()  # [N, D]
    with torch.enable_grad():
        plain = model.bottleneck.unquantized(at, passed.symbols)  # [N, D]
        through = plain + (passed.values - plain).detach()  # [N, D]
        losses = (F.mse_loss(model.decode(values, shape), x) for values in (plain, through))
        first, second = (torch.autograd.grad(loss, at, retain_graph=True)[0] for loss in losses)  # [N, D] each
    return float((first - second).norm())

"""New work for channels that a trained model leaves unused, for a warm start.

A channel whose coordinates are almost always zero even on the finest lattice is dead: its cells are wider than the
latent, nothing is coded and no gradient brings it back. Reduced-rank regression (Izenman 1975) of what the model
misses on what the encoder sees gives such channels the linear directions that help most; they go through the shortcut
of both transforms, so that the model starts as it was, plus that correction.
"""

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from ....config import PATCH
from ....entropy.numbers import LOG_SCALE_MIN
from ...nets.transforms import principal_axes

if TYPE_CHECKING:
    from .lattice import LatticeModel

DEAD = 1e-3  # a channel with fewer nonzero coordinates than this share, at rate coordinate 1, is dead
STEP = 0.5  # basis entry of a revived channel, as at the start of training
RIDGE = 1e-4  # of the regression, relative to the mean energy of a regressor


@torch.no_grad()
def revive(model: "LatticeModel", pictures: Tensor) -> int:
    """Give dead channels new directions, fitted to pictures [N, 3, S, S] in [0, 1]; returns how many there were."""
    finest = torch.full((len(pictures),), 1.0)
    y = model.analysis(pictures)  # [N, M, s, s]
    quantized = model.quantizer(y, -model.config.octaves * finest)
    dead = ((quantized.coordinates != 0).float().mean((0, 2, 3)) < DEAD).nonzero()[:, 0]  # [D]
    if not len(dead):
        return 0
    _silence(model, dead)
    y = model.analysis(pictures)  # [N, M, s, s]
    missed = _rows(F.pixel_unshuffle(pictures - model.synthesis(y, finest), PATCH))  # [P, 768]
    seen = torch.cat(
        [_rows(F.pixel_unshuffle(pictures - 0.5, PATCH)), _rows(model.analysis.features(pictures))], 1
    ).double()  # [P, 768 + width16]
    covariance = seen.T @ seen / len(seen)
    covariance += RIDGE * covariance.diagonal().mean() * torch.eye(len(covariance))
    fit = torch.linalg.solve(covariance, seen.T @ missed.double() / len(seen))  # [768 + width16, 768]
    axes = principal_axes((seen @ fit).float(), len(dead))  # [D, 768]
    rows = (axes.double() @ fit.T).float()  # [D, 768 + width16]
    pixels = 3 * PATCH**2
    model.analysis.shortcut.weight[dead], model.analysis.leave.weight[dead] = rows[:, :pixels], rows[:, pixels:]
    model.synthesis.shortcut.weight[:, dead] = axes.T
    model.quantizer.log_basis[dead] = torch.tensor(STEP).log()
    spread = (seen @ rows.T.double()).square().mean(0).sqrt().float()  # [D]
    middle = spread / (STEP * 2 ** (-model.config.octaves / 2))  # in lattice steps, at rate coordinate 1/2
    model.prior.context.leave.bias[model.config.latents + dead] = middle.log().clamp_min(LOG_SCALE_MIN)
    return len(dead)


def _silence(model: "LatticeModel", channels: Tensor) -> None:
    """Cut `channels` out of all networks: nothing goes in, nothing comes out."""
    for layer in (model.analysis.leave, model.analysis.shortcut):
        layer.weight[channels], layer.bias[channels] = 0, 0
    for layer in (model.synthesis.enter, model.synthesis.shortcut, model.hyper_analysis.enter):
        layer.weight[:, channels] = 0
    for name, value in model.prior.context.adaptors.named_parameters():
        if name.endswith("weight"):
            value[:, channels] = 0
    for output in (channels, model.config.latents + channels):
        model.prior.context.leave.weight[output], model.prior.context.leave.bias[output] = 0, 0


def _rows(maps: Tensor) -> Tensor:
    """[N, C, h, w] -> [N h w, C]."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)

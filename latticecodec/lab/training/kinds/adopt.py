"""The start of a model with codebooks from a trained one: its transforms and what fits of its prior.

From a lattice: the latents are put in order of the bits that they have there, and cut into groups of about equal bits,
so that a codebook covers few latents that carry much or many that carry little. The codebooks start as an
entropy-constrained design in units of the lattice's basis, where every latent matters about equally to the picture.
"""

import dataclasses
import math
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from ....config import CONTEXT_STEPS, ModelConfig
from ....entropy.numbers import KNOTS
from ...nets.prior import interpolate_knots
from ..quantizer_options import DEFAULTS, QuantizerOptions
from .fit import fit
from .groups import widths_of
from .rows import as_rows

if TYPE_CHECKING:
    from .codebook import CodebookModel
    from .lattice import LatticeModel

Model = TypeVar("Model", bound="CodebookModel")

GROUPS = 64
WIDEST = 8  # latents of a group


@torch.no_grad()
def adopt(
    base: "LatticeModel",
    kind: type[Model],
    base_name: str,
    pictures: Tensor,
    options: QuantizerOptions = DEFAULTS,
    groups: tuple[int, ...] = (),
) -> Model:
    """A model with codebooks that begins at a lattice; its codebooks are fitted to pictures [N, 3, S, S] in [0, 1].

    With `base_name`, that of an installed model, only parts of the transforms will train. Its groups of latents follow
    from the pictures where `groups` are not given.
    """
    config = kind.configured(base.config)
    low, high = (_coordinate(base.config, value) for value in (config.lambda_min, config.lambda_max))
    y = as_rows(torch.cat([base.analysis(part) for part in torch.split(pictures, 16)]))  # [N, M]
    log_basis = base.quantizer.log_basis - base.config.octaves * math.log(2) * low  # [M] at the new coordinate 0
    bits = _entropies(y / (log_basis - config.octaves * math.log(2)).exp())  # [M] at coordinate 1
    order = bits.argsort(descending=True)  # [M]
    count = min(GROUPS, config.latents // 2)
    groups = groups or kind.suited(widths_of(bits[order], count, WIDEST), config.latents)
    model = kind(dataclasses.replace(config, groups=groups, base=base_name), options)
    _take_transforms(model, base, order, low, high)
    model.log_basis.copy_(log_basis[order])
    _take_prior(model, base, order, low, high)
    fit(model, y[:, order])
    return model


@torch.no_grad()
def exchange(
    source: "CodebookModel", kind: type[Model], pictures: Tensor, options: QuantizerOptions = DEFAULTS
) -> Model:
    """A model that begins at one with other codebooks; its own are fitted to pictures [N, 3, S, S] in [0, 1].

    It has the same groups of latents, where these suit the kind.
    """
    groups = kind.suited(source.config.groups, source.config.latents)
    model = kind(kind.configured(source.config, groups), options)
    own = model.state_dict()
    theirs = source.state_dict()
    taken = [
        name for name, value in theirs.items() if not name.startswith("quantizer") and own[name].shape == value.shape
    ]
    model.load_state_dict(own | {name: theirs[name] for name in taken})
    fit(model, as_rows(torch.cat([model.analysis(part) for part in torch.split(pictures, 16)])))
    return model


def _coordinate(config: ModelConfig, weight: float) -> float:
    """The rate coordinate at which a model has that lambda, also outside [0, 1]."""
    return math.log(weight / config.lambda_min) / math.log(config.lambda_max / config.lambda_min)


def _entropies(u: Tensor) -> Tensor:
    """Bits [M] of the rounded entries of each column of u [N, M]."""
    found = []
    for column in u.round().long().T:
        counts = torch.bincount(column - column.min()).float()
        found.append(torch.special.entr(counts / counts.sum()).sum() / math.log(2))
    return torch.stack(found)


def _take_transforms(model: "CodebookModel", base: "LatticeModel", order: Tensor, low: float, high: float) -> None:
    """Transforms of `base` with latents in `order`, and gains of its coordinates low to high as 0 to 1."""
    own = model.state_dict()
    for name, value in base.state_dict().items():
        if not name.startswith(("analysis.", "synthesis.", "hyper_analysis.")):
            continue
        if name.startswith(("analysis.leave", "analysis.shortcut")) or "gain16" in name:
            value = value[order]
        elif name in ("synthesis.enter.weight", "synthesis.shortcut.weight", "hyper_analysis.enter.weight"):
            value = value[:, order]
        own[name] = value
    middle, half = low + high - 1, high - low  # s of the base = middle + half s, with s = 2 t - 1
    for gain, layer in (("gain16", "enter"), ("gain8", "leave")):
        slope, curve = own[f"synthesis.{gain}.slope"], own[f"synthesis.{gain}.curve"]
        constant = torch.exp(slope * middle + curve * middle**2)
        own[f"synthesis.{layer}.weight"] = own[f"synthesis.{layer}.weight"] * constant
        own[f"synthesis.{gain}.slope"] = half * slope + 2 * middle * half * curve
        own[f"synthesis.{gain}.curve"] = half**2 * curve
    model.load_state_dict(own)


def _take_prior(model: "CodebookModel", base: "LatticeModel", order: Tensor, low: float, high: float) -> None:
    """The prior of hyper-latents, the hyper-decoder and the context network up to its last layer."""
    own, theirs = model.prior.state_dict(), base.prior.state_dict()
    for name, value in theirs.items():
        if name.startswith(("hyper.", "z_", "context.blocks.")):
            own[name] = value
    t = torch.linspace(low, high, KNOTS)
    for name in ("z_mean", "z_scale", "hyper.level_bias"):
        own[name] = interpolate_knots(theirs[name], t)
    for own_pass, step in ((0, 0), (1, CONTEXT_STEPS - 1)):
        weight = theirs[f"context.adaptors.{step}.weight"]  # [W, M + F]
        symbols, features = weight[:, : len(order)], weight[:, len(order) :]
        own[f"context.adaptors.{own_pass}.weight"] = torch.cat([symbols[:, order], features], 1)
        own[f"context.adaptors.{own_pass}.bias"] = theirs[f"context.adaptors.{step}.bias"]
    model.prior.load_state_dict(own)

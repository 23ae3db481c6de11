"""Between a prior in floating point and the integers that it codes with: what every kind of prior has.

Layers become int8 weights, int32 biases and the exponents of their units; what depends on the rate coordinate becomes
one value for each quality level. `offsets` are constants [out] by layer name, which the integers hold in a layer's bias
and the float prior does not.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...entropy.numbers import (
    ACTIVATION_BITS,
    KNOTS,
    LEVELS,
    LOG_SCALE_MIN,
    MEAN_BITS,
    MEAN_MAX,
    SCALE_BITS,
    SCALE_COUNT,
    WEIGHT_MAX,
)
from .prior import HyperPrior, IntegerLayer, compand, interpolate_knots, weight_exponents
from .tables import make_table_index

HYPER_ENTER = "hyper.enter"  # the layer whose bias depends on the quality level


@torch.no_grad()
def integer_tensors(prior: HyperPrior, offsets: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All layers of `prior`, its prior of z, the companding look-up and the frequency tables, as integers.

    A layer gives `NAME.weight` int8 [out, in], `NAME.exponent` int8 [out] and `NAME.bias` int32 [.., out], the bias of
    `hyper.enter` [LEVELS, out]; the rest are `z` int32 [2, LEVELS, Z], `compand` int8 [2048] and five `tables.*`.
    """
    levels = torch.linspace(0, 1, LEVELS, dtype=torch.float32)
    state: dict[str, Tensor] = {}
    for name, layer in _layers(prior).items():
        bias = layer.bias + offsets.get(name, 0)
        if name == HYPER_ENTER:
            bias = bias + interpolate_knots(prior.hyper.level_bias, levels)  # [LEVELS, out]
        seen = layer.seen_weight()  # [out, in]
        exponent = weight_exponents(seen)  # [out]
        weight = (seen * torch.exp2(exponent)[:, None]).round().clamp(-WEIGHT_MAX, WEIGHT_MAX)
        state[f"{name}.weight"] = weight.to(torch.int8)
        state[f"{name}.exponent"] = exponent.to(torch.int8)
        state[f"{name}.bias"] = (bias * torch.exp2(exponent + ACTIVATION_BITS)).round().to(torch.int32)
    mean = (interpolate_knots(prior.z_mean, levels) * 2**MEAN_BITS).round().clamp(-MEAN_MAX, MEAN_MAX)
    scale = (interpolate_knots(prior.z_scale, levels) - LOG_SCALE_MIN) * 2**SCALE_BITS
    state["z"] = torch.stack([mean, scale.round().clamp(0, SCALE_COUNT - 1)]).to(torch.int32)  # [2, LEVELS, Z]
    state["compand"] = compand_table(1)
    index = make_table_index()
    state["tables.frequencies"] = torch.from_numpy(index.tables.frequencies)
    state["tables.offsets"] = torch.from_numpy(index.tables.offsets)
    state["tables.means"] = torch.from_numpy(index.means)
    state["tables.shifts"] = torch.from_numpy(index.shifts)
    state["tables.first"] = torch.from_numpy(index.first)
    return state


def compand_table(unit: int) -> Tensor:
    """The companding look-up for magnitudes in units of 1 / `unit` of a step: int8 [2048 unit]."""
    magnitude = torch.arange(2048 * unit, dtype=torch.float64) / unit
    table: Tensor = (compand(magnitude) * 2**ACTIVATION_BITS).round().clamp(max=WEIGHT_MAX)
    return table.to(torch.int8)


def float_tensors(prior: HyperPrior, state: Mapping[str, Tensor], offsets: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inverse of `integer_tensors`: a state_dict of `prior`, whose own values are not looked at.

    `integer_tensors` makes the same integers of it, except for what depends on the quality level: of LEVELS values
    KNOTS are kept.
    """
    knots = torch.linspace(0, LEVELS - 1, KNOTS, dtype=torch.float32).round().long()
    own: dict[str, Tensor] = {}
    for name in _layers(prior):
        unit = torch.exp2(-state[f"{name}.exponent"].float())  # [out]
        bias = state[f"{name}.bias"].float() * unit * 2.0**-ACTIVATION_BITS - offsets.get(name, 0)
        if name == HYPER_ENTER:
            own["hyper.level_bias"] = bias[knots]
            bias = torch.zeros_like(bias[0])
        own[f"{name}.weight"] = state[f"{name}.weight"].float() * unit[:, None]
        own[f"{name}.bias"] = bias
    mean, scale = state["z"].float()[:, knots]
    own["z_mean"] = mean * 2.0**-MEAN_BITS
    own["z_scale"] = scale * 2.0**-SCALE_BITS + LOG_SCALE_MIN
    return own


def scale_offsets(latents: int) -> dict[str, Tensor]:
    """The `offsets` of a prior of lattice coordinates: its scale outputs count from the smallest sigma."""
    offsets = torch.zeros(2 * latents, dtype=torch.float32)
    offsets[latents:] = -LOG_SCALE_MIN
    return {"context.leave": offsets}


def _layers(prior: HyperPrior) -> dict[str, IntegerLayer]:
    return {name: layer for name, layer in prior.named_modules() if isinstance(layer, IntegerLayer)}

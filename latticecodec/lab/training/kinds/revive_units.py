"""A gradient for units of the prior that a trained model has lost, for a warm start.

A rectified unit that is zero at every position has no gradient, and stays there. Its weights are scaled down and its
bias set so that it lies between zero and the first step of the activations' grid: it rounds to zero as before, so that
the model codes what it coded, and a gradient goes straight through the rounding.
"""

import itertools
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...nets.prior import UNIT, IntegerBlock, IntegerLayer, interpolate_knots

if TYPE_CHECKING:
    from .lattice import LatticeModel

PICTURES, BATCH = 32, 8  # that are looked at, in all and at once
RATES = (0.0, 0.25, 0.5, 0.75, 1.0)  # rate coordinates that units are looked at with
BIAS = 0.25 / UNIT  # of a revived unit; half a step of the grid rounds up
REACH = 0.125 / UNIT  # how far its inputs move it


def revive_units(model: "LatticeModel", pictures: Tensor) -> int:
    """Give units of the prior that are zero for all of pictures [N, 3, S, S] a gradient; returns how many they were."""
    layers = {
        name: layer
        for name, layer in model.prior.named_modules()
        if isinstance(layer, IntegerLayer) and name != "context.leave"  # which is not rectified
    }
    highest, widest, inputs = _looked_at(model, layers, pictures)
    count = 0
    with torch.no_grad():
        for name, layer in layers.items():
            assert layer.bias.grad is not None
            dead = (layer.bias.grad == 0) & (highest[name] <= 0) & (inputs.get(name, torch.zeros(1)) <= 0)  # [out]
            layer.weight[dead] *= (REACH / widest[name][dead].clamp_min(REACH))[:, None]
            layer.bias[dead] = BIAS
            if name == "hyper.enter":
                model.prior.hyper.level_bias[:, dead] = 0
            count += int(dead.sum())
    model.zero_grad()
    return count


def _looked_at(
    model: "LatticeModel", layers: dict[str, IntegerLayer], pictures: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Of each layer, by name, [out] each, over pictures and RATES; the gradients of the rate are left in the model.

    - the highest value before rectification, in a block without what it is added to;
    - the furthest that its inputs move it;
    - of the last layer of a block, the highest value that it is added to.
    """
    highest = {name: torch.full_like(layer.bias, -torch.inf) for name, layer in layers.items()}
    widest = {name: torch.zeros_like(layer.bias) for name, layer in layers.items()}
    inputs: dict[str, Tensor] = {}
    level = torch.zeros(1)

    def keep(name: str, out: Tensor) -> None:
        moved = out.detach() - layers[name].bias.detach()[:, None, None]  # [B, out, h, w]
        widest[name] = torch.maximum(widest[name], moved.abs().amax((0, 2, 3)))
        added = level[:, :, None, None] if name == "hyper.enter" else 0
        highest[name] = torch.maximum(highest[name], (out.detach() + added).amax((0, 2, 3)))

    def keep_block(name: str, x: Tensor) -> None:
        inputs[name] = torch.maximum(inputs.get(name, torch.zeros(1)), x.detach().amax((0, 2, 3)))

    handles = [
        layer.register_forward_hook(lambda _, __, out, name=name: keep(name, out)) for name, layer in layers.items()
    ]
    for name, block in model.prior.named_modules():
        if isinstance(block, IntegerBlock):
            handles.append(
                block.register_forward_pre_hook(lambda _, given, name=name: keep_block(f"{name}.outer", *given))
            )
    model.zero_grad()
    try:
        for first, t in itertools.product(range(0, min(PICTURES, len(pictures)), BATCH), RATES):
            part = pictures[first : first + BATCH]  # [B, 3, S, S]
            rates = torch.full((len(part),), t)
            level = interpolate_knots(model.prior.hyper.level_bias.detach(), rates)  # [B, out]
            model(part, rates).bpp.sum().backward()
    finally:
        for handle in handles:
            handle.remove()
    return highest, widest, inputs

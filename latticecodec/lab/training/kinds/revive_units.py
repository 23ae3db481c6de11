"""A gradient for units of the prior that a trained model has lost, for a warm start.

A rectified unit that is zero at every position has no gradient, and stays there. Its weights are scaled down and its
bias set so that it lies between zero and half a step of the activations' grid: it rounds to zero as before, and a
gradient goes straight through the rounding. What is coded of the pictures that are looked at stays the same; others may
have used a unit that these do not.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ....entropy.numbers import KNOTS
from ...nets.prior import UNIT, IntegerBlock, IntegerLayer, compand, interpolate_knots

if TYPE_CHECKING:
    from .lattice import LatticeModel

PICTURES, BATCH = 32, 8  # that are looked at, in all and at once
BIAS = 0.25 / UNIT  # of a revived unit; half a step of the grid rounds up
REACH = 0.125 / UNIT  # how far its inputs move it
FIRST = "hyper.enter"  # the layer that has a bias for each rate as well


@torch.no_grad()
def revive_units(model: "LatticeModel", pictures: Tensor) -> int:
    """Give units of the prior that are zero for all of pictures [N, 3, S, S] a gradient; returns how many they were.

    At the rates where the hyper-decoder has biases. The last layer of a block is left alone where it takes away all of
    what it is added to.
    """
    look = _Look(model, pictures[:PICTURES])
    dead = look.dead()
    for name, layer in look.layers.items():
        which = dead[name]  # [out] bool
        least = layer.weight.abs().sum(1) / UNIT  # [out] what inputs of one step move, were there any
        layer.weight[which] *= (REACH / look.widest[name].maximum(least).clamp_min(REACH))[which, None]
        layer.bias[which] = BIAS
        if name == FIRST:
            model.prior.hyper.level_bias[:, which] = 0
    again = _Look(model, pictures[:PICTURES])
    for name, layer in again.layers.items():  # weights on their grid of 8 bits may reach further
        layer.weight[dead[name] & (again.highest[name] >= 0.5 / UNIT)] = 0
    return sum(int(which.sum()) for which in dead.values())


class _Look:
    """What the prior's rectified layers do with pictures [N, 3, S, S].

    Attributes:
        layers: by name in the prior.
        highest: [out] of each, the highest value before rectification; in a block without what it is added to.
        widest: [out] of each, the furthest that its inputs move it.
        added: [out] of the last layer of each block, the highest value that it is added to.
    """

    def __init__(self, model: "LatticeModel", pictures: Tensor) -> None:
        self.layers = {
            name: layer
            for name, layer in model.prior.named_modules()
            if isinstance(layer, IntegerLayer) and name != "context.leave"  # which is not rectified
        }
        self.highest = {name: torch.full_like(layer.bias, -torch.inf) for name, layer in self.layers.items()}
        self.widest = {name: torch.zeros_like(layer.bias) for name, layer in self.layers.items()}
        self.added: dict[str, Tensor] = {}
        self._level = torch.zeros(1)  # [out] of FIRST at the rate that is looked at
        handles = [layer.register_forward_hook(self._seen(name)) for name, layer in self.layers.items()]
        for name, block in model.prior.named_modules():
            if isinstance(block, IntegerBlock):
                handles.append(block.register_forward_pre_hook(self._entered(f"{name}.outer")))
        try:
            for first in range(0, len(pictures), BATCH):
                self._run(model, pictures[first : first + BATCH])
        finally:
            for handle in handles:
                handle.remove()

    def dead(self) -> dict[str, Tensor]:
        """Of each layer, [out] bool: the units that are never above zero."""
        return {
            name: (highest <= 0) & (self.added.get(name, torch.zeros_like(highest)) <= 0)
            for name, highest in self.highest.items()
        }

    def _run(self, model: "LatticeModel", pictures: Tensor) -> None:
        """The prior on pictures [B, 3, S, S], at every knot of the rates."""
        y = model.analysis(pictures).float()  # [B, M, h, w]
        for t in torch.linspace(0, 1, KNOTS).tolist():
            rates = torch.full((len(pictures),), t)
            self._level = interpolate_knots(model.prior.hyper.level_bias, rates)[0]
            q = model.quantizer(y, -model.config.octaves * rates)
            z = model.hyper_analysis(compand(q.relaxed)).float().round()  # [B, Z, h/4, w/4]
            model.prior.context(q.coordinates, model.prior.hyper(z, rates))

    def _seen(self, name: str) -> Callable[..., None]:
        def keep(layer: IntegerLayer, given: Any, out: Tensor) -> None:
            moved = (out - layer.bias[:, None, None]).abs().amax((0, 2, 3))  # [out]
            self.widest[name] = self.widest[name].maximum(moved)
            level = self._level if name == FIRST else 0
            self.highest[name] = self.highest[name].maximum(out.amax((0, 2, 3)) + level)

        return keep

    def _entered(self, name: str) -> Callable[..., None]:
        def keep(block: IntegerBlock, given: tuple[Tensor]) -> None:
            highest = given[0].amax((0, 2, 3))  # [out]
            self.added[name] = highest.maximum(self.added.get(name, highest))

        return keep

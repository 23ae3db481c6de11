"""Low-rank additions (LoRA, Hu et al. 2021) to an installed lattice model: a small model that refers to a base.

Each 1x1 layer of the transforms gets weight + left @ right, with left [out, r] zero at the start; left and right are
what is stored. Beside them trains what is small: biases, gains, the basis, biases of the prior and its prior of z.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from ....lowrank import LEFT, RIGHT
from ...nets.blocks import Pointwise

if TYPE_CHECKING:
    from .lattice import LatticeModel

PARAMETRIZED = ".parametrizations.weight"  # how torch names a parametrised weight and what it is made of
FULL = (".bias", ".slope", ".curve", "log_basis", "z_mean", "z_scale")  # ends of the names of what trains as a whole
KEPT = ("prior.hyper.enter.bias",)  # 64 rows of integers where it is stored, one a quality level


class LowRank(nn.Module):
    """weight [out, in] -> weight + left @ right, with left [out, r] and right [r, in]."""

    def __init__(self, outputs: int, inputs: int, rank: int) -> None:
        super().__init__()
        self.left = nn.Parameter(torch.zeros(outputs, rank))
        self.right = nn.Parameter(torch.randn(rank, inputs) * rank**-0.5)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight that the layer computes with [out, in]."""
        return weight + self.left @ self.right


def plain_name(name: str) -> str:
    """The name of a parameter in a model folder, of its name in a model with additions."""
    name = name.replace(f"{PARAMETRIZED}.original", ".weight")
    return name.replace(f"{PARAMETRIZED}.0.left", f".weight{LEFT}").replace(
        f"{PARAMETRIZED}.0.right", f".weight{RIGHT}"
    )


def add_low_rank(model: "LatticeModel", rank: int) -> None:
    """Give the 1x1 layers of the transforms additions of that rank, which change nothing yet; freeze what is large."""
    for transform in (model.analysis, model.synthesis, model.hyper_analysis):
        for layer in [layer for layer in transform.modules() if isinstance(layer, Pointwise)]:
            outputs, inputs = layer.weight.shape
            register_parametrization(layer, "weight", LowRank(outputs, inputs, rank))
    for name, value in model.named_parameters():
        small = plain_name(name).endswith((LEFT, RIGHT, *FULL)) and name not in KEPT
        value.requires_grad_(small)


def frozen_tensors(model: nn.Module) -> set[str]:
    """The names, as in a model folder, of what a model with additions takes from its base; none of another model."""
    if not any(PARAMETRIZED in name for name, _ in model.named_parameters()):
        return set()
    return {plain_name(name) for name, value in model.named_parameters() if not value.requires_grad}

"""What trains at which share of the learning rate, with which optimiser, and the average of the weights."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ...errors import TrainingError
from ..ranks import ALONE, Ranks
from .options import OPTIMISERS
from .soap import Soap

SLOW = 0.3  # share of the learning rate that the linear path of the transforms and the lattice basis train with


def parameter_groups(model: nn.Module) -> list[dict[str, Any]]:
    """Two groups with their share of the learning rate as "share": residual branches and prior, and the linear path.

    The linear path starts as the PCA of patches, which is close to where it will end; the noise of full steps there
    would cap the quality at the top of the rate range.
    """
    linear = ("analysis.", "synthesis.", "quantizer.", "log_basis")
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    slow = [value for name, value in trained.items() if name.startswith(linear) and ".blocks" not in name]
    chosen = {id(value) for value in slow}
    fast = [value for value in trained.values() if id(value) not in chosen]
    return [{"params": fast, "share": 1.0}, {"params": slow, "share": SLOW}]


def make_optimiser(
    name: str, parameters: Iterable[dict[str, Any]], learning_rate: float, ranks: Ranks = ALONE
) -> Optimizer:
    """`soap` (Vyas et al. 2024), shared out among processes, or `adamw` (fused), without weight decay."""
    if name == "soap":
        return Soap(parameters, lr=learning_rate, ranks=ranks)
    if name == "adamw":
        return torch.optim.AdamW(parameters, lr=learning_rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    raise TrainingError(f"unknown optimiser {name!r}; choose {' or '.join(OPTIMISERS)}")


class Average:
    """Exponential moving average of a model's parameters, with a shorter memory during the first steps."""

    def __init__(self, model: nn.Module, decay: float = 0.999) -> None:
        self.decay = decay
        self.names = [name for name, _ in model.named_parameters()]
        self.values = [value.detach().clone() for value in model.parameters()]

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move the average towards the model's parameters after step `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, [value.detach() for value in model.parameters()], 1 - decay)

    @torch.no_grad()
    def swap(self, model: nn.Module) -> None:
        """Exchange the model's parameters with their averages; a second call undoes the first. Buffers stay."""
        for average, parameter in zip(self.values, model.parameters(), strict=True):
            current = parameter.detach().clone()
            parameter.copy_(average)
            average.copy_(current)

    @torch.no_grad()
    def give(self, model: nn.Module) -> None:
        """Set the model's parameters to the averages."""
        for average, parameter in zip(self.values, model.parameters(), strict=True):
            parameter.copy_(average)

    def is_finite(self) -> bool:
        """Whether every value is a finite number."""
        return bool(torch.stack(torch._foreach_norm(self.values)).sum().isfinite())

    def copy(self) -> dict[str, Tensor]:
        """What `load` takes, of now."""
        return {name: value.clone() for name, value in zip(self.names, self.values, strict=True)}

    def state(self) -> dict[str, Tensor]:
        """The averaged parameters by name; they go on changing."""
        return dict(zip(self.names, self.values, strict=True))

    @torch.no_grad()
    def load(self, state: dict[str, Tensor]) -> None:
        """Take over the averages of a checkpoint."""
        for name, value in zip(self.names, self.values, strict=True):
            value.copy_(state[name])

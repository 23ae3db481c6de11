"""A model's tensors, by the name of the part they belong to."""

from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


def part(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors named `name`.*, without that prefix."""
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}


def network(module: Network, name: str, tensors: dict[str, Tensor], device: torch.device) -> Network:
    """`module` with the weights named `name`.*, in float32, for inference on `device`."""
    module.load_state_dict({key: value.float() for key, value in part(name, tensors).items()})
    return module.eval().requires_grad_(False).to(device)

"""A model's tensors, by the name of the part they belong to."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..entropy.layers import State

Network = TypeVar("Network", bound=nn.Module)


def part(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors named `name`.*, without that prefix."""
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}


def integers(name: str, tensors: dict[str, Tensor]) -> State:
    """The tensors named `name`.*, without that prefix, as the exact integers of `latticecodec.entropy` take them."""
    return {key: value.cpu().numpy() for key, value in part(name, tensors).items()}


def network(make: Callable[[], Network], name: str, tensors: dict[str, Tensor], device: torch.device) -> Network:
    """The module that `make` gives, with the weights named `name`.*, in float32, for inference on `device`.

    Raises RuntimeError that names the first tensor that is missing, superfluous or of another shape.
    """
    with torch.device("meta"):  # its first weights are not wanted, nor the random numbers they would take
        module = make()
    own, given = module.state_dict(), part(name, tensors)
    for key in sorted(own.keys() | given.keys()):
        shapes = [tuple(side[key].shape) if key in side else None for side in (own, given)]
        if shapes[0] != shapes[1]:
            raise RuntimeError(f"tensor {name}.{key} should have shape {shapes[0]}, has {shapes[1]}")
    module.load_state_dict({key: value.to(torch.float32, copy=True) for key, value in given.items()}, assign=True)
    return module.eval().requires_grad_(False).to(device)

"""The arrays of a weight file as tensors, and back."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ..weights import Array


def as_tensors(arrays: Mapping[str, Array]) -> dict[str, Tensor]:
    """Tensors on the CPU that share the memory of the arrays."""
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def as_arrays(tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    """Arrays that share the memory of tensors on the CPU."""
    return {name: tensor.numpy() for name, tensor in tensors.items()}

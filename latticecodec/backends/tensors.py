"""A model's tensors, by the name of the part they belong to."""

from collections.abc import Mapping
from typing import TypeVar

Array = TypeVar("Array")


def part(name: str, tensors: Mapping[str, Array]) -> dict[str, Array]:
    """The tensors named `name`.*, without that prefix."""
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}

"""Kinds of models: what turns latents into a payload and back, one class each.

A module that has kinds lists them as its own KINDS. The table of all, by name, is KINDS here.
"""

import pkgutil
from importlib import import_module

from ..config import ModelConfig
from ..container import QUANTIZERS
from .adaptive import Adaptive
from .codebook import Codebook, Rotation
from .kind import Basis, Coded, Effort, Kind
from .lattice import E8Lattice, Lattice
from .rate import Rate, Rates

KINDS: dict[str, type[Kind]] = {}  # by config.quantizer


def add(kind: type[Kind]) -> None:
    """Make a kind known: its models can be loaded, and headers of their files read."""
    KINDS[kind.name] = kind
    QUANTIZERS.add(kind.format_id)


_MODULES = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
for _kind in sorted((kind for module in _MODULES for kind in getattr(module, "KINDS", ())), key=lambda k: k.format_id):
    add(_kind)


def check(config: ModelConfig) -> None:
    """Raise ModelError where a configuration is not as its kind has it; one of an unknown kind is left alone."""
    if config.quantizer in KINDS:
        KINDS[config.quantizer].check(config)


def kind_of(format_id: tuple[int, int]) -> type[Kind]:
    """The kind that has this quantizer and family; raises StopIteration where none has."""
    return next(kind for kind in KINDS.values() if kind.format_id == format_id)


__all__ = [
    "KINDS",
    "Adaptive",
    "Basis",
    "Codebook",
    "Coded",
    "E8Lattice",
    "Effort",
    "Kind",
    "Lattice",
    "Rate",
    "Rates",
    "Rotation",
    "add",
    "check",
    "kind_of",
]

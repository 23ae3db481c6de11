"""Kinds of models: what turns latents into a payload and back, one class each. KINDS is the table of their names."""

from ..config import ModelConfig
from ..container import QUANTIZERS
from .adaptive import AdaptiveBottleneck
from .base import ONE_PASS, Basis, Bottleneck, Coded, Effort
from .codebook import CodebookBottleneck, RotationBottleneck
from .lattice import E8Bottleneck, LatticeBottleneck

KINDS: dict[str, type[Bottleneck]] = {}  # by config.quantizer


def add(kind: type[Bottleneck]) -> None:
    """Make a kind known: its models can be loaded, and headers of their files read."""
    KINDS[kind.name] = kind
    QUANTIZERS.add(kind.format_id)


for _kind in (LatticeBottleneck, E8Bottleneck, CodebookBottleneck, AdaptiveBottleneck, RotationBottleneck):
    add(_kind)


def check(config: ModelConfig) -> None:
    """Raise ModelError where a configuration is not as its kind has it; one of an unknown kind is left alone."""
    if config.quantizer in KINDS:
        KINDS[config.quantizer].check(config)


def kind_of(format_id: tuple[int, int]) -> type[Bottleneck]:
    """The kind that has this quantizer and family; raises StopIteration where none has."""
    return next(kind for kind in KINDS.values() if kind.format_id == format_id)


__all__ = [
    "KINDS",
    "ONE_PASS",
    "AdaptiveBottleneck",
    "Basis",
    "Bottleneck",
    "CodebookBottleneck",
    "Coded",
    "E8Bottleneck",
    "Effort",
    "LatticeBottleneck",
    "RotationBottleneck",
    "add",
    "check",
    "kind_of",
]

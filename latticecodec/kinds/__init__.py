"""Bottlenecks: what turns latents into a payload and back, one class for each kind of model."""

from .adaptive import AdaptiveBottleneck
from .base import ONE_PASS, Basis, Bottleneck, Coded, Effort
from .codebook import CodebookBottleneck
from .lattice import LatticeBottleneck

BOTTLENECKS: dict[str, type[Bottleneck]] = {  # by config.quantizer
    "lattice": LatticeBottleneck,
    "lattice-e8": LatticeBottleneck,
    "vq": CodebookBottleneck,
    "adaptive": AdaptiveBottleneck,
    "rotation": CodebookBottleneck,
}

__all__ = [
    "BOTTLENECKS",
    "ONE_PASS",
    "AdaptiveBottleneck",
    "Basis",
    "Bottleneck",
    "CodebookBottleneck",
    "Coded",
    "Effort",
    "LatticeBottleneck",
]

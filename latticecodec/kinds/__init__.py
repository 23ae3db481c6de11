"""Kinds of models: what turns latents into a payload and back, one class for each."""

from .adaptive import Adaptive
from .codebook import Codebook, Rotation
from .kind import Basis, Coded, Effort, Kind
from .lattice import E8Lattice, Lattice
from .rate import Rate, Rates

KINDS: dict[str, type[Kind]] = {  # by config.quantizer
    "lattice": Lattice,
    "lattice-e8": E8Lattice,
    "vq": Codebook,
    "adaptive": Adaptive,
    "rotation": Rotation,
}

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
]

"""Quantizers: continuous latents to integer index tensors and back."""

from .base import Quantized
from .lattice import DiagonalLattice

QUANTIZERS = {  # names of `--quantizer` and of config.quantizer; the ids in files are the classes' format_id
    "lattice": DiagonalLattice,
}

__all__ = ["QUANTIZERS", "DiagonalLattice", "Quantized"]

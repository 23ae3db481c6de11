"""Quantizers: continuous latents to integer index tensors and back."""

from .adaptive import AdaptiveQuantized, AdaptiveQuantizer
from .attentive import AttentiveAdaptiveQuantizer, Selected
from .base import Quantized
from .closest import closest_point
from .composite import ProductQuantizer, ResidualQuantizer
from .ecvq import entropy_constrained
from .full import FullLattice
from .kmeans import kmeans
from .lattice import DiagonalLattice
from .rotation import RescaledQuantizer, RotationQuantizer, rotate
from .rounding import soft_round
from .selection import TEMPERATURES, temperature_exponential, temperature_linear
from .shared import SharedAdaptiveQuantizer
from .usage import CodebookUse, collapsed, gradient_gap, quantization_error, usage
from .vector import VectorQuantized, VectorQuantizer

__all__ = [
    "TEMPERATURES",
    "AdaptiveQuantized",
    "AdaptiveQuantizer",
    "AttentiveAdaptiveQuantizer",
    "CodebookUse",
    "DiagonalLattice",
    "FullLattice",
    "ProductQuantizer",
    "Quantized",
    "RescaledQuantizer",
    "ResidualQuantizer",
    "RotationQuantizer",
    "Selected",
    "SharedAdaptiveQuantizer",
    "VectorQuantized",
    "VectorQuantizer",
    "closest_point",
    "collapsed",
    "entropy_constrained",
    "gradient_gap",
    "kmeans",
    "quantization_error",
    "rotate",
    "soft_round",
    "temperature_exponential",
    "temperature_linear",
    "usage",
]

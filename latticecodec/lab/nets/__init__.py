"""Neural networks in floating point: the transforms around the quantizer."""

from .transforms import Analysis, HyperAnalysis, Synthesis, initialise_from_patches

__all__ = [
    "Analysis",
    "HyperAnalysis",
    "Synthesis",
    "initialise_from_patches",
]

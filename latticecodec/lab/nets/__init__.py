"""Neural networks in floating point: the transforms around the quantizer."""

from .transforms import Analysis, HyperAnalysis, Synthesis, analysis_reach, initialise_from_patches, synthesis_reach

__all__ = [
    "Analysis",
    "HyperAnalysis",
    "Synthesis",
    "analysis_reach",
    "initialise_from_patches",
    "synthesis_reach",
]

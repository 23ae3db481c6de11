"""What a model costs: multiply-accumulates for each pixel and learned numbers, counted from its networks.

Counted are the matrix products and convolutions of the networks, by PyTorch's own counter; the integer prior of a
decoder computes the same products as its twin in floating point. Table look-ups and the entropy coder are not in it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ..config import HYPER, PATCH, ModelConfig
from .nets import Analysis, HyperAnalysis, Synthesis
from .nets.categorical_prior import CategoricalPrior
from .nets.prior import FloatPrior

SIDE = 16  # latent positions each way that are counted; a multiple of HYPER


@dataclass(frozen=True)
class Complexity:
    """Costs of a model.

    Attributes:
        encode_kmac_per_pixel: thousands of multiply-accumulates for each pixel, at effort 0.
        decode_kmac_per_pixel: the same of decoding.
        parameters: learned numbers in all.
        decoder_parameters: those that decoding needs.
    """

    encode_kmac_per_pixel: float
    decode_kmac_per_pixel: float
    parameters: int
    decoder_parameters: int


def complexity(config: ModelConfig) -> Complexity:
    """The costs of a model with this configuration; no weights are read."""
    with torch.device("meta"):
        analysis, synthesis, hyper_analysis = Analysis(config), Synthesis(config), HyperAnalysis(config)
        prior = CategoricalPrior(config) if config.codes else FloatPrior(config)
        x = torch.empty(1, 3, PATCH * SIDE, PATCH * SIDE)
        y = torch.empty(1, config.latents, SIDE, SIDE)
        z = torch.empty(1, config.hyper_latents, SIDE // HYPER, SIDE // HYPER)
        t = torch.empty(1)
    coding = _kmac(lambda: prior.context(y, prior.hyper(z, t)))
    encoder, decoder = _numbers(analysis, hyper_analysis), _numbers(synthesis, prior) + _quantizer_numbers(config)
    return Complexity(
        encode_kmac_per_pixel=_kmac(lambda: analysis(x)) + _kmac(lambda: hyper_analysis(y)) + coding,
        decode_kmac_per_pixel=_kmac(lambda: synthesis(y, t)) + coding,
        parameters=encoder + decoder,
        decoder_parameters=decoder,
    )


def _kmac(run: Callable[[], object]) -> float:
    """Thousands of multiply-accumulates for each pixel of `run`."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        run()
    operations: int = counter.get_total_flops()  # two for each multiply-accumulate
    return operations / 2 / 1000 / (PATCH * SIDE) ** 2


def _numbers(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def _quantizer_numbers(config: ModelConfig) -> int:
    """Of a basis, and of the codebooks on it."""
    if config.books:
        return config.latents + sum(count * (config.books[0] // count) for count in config.books)
    return config.latents * (1 + config.codes)

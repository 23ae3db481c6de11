"""What a model costs: multiply-accumulates for each pixel and learned numbers, counted from its configuration.

Counted are the matrix products and convolutions of the networks, layer by layer; table look-ups and the entropy coder
are not in it. Nothing is built and no weights are read.
"""

import math
from dataclasses import dataclass

from .backends.shapes import Shapes, network_shapes
from .config import CONTEXT_STEPS, PATCH, ModelConfig
from .entropy.categorical import PASSES, units
from .entropy.numbers import KNOTS
from .weights import part

SIDES = {  # pixels that a position covers, each way, in the layers where it is not PATCH; by network
    "analysis": {"enter": 8, "blocks8": 8},
    "synthesis": {"blocks8": 8, "leave": 8},
    "hyper_analysis": {"down32": 32, "block32": 32, "down64": 64},
}


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


@dataclass(frozen=True)
class Layer:
    """A matrix of the prior, with a bias for each of its outputs.

    Attributes:
        inputs: products that each output sums up.
        outputs: at each position.
        side: pixels that a position covers, each way.
        runs: how often it is computed at each position.
    """

    inputs: int
    outputs: int
    side: int
    runs: int = 1

    @property
    def numbers(self) -> int:
        """Learned numbers."""
        return (self.inputs + 1) * self.outputs

    @property
    def products(self) -> float:
        """Multiply-accumulates for each pixel."""
        return self.runs * self.inputs * self.outputs / self.side**2


def complexity(config: ModelConfig) -> Complexity:
    """The costs of a model with this configuration."""
    shapes, prior = network_shapes(config), _prior(config)
    analysis, synthesis, hyper_analysis = (part(network, shapes) for network in SIDES)
    coding = sum(layer.products for layer in prior)
    decoder = _numbers(synthesis) + sum(layer.numbers for layer in prior)
    decoder += _level_numbers(config) + _quantizer_numbers(config)
    return Complexity(
        encode_kmac_per_pixel=(_products("analysis", analysis) + _products("hyper_analysis", hyper_analysis) + coding)
        / 1000,
        decode_kmac_per_pixel=(_products("synthesis", synthesis) + coding) / 1000,
        parameters=_numbers(analysis) + _numbers(hyper_analysis) + decoder,
        decoder_parameters=decoder,
    )


def _products(network: str, shapes: Shapes) -> float:
    """Multiply-accumulates for each pixel of a network whose tensors have these shapes."""
    sides = SIDES[network]
    return sum(
        math.prod(shape) / sides.get(name.split(".")[0], PATCH) ** 2
        for name, shape in shapes.items()
        if name.endswith(".weight")
    )


def _numbers(shapes: Shapes) -> int:
    return sum(math.prod(shape) for shape in shapes.values())


def _prior(config: ModelConfig) -> list[Layer]:
    """The hyper-decoder, and the context network that runs in every step of the coding order."""
    wide, width = config.hyper_width, config.context_width
    steps = PASSES if config.codes else CONTEXT_STEPS
    return [
        Layer(config.hyper_latents, 4 * wide, 64),
        *_integer_block(wide, 32),
        Layer(wide, 4 * config.features, 32),
        *steps * [Layer(config.latents + config.features, width, PATCH)],
        *config.context_blocks * _integer_block(width, PATCH, steps),
        *_leave(config),
    ]


def _leave(config: ModelConfig) -> list[Layer]:
    """The end of the context network: each output is computed in one of its steps."""
    if not config.codes:
        return [Layer(config.context_width, 2 * config.latents, PATCH)]
    groups, hidden = len(config.groups), units(config)
    return [
        Layer(config.context_width + config.latents, groups * hidden, PATCH),
        Layer(hidden, groups * config.codes, PATCH),
    ]


def _integer_block(channels: int, side: int, runs: int = 1) -> list[Layer]:
    """The residual block of the prior."""
    inputs = (channels, 9, channels)
    return [Layer(each, channels, side, runs) for each in inputs]


def _level_numbers(config: ModelConfig) -> int:
    """What the prior has at each knot of the rate: biases of the hyper-decoder, means and scales of z."""
    return KNOTS * (4 * config.hyper_width + 2 * config.hyper_latents)


def _quantizer_numbers(config: ModelConfig) -> int:
    """Of a basis, and of the codebooks on it."""
    if config.books:
        return config.latents + sum(count * (config.books[0] // count) for count in config.books)
    return config.latents * (1 + config.codes)

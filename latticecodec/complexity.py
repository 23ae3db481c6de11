"""What a model costs: multiply-accumulates for each pixel and learned numbers, counted from its configuration.

Counted are the matrix products and convolutions of the networks, layer by layer; table look-ups and the entropy coder
are not in it. Nothing is built and no weights are read.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from .config import CONTEXT_STEPS, PATCH, ModelConfig
from .entropy.categorical import PASSES, units
from .entropy.numbers import KNOTS

RGB_BLOCK = 3 * 8**2  # samples that a position at 1/8 covers


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
    """A matrix of a network, with a bias for each of its outputs.

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
    analysis, synthesis, hyper_analysis, prior = (
        part(config) for part in (_analysis, _synthesis, _hyper_analysis, _prior)
    )
    decoder = _numbers([*synthesis, *prior]) + _gains(config) + _level_numbers(config) + _quantizer_numbers(config)
    return Complexity(
        encode_kmac_per_pixel=_kmac([*analysis, *hyper_analysis, *prior]),
        decode_kmac_per_pixel=_kmac([*synthesis, *prior]),
        parameters=_numbers([*analysis, *hyper_analysis]) + decoder,
        decoder_parameters=decoder,
    )


def _analysis(config: ModelConfig) -> list[Layer]:
    at8, at16 = config.analysis_blocks
    return [
        Layer(RGB_BLOCK, config.width8, 8),
        *at8 * _block(config.width8, config.group, 8),
        Layer(4 * config.width8, config.width16, PATCH),
        *at16 * _block(config.width16, config.group, PATCH),
        Layer(config.width16, config.latents, PATCH),
        Layer(4 * RGB_BLOCK, config.latents, PATCH),
    ]


def _synthesis(config: ModelConfig) -> list[Layer]:
    at16, at8 = config.synthesis_blocks
    return [
        Layer(config.latents, config.width16, PATCH),
        *at16 * _block(config.width16, config.group, PATCH),
        Layer(config.width16, 4 * config.width8, PATCH),
        *at8 * _block(config.width8, config.group, 8),
        Layer(config.width8, RGB_BLOCK, 8),
        Layer(config.latents, 4 * RGB_BLOCK, PATCH),
    ]


def _hyper_analysis(config: ModelConfig) -> list[Layer]:
    width = config.hyper_width
    return [
        Layer(config.latents, width, 16),
        *_block(width, config.group, 16),
        Layer(4 * width, width, 32),
        *_block(width, config.group, 32),
        Layer(4 * width, config.hyper_latents, 64),
    ]


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


def _block(channels: int, group: int, side: int) -> list[Layer]:
    """The residual block of the transforms."""
    return [
        Layer(channels, channels, side),
        Layer(9 * group, channels, side),
        Layer(channels, channels, side),
        Layer(channels, 2 * channels, side),
        Layer(2 * channels, channels, side),
    ]


def _integer_block(channels: int, side: int, runs: int = 1) -> list[Layer]:
    """The residual block of the prior."""
    inputs = (channels, 9, channels)
    return [Layer(each, channels, side, runs) for each in inputs]


def _kmac(layers: Iterable[Layer]) -> float:
    """Thousands of multiply-accumulates for each pixel."""
    return sum(layer.products for layer in layers) / 1000


def _numbers(layers: Iterable[Layer]) -> int:
    return sum(layer.numbers for layer in layers)


def _gains(config: ModelConfig) -> int:
    """Slope and curve of the two gains of the synthesis."""
    return 2 * (config.latents + config.width8)


def _level_numbers(config: ModelConfig) -> int:
    """What the prior has at each knot of the rate: biases of the hyper-decoder, means and scales of z."""
    return KNOTS * (4 * config.hyper_width + 2 * config.hyper_latents)


def _quantizer_numbers(config: ModelConfig) -> int:
    """Of a basis, and of the codebooks on it."""
    if config.books:
        return config.latents + sum(count * (config.books[0] // count) for count in config.books)
    return config.latents * (1 + config.codes)

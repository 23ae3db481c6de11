"""What models cost: counted by PyTorch, compared with a count by hand and with the weights themselves."""

import pytest

from latticecodec import list_models
from latticecodec.complexity import complexity
from latticecodec.config import PRESETS, ModelConfig
from latticecodec.zoo import find, read_weights


def block(channels: int, group: int) -> int:
    """Products of a Block for each position: three 1x1 of its width, 3x3 in groups, two 1x1 from and to twice it."""
    return 2 * channels**2 + 9 * group * channels + 4 * channels**2


def synthesis(config: ModelConfig) -> float:
    """Products of the synthesis for each pixel."""
    at16, at8 = config.synthesis_blocks
    coarse = config.latents * config.width16 + at16 * block(config.width16, config.group)
    coarse += config.width16 * 4 * config.width8 + config.latents * 768
    fine = at8 * block(config.width8, config.group) + config.width8 * 192
    return coarse / 256 + fine / 64


def integer_block(width: int) -> int:
    return 2 * width**2 + 9 * width


def prior(config: ModelConfig) -> float:
    """Products of the lattice's prior for each pixel: hyper-decoder, then four context steps."""
    width = config.hyper_width
    hyper = config.hyper_latents * 4 * width / 64**2 + (integer_block(width) + width * 4 * config.features) / 32**2
    context = config.context_width
    step = (config.latents + config.features) * context + config.context_blocks * integer_block(context)
    return hyper + 4 * (step + context * 2 * config.latents // 4) / 256  # of its outputs each step needs a quarter


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_products_of_decoding_by_hand(preset: str) -> None:
    config = PRESETS[preset]
    assert complexity(config).decode_kmac_per_pixel == pytest.approx((synthesis(config) + prior(config)) / 1000)


@pytest.mark.parametrize("name", [info.name for info in list_models()])
def test_the_models_that_ship(name: str) -> None:
    info = find(name)
    costs = complexity(info.config)
    assert costs.decode_kmac_per_pixel <= 45
    networks = ("analysis.", "synthesis.", "hyper_analysis.")
    stored = sum(t.size for key, t in read_weights(info).items() if key.startswith(networks))
    assert stored < costs.parameters < 1.5 * stored
    assert costs.decoder_parameters < costs.parameters

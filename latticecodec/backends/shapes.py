"""Names and shapes of the tensors of analysis, hyper-analysis and synthesis in model.safetensors."""

import math

from ..config import PATCH, ModelConfig

Shapes = dict[str, tuple[int, ...]]


def network_shapes(config: ModelConfig) -> Shapes:
    """All of them, by name."""
    width8, width16, latents, hyper = config.width8, config.width16, config.latents, config.hyper_width
    patch8, patch16 = 3 * 8**2, 3 * PATCH**2
    networks = {
        "analysis": _pointwise("enter", patch8, width8)
        | _blocks("blocks8", config.analysis_blocks[0], width8, config.group)
        | _pointwise("down", 4 * width8, width16)
        | _blocks("blocks16", config.analysis_blocks[1], width16, config.group)
        | _pointwise("leave", width16, latents)
        | _pointwise("shortcut", patch16, latents),
        "synthesis": _gain("gain16", latents)
        | _pointwise("enter", latents, width16)
        | _blocks("blocks16", config.synthesis_blocks[0], width16, config.group)
        | _pointwise("up", width16, 4 * width8)
        | _blocks("blocks8", config.synthesis_blocks[1], width8, config.group)
        | _gain("gain8", width8)
        | _pointwise("leave", width8, patch8)
        | _pointwise("shortcut", latents, patch16),
        "hyper_analysis": _pointwise("enter", latents, hyper)
        | _block("block16", hyper, config.group)
        | _pointwise("down32", 4 * hyper, hyper)
        | _block("block32", hyper, config.group)
        | _pointwise("down64", 4 * hyper, config.hyper_latents),
    }
    return {f"{network}.{name}": shape for network, shapes in networks.items() for name, shape in shapes.items()}


def numbers_needed(config: ModelConfig) -> int:
    """How many numbers these tensors hold."""
    return sum(math.prod(shape) for shape in network_shapes(config).values())


def _pointwise(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _gain(name: str, channels: int) -> Shapes:
    return {f"{name}.slope": (channels,), f"{name}.curve": (channels,)}


def _blocks(name: str, count: int, channels: int, group: int) -> Shapes:
    blocks = [_block(f"{name}.{number}", channels, group) for number in range(count)]
    return {key: shape for block in blocks for key, shape in block.items()}


def _block(name: str, channels: int, group: int) -> Shapes:
    return (
        _pointwise(f"{name}.inner", channels, channels)
        | _pointwise(f"{name}.spatial", group * 9, channels)
        | _pointwise(f"{name}.outer", channels, channels)
        | _pointwise(f"{name}.expand", channels, 2 * channels)
        | _pointwise(f"{name}.reduce", 2 * channels, channels)
    )

"""A model's networks as graphs: those of lab/nets/transforms.py, and the gradient of the synthesis.

`tensors` are float32, named as in model.safetensors without the name of the network in front.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..config import PATCH, ModelConfig
from ..entropy.coder import Float32
from .graph import Graph
from .layers import Kept, Layers

Tensors = Mapping[str, Float32]


class Synthesis(NamedTuple):
    """Names within a graph of the synthesis."""

    x_hat: str  # [1, 3, 16h, 16w]
    gain16: str  # [1, M, 1, 1]
    gain8: str  # [1, width8, 1, 1]
    kept16: list[Kept]
    kept8: list[Kept]


def analysis(config: ModelConfig, tensors: Tensors) -> Graph:
    """x [1, 3, 16h, 16w] in [0, 1] -> y [1, M, h, w]."""
    graph = Graph()
    layers = Layers(graph, tensors)
    at8, at16 = config.analysis_blocks
    x = graph.add("Sub", graph.input("x", 1, 3, "16h", "16w"), layers.number(0.5))
    deep, _ = layers.blocks("blocks8", at8, layers.unshuffled("enter", x, 8))  # [1, width8, 2h, 2w]
    deep, _ = layers.blocks("blocks16", at16, layers.unshuffled("down", deep, 2))  # [1, width16, h, w]
    y = graph.add("Add", layers.pointwise("leave", deep), layers.unshuffled("shortcut", x, PATCH))
    graph.output(y, 1, config.latents, "h", "w")
    return graph


def hyper_analysis(config: ModelConfig, tensors: Tensors) -> Graph:
    """Companded coordinates u [1, M, 4h, 4w] -> z [1, Z, h, w]."""
    graph = Graph()
    layers = Layers(graph, tensors)
    u = graph.input("u", 1, config.latents, "4h", "4w")
    x = layers.block("block16", layers.pointwise("enter", u))  # [1, width, 4h, 4w]
    x = layers.block("block32", layers.unshuffled("down32", x, 2))  # [1, width, 2h, 2w]
    graph.output(layers.unshuffled("down64", x, 2), 1, config.hyper_latents, "h", "w")
    return graph


def synthesis(config: ModelConfig, tensors: Tensors) -> Graph:
    """y_hat [1, M, h, w] and t [1, 1, 1, 1] -> x_hat [1, 3, 16h, 16w]."""
    graph = Graph()
    graph.output(_synthesis(config, Layers(graph, tensors)).x_hat, 1, 3, "16h", "16w")
    return graph


def synthesis_gradient(config: ModelConfig, tensors: Tensors) -> Graph:
    """y_hat [1, M, h, w], t [1, 1, 1, 1] and a gradient at x_hat [1, 3, 16h, 16w] -> the gradient at y_hat."""
    graph = Graph()
    layers = Layers(graph, tensors)
    forward = _synthesis(config, layers)
    gradient = graph.input("gradient", 1, 3, "16h", "16w")
    _backward(config, layers, forward, gradient)
    return graph


def squared_error_gradient(config: ModelConfig, tensors: Tensors) -> Graph:
    """y_hat [1, M, h, w], t [1, 1, 1, 1], x and weight [1, 3 or 1, 16h, 16w] -> the gradient at y_hat.

    It is that of the sum of weight / 2 (x_hat - x)^2.
    """
    graph = Graph()
    layers = Layers(graph, tensors)
    forward = _synthesis(config, layers)
    x, weight = graph.input("x", 1, 3, "16h", "16w"), graph.input("weight", 1, 1, "16h", "16w")
    gradient = graph.add("Mul", graph.add("Sub", forward.x_hat, x), weight)  # [1, 3, 16h, 16w]
    _backward(config, layers, forward, gradient)
    return graph


NETWORKS: dict[str, Callable[[ModelConfig, Tensors], Graph]] = {  # by what they are called where they fail
    "analysis": analysis,
    "hyper_analysis": hyper_analysis,
    "synthesis": synthesis,
    "synthesis_gradient": synthesis_gradient,
    "squared_error_gradient": squared_error_gradient,
}


def _synthesis(config: ModelConfig, layers: Layers) -> Synthesis:
    graph = layers.graph
    y_hat, t = graph.input("y_hat", 1, config.latents, "h", "w"), graph.input("t", 1, 1, 1, 1)
    at16, at8 = config.synthesis_blocks
    gain16, gain8 = layers.gain("gain16", t), layers.gain("gain8", t)
    x = layers.pointwise("enter", graph.add("Mul", y_hat, gain16))
    x, kept16 = layers.blocks("blocks16", at16, x)  # [1, width16, h, w]
    x = layers.laid_out(layers.shuffled("up", x, 2))
    x, kept8 = layers.blocks("blocks8", at8, x)  # [1, width8, 2h, 2w]
    x = layers.shuffled("leave", graph.add("Mul", x, gain8), 8)  # [1, 3, 16h, 16w]
    x = graph.add("Add", x, layers.shuffled("shortcut", y_hat, PATCH))
    return Synthesis(graph.add("Add", x, layers.number(0.5)), gain16, gain8, kept16, kept8)


def _backward(config: ModelConfig, layers: Layers, forward: Synthesis, gradient: str) -> None:
    """Adds what turns a gradient at x_hat [1, 3, 16h, 16w] into the graph's output, that at y_hat [1, M, h, w]."""
    graph = layers.graph
    deep = graph.add("Mul", layers.shuffled_gradient("leave", gradient, 8), forward.gain8)  # [1, width8, 2h, 2w]
    deep = layers.blocks_gradient("blocks8", forward.kept8, layers.laid_out(deep))
    deep = layers.shuffled_gradient("up", deep, 2)  # [1, width16, h, w]
    deep = layers.blocks_gradient("blocks16", forward.kept16, deep)
    deep = graph.add("Mul", layers.pointwise_gradient("enter", deep), forward.gain16)  # [1, M, h, w]
    out = graph.add("Add", deep, layers.shuffled_gradient("shortcut", gradient, PATCH))
    graph.output(out, 1, config.latents, "h", "w")

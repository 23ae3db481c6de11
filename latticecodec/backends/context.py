"""The context network of the integer prior on ONNX Runtime: the same integers as numpy's, in a third of the time.

entropy/layers.py says why float32 adds them exactly in any order.
"""

import numpy as np

from ..config import CONTEXT_STEPS
from ..entropy.coder import Float32
from ..entropy.hyper import fixed_integers
from ..entropy.integer import Context
from ..entropy.layers import Block, Layer
from ..entropy.numbers import ACTIVATION_MAX, WEIGHT_MAX
from ..entropy.steps import Quarter, quarters
from ..errors import ModelError
from .graph import Graph
from .processors import processors
from .session import Session

PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))  # row and column of the positions of a 2x2 cell
END = 1 << 31  # beyond any side


class OnnxContext:
    """See `entropy.integer.Network`: one graph, to which the layers that differ from step to step are inputs."""

    def __init__(self, model: str, context: Context) -> None:
        """`context` has the layers; raises ModelError where an answer is not numpy's, about the model of that name."""
        self._session = Session(context_graph(context), processors())
        self._layers = [_layers(context, step) for step in range(CONTEXT_STEPS)]
        self._places = [[_place(quarter) for quarter in quarters(step)] for step in range(CONTEXT_STEPS)]
        if not self._works(context):
            told = "the self-test of its context network fails on this processor, and files would not decode"
            raise ModelError(f"model {model}: {told}; install another version of onnxruntime")

    def __call__(self, inputs: Float32, step: int) -> list[Float32]:
        """See `entropy.integer.Network`."""
        outputs = self._session(inputs=inputs[None], **self._layers[step])  # [1, M / 2, .., ..] each
        return [outputs[place].reshape(outputs[place].shape[1], -1) for place in self._places[step]]

    def _works(self, context: Context) -> bool:
        """Whether every step of a fixed input leaves the network as numpy has it."""
        inputs = fixed_integers((context.adaptors[0].weight.shape[1], 5, 7), WEIGHT_MAX).astype(np.float32)
        return all(
            np.array_equal(ours, expected)
            for step in range(CONTEXT_STEPS)
            for ours, expected in zip(self(inputs, step), context.leaving(inputs, step), strict=True)
        )


def _layers(context: Context, step: int) -> dict[str, Float32]:
    """Those of one step, by the names of the graph's inputs."""
    own = {"enter": context.adaptors[step]}
    own |= {f"leave{_place(quarter)}": layer for quarter, layer in zip(quarters(step), context.leave, strict=True)}
    kernels = {name: layer.weight[:, :, None, None] for name, layer in own.items()}
    return kernels | {f"{name}.bias": layer.bias[:, 0] for name, layer in own.items()}


def _place(quarter: Quarter) -> int:
    """Which of PLACES the symbols of a quarter are at."""
    _, rows, columns = quarter
    return PLACES.index((rows.start, columns.start))


def context_graph(context: Context) -> Graph:
    """Inputs [1, M + F, h, w] to what leaves the network at each of PLACES, [1, M / 2, .., ..]; see `_layers`."""
    graph = Graph()
    width, known = context.adaptors[0].weight.shape
    x = graph.input("inputs", 1, known, "h", "w")
    kernel, bias = graph.input("enter", width, known, 1, 1), graph.input("enter.bias", width)
    x = _activate(graph, graph.add("Floor", graph.add("Conv", x, kernel, bias)))  # [1, W, h, w]
    for block in context.blocks:
        x = _block(graph, block, x)
    outputs = len(context.leave[0].weight)
    for place, first in enumerate(PLACES):
        name = f"leave{place}"
        bounds = (graph.constant(np.array(each, np.int64)) for each in (first, (END, END), (2, 3), (2, 2)))
        at = graph.add("Slice", x, *bounds)  # [1, W, .., ..] the positions of one place
        kernel, bias = graph.input(name, outputs, width, 1, 1), graph.input(f"{name}.bias", outputs)
        out = graph.add("Floor", graph.add("Conv", at, kernel, bias))
        graph.output(out, 1, outputs, f"rows{place}", f"columns{place}")
    return graph


def _block(graph: Graph, block: Block, x: str) -> str:
    """A residual block: [1, W, h, w] -> [1, W, h, w]."""
    width = len(block.spatial.weight)
    branch = _activate(graph, _convolve(graph, x, block.inner, side=1))
    branch = _activate(graph, _convolve(graph, branch, block.spatial, side=3, pads=[1] * 4, group=width))
    return _activate(graph, graph.add("Add", _convolve(graph, branch, block.outer, side=1), x))


def _convolve(graph: Graph, x: str, layer: Layer, side: int, **attributes: int | list[int]) -> str:
    """A layer whose kernels are `side` positions wide, rounded."""
    kernel = layer.weight.reshape(len(layer.weight), -1, side, side)
    weights = (graph.constant(values) for values in (kernel, layer.bias[:, 0]))
    return graph.add("Floor", graph.add("Conv", x, *weights, **attributes))


def _activate(graph: Graph, x: str) -> str:
    bounds = (graph.constant(np.array(bound, np.float32)) for bound in (0, ACTIVATION_MAX))
    return graph.add("Clip", x, *bounds)

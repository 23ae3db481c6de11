"""The networks of the integer prior on ONNX Runtime: the same integers as numpy's, in a third of the time.

entropy/layers.py says why float32 adds them exactly in any order.
"""

import numpy as np

from ..config import CONTEXT_STEPS
from ..entropy.coder import Float32
from ..entropy.hyper import IntegerHyper, fixed_integers
from ..entropy.integer import Context
from ..entropy.layers import Block, Layer
from ..entropy.numbers import ACTIVATION_MAX, LEVELS, WEIGHT_MAX
from ..entropy.steps import Quarter, quarters
from ..errors import ModelError
from .graph import Graph
from .processors import processors
from .session import Session

PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))  # row and column of the positions of a 2x2 cell
END = 1 << 31  # beyond any side


class OnnxPrior:
    """See `entropy.integer.Networks`: a graph each, whose inputs are also the layers that differ from run to run."""

    def __init__(self, model: str, hyper: IntegerHyper, context: Context) -> None:
        """These have the layers; raises ModelError where an answer is not numpy's, about the model of that name."""
        threads = processors()
        self._hyper, self._context = Session(_hyper_graph(hyper), threads), Session(context_graph(context), threads)
        self._biases = hyper.enter.bias[..., 0]  # [LEVELS, 4 W]
        self._layers = [_layers(context, step) for step in range(CONTEXT_STEPS)]
        self._places = [[_place(quarter) for quarter in quarters(step)] for step in range(CONTEXT_STEPS)]
        for network, works in ("hyper-decoder", self._decodes(hyper)), ("context network", self._predicts(context)):
            if not works:
                told = f"the self-test of its {network} fails on this processor, and files would not decode"
                raise ModelError(f"model {model}: {told}; install another version of onnxruntime")

    def features(self, inputs: Float32, level: int) -> Float32:
        """See `entropy.integer.Networks`."""
        (features,) = self._hyper(inputs=inputs[None], bias=self._biases[level])  # [1, F, 4 rows, 4 columns]
        inner: Float32 = features[0]
        return inner

    def leaving(self, inputs: Float32, step: int) -> list[Float32]:
        """See `entropy.integer.Networks`."""
        outputs = self._context(inputs=inputs[None], **self._layers[step])  # [1, M / 2, .., ..] each
        return [outputs[place].reshape(outputs[place].shape[1], -1) for place in self._places[step]]

    def _decodes(self, hyper: IntegerHyper) -> bool:
        """Whether a fixed input becomes features as numpy has them."""
        inputs = fixed_integers((hyper.enter.weight.shape[1], 3, 5), WEIGHT_MAX).astype(np.float32)
        return all(
            np.array_equal(self.features(inputs, level), hyper.decoded(inputs, level)) for level in (0, LEVELS - 1)
        )

    def _predicts(self, context: Context) -> bool:
        """Whether every step of a fixed input leaves the network as numpy has it."""
        inputs = fixed_integers((context.adaptors[0].weight.shape[1], 5, 7), WEIGHT_MAX).astype(np.float32)
        return all(
            np.array_equal(ours, expected)
            for step in range(CONTEXT_STEPS)
            for ours, expected in zip(self.leaving(inputs, step), context.leaving(inputs, step), strict=True)
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


def _hyper_graph(hyper: IntegerHyper) -> Graph:
    """Inputs [1, Z, rows, columns] to features [1, F, 4 rows, 4 columns]."""
    graph = Graph()
    outputs, known = hyper.enter.weight.shape
    kernel = graph.constant(hyper.enter.weight[:, :, None, None])
    x, bias = graph.input("inputs", 1, known, "h", "w"), graph.input("bias", outputs)
    x = _shuffle(graph, _activate(graph, graph.add("Floor", graph.add("Conv", x, kernel, bias))))  # [1, W, 2h, 2w]
    x = _block(graph, hyper.block, x)
    x = _shuffle(graph, _activate(graph, _convolve(graph, x, hyper.leave, side=1)))
    graph.output(x, 1, len(hyper.leave.weight) // 4, "4h", "4w")
    return graph


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


def _shuffle(graph: Graph, x: str) -> str:
    """Pixel shuffle by 2: [1, 4 C, h, w] -> [1, C, 2h, 2w]."""
    return graph.add("DepthToSpace", x, blocksize=2, mode="CRD")


def _activate(graph: Graph, x: str) -> str:
    bounds = (graph.constant(np.array(bound, np.float32)) for bound in (0, ACTIVATION_MAX))
    return graph.add("Clip", x, *bounds)

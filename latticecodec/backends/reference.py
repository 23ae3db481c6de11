"""What a graph gives, computed by numpy: slowly, without any of the code that ONNX Runtime chooses for a processor."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..entropy.coder import Float32
from .graph import Graph


def evaluate(graph: Graph, inputs: Mapping[str, Float32]) -> Float32:
    """The output of a graph for inputs [1, C, h, w], in what operators and attributes `layers` and `networks` use."""
    known = graph.constants | dict(inputs)
    for node in graph.nodes:
        known[node.output] = OPERATORS[node.operator](*(known[name] for name in node.inputs), **node.attributes)
    (output,) = graph.outputs
    return known[output]


def _sigmoid(x: Float32) -> Float32:
    out: Float32 = np.reciprocal(1 + np.exp(-x))
    return out


def _depth_to_space(x: Float32, blocksize: int, mode: str) -> Float32:
    """[1, C r r, h, w] -> [1, C, r h, r w] as pixel_shuffle does, which ONNX calls mode "CRD"."""
    _, channels, height, width = x.shape
    parts = x.reshape(-1, blocksize, blocksize, height, width).transpose(0, 3, 1, 4, 2)  # [C, h, r, w, r]
    return parts.reshape(1, channels // blocksize**2, blocksize * height, blocksize * width)


def _convolution(
    x: Float32, kernel: Float32, bias: Any = None, strides: Any = (1, 1), pads: Any = (0, 0, 0, 0), group: int = 1
) -> Float32:
    """[1, in, h, w] -> [1, out, h', w'] with a kernel [out, in / group, k, k]."""
    (_, channels, height, width), side, step = x.shape, kernel.shape[2], strides[0]
    padded = np.zeros((channels, pads[0] + height + pads[2], pads[1] + width + pads[3]), np.float32)
    padded[:, pads[0] : pads[0] + height, pads[1] : pads[1] + width] = x[0]
    height, width = ((length - side) // step + 1 for length in padded.shape[1:])
    taps = [
        padded[:, row : row + step * height : step, column : column + step * width : step]
        for row, column in itertools.product(range(side), repeat=2)
    ]
    columns = np.stack(taps, 1).reshape(group, -1, height * width)  # [G, in / G k k, h' w']
    weights = kernel.reshape(group, len(kernel) // group, -1)  # [G, out / G, in / G k k]
    out: Float32 = (weights @ columns).reshape(1, -1, height, width)
    return out if bias is None else out + bias[:, None, None]


OPERATORS: dict[str, Callable[..., Float32]] = {
    "Add": np.add,
    "Conv": _convolution,
    "DepthToSpace": _depth_to_space,
    "Exp": np.exp,
    "MaxPool": lambda x, kernel_shape: x,  # of one value
    "Mul": np.multiply,
    "Sigmoid": _sigmoid,
    "Sub": np.subtract,
}

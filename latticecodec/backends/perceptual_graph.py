"""ONNX graphs, written down as the formulas that they compute, and run by ONNX Runtime."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..entropy.coder import Float32
from ..metrics import RADIUS, SIGMA
from . import graph
from .protobuf import Attribute
from .session import Session


class Graph:
    """A graph that grows by every formula in which its values take part."""

    def __init__(self) -> None:
        self._graph = graph.Graph()
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Value] = {}

    def input(self, name: str, shape: list[int | str]) -> "Value":
        """A float32 array that is given to every run; what a name stands for in `shape` may be of any length."""
        return Value(self, self._graph.input(name, *shape))

    def constant(self, array: NDArray[Any]) -> "Value":
        """The same in every run, float32, or int64 where an operator asks for it."""
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = Value(self, self._graph.constant(array))
        return self._constants[key]

    def apply(self, operator: str, *operands: "Value | float", **attributes: Attribute) -> "Value":
        """The output of an operator of ONNX."""
        inputs = [
            operand if isinstance(operand, Value) else self.constant(np.array(operand, np.float32))
            for operand in operands
        ]
        return Value(self, self._graph.add(operator, *(value.name for value in inputs), **attributes))

    def session(self, outputs: list["Value"], threads: int) -> Session:
        """What runs the graph, for float32 arrays `outputs` of four sides."""
        for number, value in enumerate(outputs):
            self._graph.output(value.name, *(f"{side}{number}" for side in "bchw"))
        return Session(self._graph, threads)


@dataclass(frozen=True)
class Value:
    """An array of a graph, by its name there."""

    graph: Graph
    name: str

    def __add__(self, other: "Value | float") -> "Value":
        return self.graph.apply("Add", self, other)

    def __radd__(self, other: float) -> "Value":
        return self.graph.apply("Add", other, self)

    def __sub__(self, other: "Value | float") -> "Value":
        return self.graph.apply("Sub", self, other)

    def __rsub__(self, other: float) -> "Value":
        return self.graph.apply("Sub", other, self)

    def __mul__(self, other: "Value | float") -> "Value":
        return self.graph.apply("Mul", self, other)

    def __rmul__(self, other: float) -> "Value":
        return self.graph.apply("Mul", other, self)

    def __truediv__(self, other: "Value | float") -> "Value":
        return self.graph.apply("Div", self, other)

    def __rtruediv__(self, other: float) -> "Value":
        return self.graph.apply("Div", other, self)

    def __neg__(self) -> "Value":
        return self.graph.apply("Neg", self)

    def __abs__(self) -> "Value":
        return self.graph.apply("Abs", self)

    def __pow__(self, exponent: float) -> "Value":
        return self.graph.apply("Pow", self, exponent)

    def __getitem__(self, index: int) -> "Value":
        return self.graph.apply("Gather", self, self.graph.constant(np.array(index, np.int64)), axis=0)

    def mirrored(self, rows: int) -> "Value":
        """[1, C, h, w] with its first and last rows mirrored beyond the edge: [1, C, h + 2 rows, w]."""
        ends = []
        for start, end in ((rows - 1, np.iinfo(np.int64).min), (-1, -1 - rows)):
            bounds = (self.graph.constant(np.array([number], np.int64)) for number in (start, end, 2, -1))
            ends.append(self.graph.apply("Slice", self, *bounds))
        return self.graph.apply("Concat", ends[0], self, ends[1], axis=2)

    def mean(self) -> "Value":
        """Of every channel of [1, C, h, w], [1, C, 1, 1]."""
        return self.graph.apply("ReduceMean", self, self.graph.constant(np.array([2, 3], np.int64)), keepdims=1)

    def sign(self) -> "Value":
        """-1, 0 or 1."""
        return self.graph.apply("Sign", self)

    def positive(self) -> "Value":
        """Where it is above 0, and 0 elsewhere."""
        return self.graph.apply("Relu", self)

    def where_positive(self, other: "Value") -> "Value":
        """0 where `other` is not above 0."""
        return self.graph.apply("Where", self.graph.apply("Greater", other, 0), self, 0)

    def mixed(self, matrix: Float32, bias: Float32 | float) -> "Value":
        """Each pixel of [1, C, h, w] times a matrix [C', C], with a bias [C'] or one for all: [1, C', h, w]."""
        whole = np.broadcast_to(np.float32(bias), len(matrix))  # [C']
        return self.graph.apply("Conv", self, self.graph.constant(matrix[:, :, None, None]), self.graph.constant(whole))

    def across(self, zeros: int) -> "Value":
        """Rows of [1, 3, h, w] through the window, with so many zeros at either end: [1, 3, h, w - 10 + 2 zeros]."""
        window = self.graph.constant(np.broadcast_to(WINDOW, (3, 1, 1, len(WINDOW))))
        return self.graph.apply("Conv", self, window, group=3, pads=[0, zeros, 0, zeros])

    def down(self, zeros: int) -> "Value":
        """Columns likewise: [1, 3, h - 10 + 2 zeros, w]."""
        window = self.graph.constant(np.broadcast_to(WINDOW[:, None], (3, 1, len(WINDOW), 1)))
        return self.graph.apply("Conv", self, window, group=3, pads=[zeros, 0, zeros, 0])


def _window() -> Float32:
    """Weights of the Gaussian window [11]."""
    weights = np.exp(-np.square(np.arange(-RADIUS, RADIUS + 1)) / (2 * SIGMA**2))
    window: Float32 = (weights / weights.sum()).astype(np.float32)
    return window


WINDOW = _window()

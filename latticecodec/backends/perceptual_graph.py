"""ONNX graphs, written down as the formulas that they compute, and run by ONNX Runtime."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ..entropy.coder import Float32
from ..metrics import RADIUS, SIGMA

OPSET, IR_VERSION = 18, 10


class Graph:
    """A graph that grows by every formula in which its values take part."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], tuple[onnx.TensorProto, Value]] = {}

    def input(self, name: str, shape: list[int | str]) -> "Value":
        """A float32 array that is given to every run; what a name stands for in `shape` may be of any length."""
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return Value(self, name)

    def constant(self, array: NDArray[Any]) -> "Value":
        """The same in every run."""
        array = np.array(array, order="C")
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self._constants:
            name = f"constant{len(self._constants)}"
            self._constants[key] = (numpy_helper.from_array(array, name), Value(self, name))
        return self._constants[key][1]

    def apply(self, operator: str, *operands: "Value | float", **attributes: Any) -> "Value":
        """The output of an operator of ONNX."""
        inputs = [operand if isinstance(operand, Value) else self.constant(np.float32(operand)) for operand in operands]
        name = f"{operator}{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, [value.name for value in inputs], [name], **attributes))
        return Value(self, name)

    def session(self, outputs: list["Value"], threads: int) -> onnxruntime.InferenceSession:
        """What runs the graph, for float32 arrays `outputs`."""
        told = [helper.make_tensor_value_info(value.name, TensorProto.FLOAT, None) for value in outputs]
        constants = [tensor for tensor, _ in self._constants.values()]
        graph = helper.make_graph(self._nodes, "graph", self._inputs, told, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


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
        return self.graph.apply("Gather", self, self.graph.constant(np.int64(index)), axis=0)

    def mirrored(self, rows: int) -> "Value":
        """[1, C, h, w] with its first and last rows mirrored beyond the edge: [1, C, h + 2 rows, w]."""
        ends = []
        for start, end in ((rows - 1, np.iinfo(np.int64).min), (-1, -1 - rows)):
            bounds = (self.graph.constant(np.array([number])) for number in (start, end, 2, -1))
            ends.append(self.graph.apply("Slice", self, *bounds))
        return self.graph.apply("Concat", ends[0], self, ends[1], axis=2)

    def mean(self) -> "Value":
        """Of every channel of [1, C, h, w], [1, C, 1, 1]."""
        return self.graph.apply("ReduceMean", self, self.graph.constant(np.array([2, 3])), keepdims=1)

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
    return (weights / weights.sum()).astype(np.float32)


WINDOW = _window()

"""A computation as operators of ONNX and their weights, written down layer by layer."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import protobuf
from .protobuf import Attribute, Shape


@dataclass(frozen=True)
class Node:
    """An operator and the names of what it takes and makes."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Attribute]


class Sum(NamedTuple):
    """matrix + left @ right, of 32-bit floats."""

    matrix: NDArray[Any]  # [out, in]
    left: NDArray[Any]  # [out, r]
    right: NDArray[Any]  # [r, in]


@dataclass
class Graph:
    """Nodes in the order in which they run, on float32 arrays.

    Sides of any length are called after their unit: "h" and "16h" of one graph belong to one h.
    """

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    sums: dict[str, Sum] = field(default_factory=dict)  # of constants, by name: what `file` stores in their place
    inputs: dict[str, Shape] = field(default_factory=dict)
    outputs: dict[str, Shape] = field(default_factory=dict)

    def input(self, name: str, *shape: int | str) -> str:
        """What each run is given."""
        self.inputs[name] = shape
        return name

    def output(self, name: str, *shape: int | str) -> None:
        """What a run gives."""
        self.outputs[name] = shape

    def constant(self, values: NDArray[Any]) -> str:
        """The same in every run: float32, or int64 where an operator asks for it."""
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(values, order="C")
        return name

    def add(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """One more node; the name of what it makes."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(Node(operator, inputs, name, attributes))
        return name

    def model(self) -> bytes:
        """The graph as an ONNX file, without the values of its constants."""
        nodes = [protobuf.node(node.operator, node.inputs, node.output, node.attributes) for node in self.nodes]
        tensors = [protobuf.tensor(name, values) for name, values in self.constants.items()]
        return protobuf.model(nodes, tensors, self.inputs, self.outputs)

    def file(self) -> bytes:
        """The graph as an ONNX file of its own: its constants are inside, in float16 where that loses nothing."""
        inside = _Inside()
        for name, values in self.constants.items():
            if name in self.sums:
                inside.sum(name, self.sums[name], values.shape)
            else:
                inside.constant(name, values)
        nodes = [protobuf.node(node.operator, node.inputs, node.output, node.attributes) for node in self.nodes]
        return protobuf.model([*inside.nodes, *nodes], inside.tensors, self.inputs, self.outputs)


class _Inside:
    """Constants in a file: tensors, and nodes that make of them what the graph takes, once, when it is loaded."""

    def __init__(self) -> None:
        self.nodes = list[bytes]()
        self.tensors = list[bytes]()

    def constant(self, name: str, values: NDArray[Any]) -> None:
        if values.dtype == np.float32 and (values.astype(np.float16) == values).all():
            self._add("Cast", (f"{name}.16",), name, to=protobuf.DATA_TYPES["float32"])
            name, values = f"{name}.16", values.astype(np.float16)
        self.tensors.append(protobuf.tensor(name, values, inside=True))

    def sum(self, name: str, parts: Sum, shape: tuple[int, ...]) -> None:
        for part, values in parts._asdict().items():
            self.constant(f"{name}.{part}", values)
        self.constant(f"{name}.shape", np.array(shape, np.int64))
        self._add("MatMul", (f"{name}.left", f"{name}.right"), f"{name}.product")
        self._add("Add", (f"{name}.matrix", f"{name}.product"), f"{name}.sum")
        self._add("Reshape", (f"{name}.sum", f"{name}.shape"), name)

    def _add(self, operator: str, inputs: tuple[str, ...], output: str, **attributes: Attribute) -> None:
        self.nodes.append(protobuf.node(operator, inputs, output, attributes))

"""A computation as operators of ONNX and their weights, written down layer by layer."""

from dataclasses import dataclass, field
from typing import Any

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


@dataclass
class Graph:
    """Nodes in the order in which they run, on float32 arrays.

    Sides of any length are called after their unit: "h" and "16h" of one graph belong to one h.
    """

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
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
        casts, tensors = [], []
        for name, values in self.constants.items():
            half = values.astype(np.float16)
            if values.dtype == np.float32 and (half == values).all():
                casts.append(protobuf.node("Cast", (f"{name}.16",), name, {"to": protobuf.DATA_TYPES["float32"]}))
                tensors.append(protobuf.tensor(f"{name}.16", half, inside=True))
            else:
                tensors.append(protobuf.tensor(name, values, inside=True))
        nodes = [protobuf.node(node.operator, node.inputs, node.output, node.attributes) for node in self.nodes]
        return protobuf.model([*casts, *nodes], tensors, self.inputs, self.outputs)

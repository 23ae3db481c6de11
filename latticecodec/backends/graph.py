"""A computation as operators of ONNX and their weights, written down layer by layer."""

from collections.abc import Mapping, Sequence
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
    _shapes: dict[str, Shape] = field(default_factory=dict)  # of all that is known of, by name

    def input(self, name: str, *shape: int | str) -> str:
        """What each run is given."""
        self.inputs[name] = self._shapes[name] = shape
        return name

    def output(self, name: str, *shape: int | str) -> None:
        """What a run gives."""
        self.outputs[name] = shape

    def constant(self, values: NDArray[Any]) -> str:
        """The same in every run: float32, or int64 where an operator asks for it."""
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(values, order="C")
        self._shapes[name] = self.constants[name].shape
        return name

    def add(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """One more node; the name of what it makes."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(Node(operator, inputs, name, attributes))
        shape = _shape(operator, [self._shapes.get(each) for each in inputs], attributes)
        if shape is not None:
            self._shapes[name] = shape
        return name

    def model(self) -> bytes:
        """The graph as an ONNX file, without the values of its constants.

        It tells the shapes of what nodes make, which ONNX Runtime does not find out by itself where sides have names:
        what it knows to be of one shape it adds and multiplies in the layout of its convolutions.
        """
        between = {name: shape for name, shape in self._shapes.items() if name not in self.constants}
        between = {name: shape for name, shape in between.items() if name not in self.inputs | self.outputs}
        nodes = [protobuf.node(node.operator, node.inputs, node.output, node.attributes) for node in self.nodes]
        tensors = [protobuf.tensor(name, values) for name, values in self.constants.items()]
        return protobuf.model(nodes, tensors, self.inputs, self.outputs, between)

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
        return protobuf.model([*casts, *nodes], tensors, self.inputs, self.outputs, {})


def _shape(operator: str, inputs: Sequence[Shape | None], attributes: Mapping[str, Any]) -> Shape | None:
    """Of four sides: what an operator makes of inputs of these shapes; None where nothing is said about it."""
    x = inputs[0]
    if x is None or len(x) != 4:
        return None
    if operator == "Conv" and inputs[1] is not None:
        strides, pads = attributes.get("strides", (1, 1)), attributes.get("pads", (0, 0, 0, 0))
        beyond = [pads[axis] + pads[axis + 2] + strides[axis] for axis in (0, 1)]  # kernels as wide leave no rest
        if beyond != list(inputs[1][2:]):
            return None
        return (1, inputs[1][0], *(_scaled(side, 1, stride) for side, stride in zip(x[2:], strides, strict=True)))
    if operator == "DepthToSpace":
        block = attributes["blocksize"]
        return (1, x[1] // block**2, *(_scaled(each, block, 1) for each in x[2:]))
    if operator in ("Clip", "Exp", "Floor", "Sigmoid") or attributes.get("kernel_shape") == [1, 1]:
        return x
    if operator in ("Add", "Mul", "Sub") and all(shape is not None and len(shape) == 4 for shape in inputs):
        return [next((side for side in sides if side != 1), 1) for sides in zip(*inputs, strict=True)]
    return None


def _scaled(side: int | str, times: int, parts: int) -> int | str:
    """A side, so many `times` as long and then one of so many `parts` of it: "16h" in 8 parts is "2h"."""
    if isinstance(side, int):
        return times * side // parts
    factor = times * int(side[:-1] or 1) // parts
    return f"{factor}{side[-1]}" if factor > 1 else side[-1]

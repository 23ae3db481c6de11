"""A computation as operators of ONNX and their weights, written down layer by layer."""

from collections.abc import Mapping, Sequence
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
        inside = _Inside()
        for name, values in self.constants.items():
            if name in self.sums:
                inside.sum(name, self.sums[name], values.shape)
            else:
                inside.constant(name, values)
        nodes = [protobuf.node(node.operator, node.inputs, node.output, node.attributes) for node in self.nodes]
        return protobuf.model([*inside.nodes, *nodes], inside.tensors, self.inputs, self.outputs, {})


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


def _shape(operator: str, inputs: Sequence[Sequence[Any] | None], attributes: Mapping[str, Any]) -> Shape | None:
    """Of four sides: what an operator makes of inputs of these shapes; None where nothing is said about it."""
    pictures = [shape for shape in inputs if shape is not None and len(shape) == 4]
    if not pictures or pictures[0] is not inputs[0]:
        return None
    batch, channels, *sides = pictures[0]
    if operator == "Conv" and len(pictures) > 1:
        outputs, _, *lengths = pictures[1]
        strides, pads = attributes.get("strides", (1, 1)), attributes.get("pads", (0, 0, 0, 0))
        whole = [pads[axis] + pads[axis + 2] + strides[axis] for axis in (0, 1)]  # kernels of so many leave no rest
        if lengths != whole or any(_factor(side) % stride for side, stride in zip(sides, strides, strict=True)):
            return None
        return batch, outputs, *(_scaled(side, 1, stride) for side, stride in zip(sides, strides, strict=True))
    if operator == "DepthToSpace":
        block = attributes["blocksize"]
        return batch, channels // block**2, *(_scaled(side, block, 1) for side in sides)
    if operator in ("Clip", "Exp", "Floor", "Sigmoid") or attributes.get("kernel_shape") == [1, 1]:
        return pictures[0]
    if operator in ("Add", "Mul", "Sub") and len(pictures) == len(inputs):
        return [next((side for side in each if side != 1), 1) for each in zip(*pictures, strict=True)]
    return None


def _scaled(side: int | str, times: int, parts: int) -> int | str:
    """A side, so many `times` as long and then one of so many `parts` of it: "16h" in 8 parts is "2h"."""
    factor = times * _factor(side) // parts
    if isinstance(side, int):
        return factor
    return f"{factor}{side[-1]}" if factor > 1 else side[-1]


def _factor(side: int | str) -> int:
    """The number in front of a side's name."""
    return side if isinstance(side, int) else int(side[:-1] or 1)

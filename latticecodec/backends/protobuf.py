"""The few messages of onnx.proto (github.com/onnx/onnx) that a graph of ours consists of, as bytes.

Written here since importing the package `onnx` takes longer than decoding a picture. A message is its fields one after
the other, a field is its number and wire type, then a number, or a length and as many bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

IR_VERSION = 8  # of onnx.proto
OPSET = 18  # version of the operators
DATA_TYPES = {"float32": 1, "int64": 7, "float16": 10}  # TensorProto.DataType
EXTERNAL = 1  # TensorProto.DataLocation
INT, STRING, INTS = 2, 3, 7  # AttributeProto.AttributeType

Attribute = int | str | Sequence[int]
Shape = Sequence[int | str]  # a side is a number, or a name where it may have any length


def model(
    nodes: Iterable[bytes],
    tensors: Iterable[bytes],
    inputs: Mapping[str, Shape],
    outputs: Mapping[str, Shape],
    between: Mapping[str, Shape],
) -> bytes:
    """ModelProto of one graph: of `node`s, `tensor`s, and the shapes of what goes in and comes out, all float32.

    Shapes of what nodes make `between` may be told too.
    """
    graph = [_bytes(1, node) for node in nodes]
    graph += [_text(2, "latticecodec"), *(_bytes(5, tensor) for tensor in tensors)]
    graph += [_bytes(11, _value(name, shape)) for name, shape in inputs.items()]
    graph += [_bytes(12, _value(name, shape)) for name, shape in outputs.items()]
    graph += [_bytes(13, _value(name, shape)) for name, shape in between.items()]
    return _int(1, IR_VERSION) + _bytes(7, b"".join(graph)) + _bytes(8, _int(2, OPSET))


def node(operator: str, inputs: Iterable[str], output: str, attributes: Mapping[str, Attribute]) -> bytes:
    """NodeProto."""
    fields = [_text(1, name) for name in inputs]
    fields += [_text(2, output), _text(4, operator)]
    fields += [_bytes(5, _attribute(name, value)) for name, value in attributes.items()]
    return b"".join(fields)


def tensor(name: str, values: NDArray[Any], inside: bool = False) -> bytes:
    """TensorProto of values; those of float32 are handed over beside the model, by this name, unless `inside`."""
    fields = [_int(1, side) for side in values.shape]
    fields += [_int(2, DATA_TYPES[str(values.dtype)]), _text(8, name)]
    if inside or values.dtype != np.float32:
        fields.append(_bytes(9, values.astype(values.dtype.newbyteorder("<")).tobytes()))
    else:
        fields += [_bytes(13, _text(1, "location") + _text(2, "memory")), _int(14, EXTERNAL)]
    return b"".join(fields)


def _attribute(name: str, value: Attribute) -> bytes:
    """AttributeProto."""
    if isinstance(value, int):
        return _text(1, name) + _int(3, value) + _int(20, INT)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _int(20, STRING)
    return _text(1, name) + b"".join(_int(8, each) for each in value) + _int(20, INTS)


def _value(name: str, shape: Shape) -> bytes:
    """ValueInfoProto of a float32 tensor."""
    sides = [_int(1, side) if isinstance(side, int) else _text(2, side) for side in shape]
    kind = _int(1, DATA_TYPES["float32"]) + _bytes(2, b"".join(_bytes(1, side) for side in sides))
    return _text(1, name) + _bytes(2, _bytes(1, kind))


def _int(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """A number from 0 up: seven bits a byte, the lowest first, the eighth set in all but the last."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])

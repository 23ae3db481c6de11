"""The layers of lab/nets/blocks.py and lab/nets/transforms.py as nodes of a graph, and their gradients.

pixel_unshuffle with the 1x1 convolution behind it is one convolution with a stride, and so is, with the weights
transposed, the gradient of a 1x1 convolution with pixel_shuffle behind it. A gradient is given that of what its layer
made, and makes that of what its layer was given.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ..entropy.coder import Float32
from .graph import Graph


class Activation(NamedTuple):
    """SiLU of x, and what its gradient needs."""

    silu: str
    x: str
    sigmoid: str


class Kept(NamedTuple):
    """What the gradient of a block needs: both of its activations."""

    inner: Activation
    expanded: Activation


class Layers:
    """Adds layers to a graph, by the names that their tensors have in the network."""

    def __init__(self, graph: Graph, tensors: Mapping[str, Float32]) -> None:
        self.graph, self._tensors = graph, tensors

    def pointwise(self, name: str, x: str) -> str:
        """1x1 convolution: [1, in, h, w] -> [1, out, h, w]."""
        return self._convolve(x, self._weight(name)[:, :, None, None], self._bias(name))

    def unshuffled(self, name: str, x: str, side: int) -> str:
        """1x1 convolution of pixel_unshuffle(x): [1, C, side h, side w] -> [1, out, h, w]."""
        weight = self._weight(name)  # [out, C side side]
        kernel = weight.reshape(len(weight), -1, side, side)
        return self._convolve(x, kernel, self._bias(name), strides=[side, side])

    def shuffled(self, name: str, x: str, side: int) -> str:
        """pixel_shuffle of a 1x1 convolution: [1, in, h, w] -> [1, C, side h, side w]."""
        return self.graph.add("DepthToSpace", self.pointwise(name, x), blocksize=side, mode="CRD")

    def blocks(self, name: str, count: int, x: str) -> tuple[str, list[Kept]]:
        """Residual blocks one after the other: [1, C, h, w] -> [1, C, h, w]."""
        kept = []
        for number in range(count):
            x, of_block = self._block(f"{name}.{number}", x)
            kept.append(of_block)
        return x, kept

    def block(self, name: str, x: str) -> str:
        """A residual block: [1, C, h, w] -> [1, C, h, w]."""
        return self._block(name, x)[0]

    def gain(self, name: str, t: str) -> str:
        """What a gain multiplies its channels by, at rate coordinate t [1, 1, 1, 1]: [1, C, 1, 1]."""
        add = self.graph.add
        slope, curve = (
            self.graph.constant(self._tensors[f"{name}.{part}"][None, :, None, None]) for part in ("slope", "curve")
        )
        s = add("Sub", add("Add", t, t), self.number(1.0))  # [1, 1, 1, 1]
        return add("Exp", add("Mul", add("Add", add("Mul", curve, s), slope), s))

    def laid_out(self, x: str) -> str:
        """x in ONNX Runtime's own layout, as a convolution gives it: residual blocks stay in it, 5 % faster."""
        return self.graph.add("MaxPool", x, kernel_shape=[1, 1])

    def number(self, value: float) -> str:
        """A constant [1, 1, 1, 1]."""
        return self.graph.constant(np.full((1, 1, 1, 1), value, np.float32))

    def pointwise_gradient(self, name: str, gradient: str) -> str:
        """Gradient of `pointwise`: [1, out, h, w] -> [1, in, h, w]."""
        return self._convolve(gradient, self._weight(name).T[:, :, None, None])

    def shuffled_gradient(self, name: str, gradient: str, side: int) -> str:
        """Gradient of `shuffled`: [1, C, side h, side w] -> [1, in, h, w]."""
        weight = self._weight(name).T  # [in, C side side]
        return self._convolve(gradient, weight.reshape(len(weight), -1, side, side), strides=[side, side])

    def blocks_gradient(self, name: str, kept: list[Kept], gradient: str) -> str:
        """Gradient of `blocks`: [1, C, h, w] -> [1, C, h, w]."""
        for number in reversed(range(len(kept))):
            gradient = self._block_gradient(f"{name}.{number}", kept[number], gradient)
        return gradient

    def _block(self, name: str, x: str) -> tuple[str, Kept]:
        inner = self._silu(self.pointwise(f"{name}.inner", x))  # [1, C, h, w]
        kernel = self._spatial_kernel(name)
        branch = self._convolve(inner.silu, kernel, self._bias(f"{name}.spatial"), pads=[1] * 4, group=_groups(kernel))
        x = self.graph.add("Add", x, self.pointwise(f"{name}.outer", branch))
        expanded = self._silu(self.pointwise(f"{name}.expand", x))  # [1, 2C, h, w]
        x = self.graph.add("Add", x, self.pointwise(f"{name}.reduce", expanded.silu))
        return x, Kept(inner, expanded)

    def _block_gradient(self, name: str, kept: Kept, gradient: str) -> str:
        channels = len(self._bias(f"{name}.inner"))
        branch = self.pointwise_gradient(f"{name}.reduce", gradient)  # [1, 2C, h, w]
        branch = self._silu_gradient(kept.expanded, 2 * channels, branch)
        gradient = self.graph.add("Add", gradient, self.pointwise_gradient(f"{name}.expand", branch))
        branch = self.pointwise_gradient(f"{name}.outer", gradient)  # [1, C, h, w]
        kernel = self._spatial_kernel(name)
        parts = kernel.reshape(_groups(kernel), -1, *kernel.shape[1:])  # [G, group, group, 3, 3]
        turned = parts[..., ::-1, ::-1].swapaxes(1, 2).reshape(kernel.shape)
        branch = self._convolve(branch, turned, pads=[1] * 4, group=_groups(kernel))
        branch = self._silu_gradient(kept.inner, channels, branch)
        return self.graph.add("Add", gradient, self.pointwise_gradient(f"{name}.inner", branch))

    def _silu(self, x: str) -> Activation:
        sigmoid = self.graph.add("Sigmoid", x)
        return Activation(self.graph.add("Mul", x, sigmoid), x, sigmoid)

    def _silu_gradient(self, kept: Activation, channels: int, gradient: str) -> str:
        """gradient times sigmoid (1 + x - silu), the slope of SiLU."""
        add, ones = self.graph.add, np.ones((channels, 1, 1, 1), np.float32)
        negative = self._convolve(kept.silu, -ones, ones[:, 0, 0, 0], group=channels)  # 1 - silu, in the same layout
        return add("Mul", gradient, add("Mul", kept.sigmoid, add("Add", kept.x, negative)))

    def _weight(self, name: str) -> Float32:
        return self._tensors[f"{name}.weight"]

    def _bias(self, name: str) -> Float32:
        return self._tensors[f"{name}.bias"]

    def _spatial_kernel(self, name: str) -> Float32:
        """Of the grouped convolution in a block, [C, group, 3, 3]."""
        weight = self._weight(f"{name}.spatial")  # [C, group 9]
        return weight.reshape(len(weight), -1, 3, 3)

    def _convolve(self, x: str, kernel: Float32, bias: Float32 | None = None, **attributes: int | list[int]) -> str:
        """Convolution with a kernel [out, in / groups, k, k] and a bias [out]."""
        inputs = [self.graph.constant(values) for values in (kernel, bias) if values is not None]
        return self.graph.add("Conv", x, *inputs, **attributes)


def _groups(kernel: Float32) -> int:
    """How many groups a kernel [C, group, 3, 3] is of."""
    channels, group = kernel.shape[:2]
    return int(channels // group)

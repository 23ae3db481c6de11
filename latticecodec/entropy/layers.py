"""Layers of exact integers: 8-bit inputs and weights, sums below 2^24, shifts between layers.

Sums are float32 matrix products of 8-bit integers whose totals stay below 2^24, where float32 is exact in any order of
summation, on any instruction set and device; 3x3 convolutions are shifted integer multiply-adds; going from one layer
to the next is an arithmetic shift. The number formats stand in numbers.py.
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ModelError
from ..lab.arithmetic import multiply
from .numbers import ACTIVATION_BITS, ACTIVATION_MAX, EXPONENT_MAX, EXPONENT_MIN, WEIGHT_MAX

EXACT = 1 << 24  # integers below this are exact in float32


class Layer:
    """One layer: int8 weights [out, in] (or [C, 9], depthwise), int32 bias [out], exponents e [out]."""

    def __init__(self, name: str, state: dict[str, Tensor], device: torch.device) -> None:
        weight, bias, exponent = (state[f"{name}.{part}"] for part in ("weight", "bias", "exponent"))
        magnitude = weight.long().abs()  # [out, in]; int8 has no 128
        largest_bias = bias.long().abs().view(-1, len(weight)).amax(0)  # [out]
        largest = magnitude.sum(1) * ACTIVATION_MAX + largest_bias + (1 << 20)
        if bool((largest >= EXACT).any()) or bool((magnitude > WEIGHT_MAX).any()):
            raise ModelError(f"prior layer {name}: sums of its weights can exceed 2^24 and would not be exact")
        if bool((exponent < EXPONENT_MIN).any()) or bool((exponent > EXPONENT_MAX).any()):
            raise ModelError(f"prior layer {name}: exponents must be {EXPONENT_MIN} to {EXPONENT_MAX}")
        self.weight = weight.to(device, torch.float32)  # [out, in]
        self.bias = bias.to(device, torch.int32)[..., None]  # [out, 1], or [LEVELS, out, 1]
        self.exponent = exponent.to(device, torch.int32)[:, None]  # [out, 1]

    def split(self, outputs: int) -> list["Layer"]:
        """The layer cut into layers of so many outputs each."""
        return [self._part(slice(start, start + outputs)) for start in range(0, len(self.weight), outputs)]

    def every(self, stride: int, first: int) -> "Layer":
        """The layer of outputs `first`, `first` + `stride`, ... alone."""
        return self._part(slice(first, None, stride))

    def _part(self, at: slice) -> "Layer":
        part = copy.copy(self)
        part.weight, part.bias, part.exponent = self.weight[at], self.bias[..., at, :], self.exponent[at]
        return part

    def pointwise(self, x: Tensor, level: int | None = None) -> Tensor:
        """Sums of a 1x1 convolution: x [in, N] -> int32 [out, N], in units of 2^-(5 + e)."""
        sums = multiply(self.weight, x.to(torch.float32)).to(torch.int32)
        return sums + (self.bias if level is None else self.bias[level])

    def depthwise(self, x: Tensor, height: int, width: int) -> Tensor:
        """Sums of a 3x3 depthwise convolution with zero padding: x [C, N] -> int32 [C, N]."""
        padded = F.pad(x.view(-1, height, width), (1, 1, 1, 1))  # [C, height + 2, width + 2]
        weight = self.weight.to(torch.int32)
        sums = torch.zeros_like(x).view(-1, height, width)
        for tap in range(9):
            row, column = divmod(tap, 3)
            sums += weight[:, tap, None, None] * padded[:, row : row + height, column : column + width]
        return sums.view(len(x), -1) + self.bias

    def rescale(self, sums: Tensor, bits: int) -> Tensor:
        """Sums to units of 2^-bits, rounded to nearest, halves up."""
        shift = self.exponent + (ACTIVATION_BITS - bits)
        return (sums + (1 << (shift - 1))) >> shift

    def activate(self, sums: Tensor) -> Tensor:
        """Sums to activations 0..255."""
        return self.rescale(sums, ACTIVATION_BITS).clamp(0, ACTIVATION_MAX)


class Block:
    """Residual block of three layers, network.IntegerBlock in integers; [C, N] -> [C, N]."""

    def __init__(self, name: str, state: dict[str, Tensor], device: torch.device) -> None:
        self.inner, self.spatial, self.outer = (
            Layer(f"{name}.{part}", state, device) for part in ("inner", "spatial", "outer")
        )

    def __call__(self, x: Tensor, height: int, width: int) -> Tensor:
        """Activations to activations."""
        branch = self.inner.activate(self.inner.pointwise(x))
        branch = self.spatial.activate(self.spatial.depthwise(branch, height, width))
        return self.outer.activate(self.outer.pointwise(branch) + (x << self.outer.exponent))


def shuffle(x: Tensor, height: int, width: int) -> Tensor:
    """Pixel shuffle by 2: [4 C, height width] -> [C, 2 height, 2 width]."""
    x = x.view(-1, 2, 2, height, width)
    return x.permute(0, 3, 1, 4, 2).reshape(len(x), 2 * height, 2 * width)

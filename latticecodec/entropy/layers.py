"""Layers of exact integers: 8-bit inputs and weights, sums below 2^24, shifts between layers.

All numbers are held in float32. Sums are matrix products of 8-bit integers whose totals stay below 2^24, where float32
is exact in any order of summation, on any instruction set. The unit of a layer's weights is a power of two, so weights
and biases are stored in units of the layer's outputs: that moves exponents, no bit of a sum changes, and what is an
arithmetic shift in integers becomes rounding down. The number formats stand in numbers.py.
"""

import copy
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from .coder import Float32
from .numbers import ACTIVATION_BITS, ACTIVATION_MAX, EXPONENT_MAX, EXPONENT_MIN, WEIGHT_MAX

EXACT = 1 << 24  # integers below this are exact in float32
ONE_THREAD = 1 << 18  # multiplications of a product that OpenBLAS leaves to one thread
SMALL = 1 << 24  # multiplications, a millisecond of one thread
PLANES = 1 << 15  # values of a 3x3 convolution that are computed at a time: 128 KiB, a few of which stay in a cache

State = Mapping[str, NDArray[Any]]  # a model's tensors by name: integers


class Layer:
    """One layer: int8 weights [out, in] (or [C, 9], depthwise), int32 bias [out], exponents e [out].

    Inputs are in units of 2^-5. So are outputs, but where `bits` says another power for all [] or each of them [out].

    Raises:
        ModelError: its sums could exceed 2^24.
        RuntimeError: its tensors do not fit each other.
    """

    def __init__(self, name: str, state: State, bits: int | NDArray[np.int64] = ACTIVATION_BITS) -> None:
        weight, bias, exponent = (state[f"{name}.{part}"].astype(np.int64) for part in ("weight", "bias", "exponent"))
        if weight.ndim != 2 or bias.shape[-1:] != weight.shape[:1] or exponent.shape != weight.shape[:1]:
            raise RuntimeError(f"tensors prior.{name}.* should have the same number of outputs")
        magnitude = np.abs(weight)  # [out, in]
        largest_bias = np.abs(bias).reshape(-1, len(weight)).max(0)  # [out]
        largest = magnitude.sum(1) * ACTIVATION_MAX + largest_bias + (1 << 20)
        if (largest >= EXACT).any() or (magnitude > WEIGHT_MAX).any():
            raise ModelError(f"prior layer {name}: sums of its weights can exceed 2^24 and would not be exact")
        if (exponent < EXPONENT_MIN).any() or (exponent > EXPONENT_MAX).any():
            raise ModelError(f"prior layer {name}: exponents must be {EXPONENT_MIN} to {EXPONENT_MAX}")
        unit = np.exp2(bits - ACTIVATION_BITS - exponent.astype(np.float64))[:, None]  # [out, 1]
        self.weight = (weight * unit).astype(np.float32)  # [out, in]
        self.bias = (bias[..., None] * unit + 0.5).astype(np.float32)  # [out, 1], or [LEVELS, out, 1]; rounds halves up

    def split(self, outputs: int) -> list["Layer"]:
        """The layer cut into layers of so many outputs each."""
        return [self._part(slice(start, start + outputs)) for start in range(0, len(self.weight), outputs)]

    def every(self, stride: int, first: int) -> "Layer":
        """The layer of outputs `first`, `first` + `stride`, ... alone."""
        return self._part(slice(first, None, stride))

    def _part(self, at: slice) -> "Layer":
        part = copy.copy(self)
        part.weight, part.bias = np.ascontiguousarray(self.weight[at]), self.bias[..., at, :]
        return part

    def pointwise(self, x: Float32, level: int | None = None) -> Float32:
        """A 1x1 convolution: x [in, N] -> [out, N], rounded to nearest, halves up."""
        out = product(self.weight, x)
        out += self.bias if level is None else self.bias[level]
        return np.floor(out, out=out)

    def rows(self, x: Float32) -> Float32:
        """The same, a position a row: x [N, in] -> [N, out]."""
        out = product(x, self.weight.T)
        out += self.bias[:, 0]
        return np.floor(out, out=out)

    def depthwise(self, x: Float32, height: int, width: int) -> Float32:
        """A 3x3 depthwise convolution with zero padding: x [C, N] -> [C, N], rounded to nearest, halves up."""
        channels, row = len(x), width + 2
        together = min(channels, max(1, PLANES // (height * row)))
        padded = np.zeros((together, height + 2, row), dtype=np.float32)
        flat = padded.reshape(together, -1)  # an input's neighbours are a row, or 1, further on
        term, sums = np.zeros((2, together, height * row), dtype=np.float32)
        inside = height * row - 2  # the end of the last sum; of each row the last two are of no use
        out = np.empty_like(x)
        for start in range(0, channels, together):
            at = slice(start, min(start + together, channels))
            count = at.stop - start
            padded[:count, 1:-1, 1:-1] = x[at].reshape(count, height, width)
            for tap in range(9):
                first = tap // 3 * row + tap % 3
                target = term if tap else sums
                moved = flat[:count, first : first + inside]
                np.multiply(moved, self.weight[at, tap : tap + 1], out=target[:count, :inside])
                if tap:
                    sums[:count] += term[:count]
            sums[:count] += self.bias[at]
            rows = sums[:count].reshape(count, height, row)[:, :, :width]
            np.floor(rows, out=out[at].reshape(count, height, width))
        return out


def product(a: Float32, b: Float32) -> Float32:
    """The matrix product of a [M, K] and b [K, N], [M, N]; a small one is computed without BLAS's threads.

    Those meet for every product, and on a machine with other work wait for each other longer than they compute.
    """
    a_row = b.size  # multiplications for each row of a
    if not ONE_THREAD < len(a) * a_row <= SMALL:
        large: Float32 = a @ b
        return large
    blocks = -(-len(a) // max(2, ONE_THREAD // a_row))
    ends = [len(a) * number // blocks for number in range(blocks + 1)]
    out = np.empty((len(a), b.shape[1]), dtype=np.float32)
    for start, end in itertools.pairwise(ends):
        np.matmul(a[start:end], b, out=out[start:end])
    return out


def check_inputs(name: str, values: Float32) -> None:
    """Raise ModelError where a table of symbol inputs holds more than the sums of a `Layer` count with."""
    if (np.abs(values) > ACTIVATION_MAX).any():
        raise ModelError(f"prior table {name}: its entries must be -{ACTIVATION_MAX} to {ACTIVATION_MAX}")


def activate(x: Float32) -> Float32:
    """Outputs of a layer to activations 0..255, in place."""
    np.maximum(x, 0, out=x)
    return np.minimum(x, ACTIVATION_MAX, out=x)


class Block:
    """Residual block of three layers, lab.nets.prior.IntegerBlock in integers; [C, N] -> [C, N]."""

    def __init__(self, name: str, state: State) -> None:
        self.inner, self.spatial, self.outer = (
            Layer(f"{name}.{part}", state) for part in ("inner", "spatial", "outer")
        )

    def __call__(self, x: Float32, height: int, width: int) -> Float32:
        """Activations to activations."""
        branch = activate(self.inner.pointwise(x))
        branch = activate(self.spatial.depthwise(branch, height, width))
        out = self.outer.pointwise(branch)
        out += x
        return activate(out)


def shuffle(x: Float32, height: int, width: int) -> Float32:
    """Pixel shuffle by 2: [4 C, height width] -> [C, 2 height, 2 width]."""
    cells = x.reshape(-1, 2, 2, height, width).transpose(0, 3, 1, 4, 2)  # [C, height, 2, width, 2]
    return cells.reshape(-1, 2 * height, 2 * width)

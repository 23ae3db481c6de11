"""The prior in exact integers: what lies between the bytes of a file and its lattice coordinates.

Every tensor here holds integers. Sums are float32 matrix products of 8-bit integers whose totals stay below 2^24, where
float32 is exact in any order of summation, on any instruction set and device; 3x3 convolutions are shifted integer
multiply-adds; going from one layer to the next is an arithmetic shift; everything else is a look-up. The number formats
stand in numbers.py, the float twin for training in network.py, the method in Ballé, Johnston and Minnen, ICLR 2019.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..arithmetic import exact_arithmetic
from ..coder import Int32, Tables
from ..config import CONTEXT_STEPS, HYPER, ModelConfig
from ..errors import ModelError
from .e8 import E8Points
from .numbers import (
    ACTIVATION_BITS,
    ACTIVATION_MAX,
    COORDINATE_MAX,
    LEVELS,
    MEAN_BITS,
    MEAN_MAX,
    SCALE_BITS,
    SCALE_COUNT,
    WEIGHT_MAX,
)
from .points import Float32, Get, IntegerPoints, Points, Put
from .steps import context_steps
from .tables import TableIndex

EXACT = 1 << 24  # integers below this are exact in float32


class Layer:
    """One layer: int8 weights [out, in] (or [C, 9], depthwise), int32 bias [out], exponents e [out]."""

    def __init__(self, name: str, state: dict[str, Tensor], device: torch.device) -> None:
        weight, bias, exponent = (state[f"{name}.{part}"] for part in ("weight", "bias", "exponent"))
        largest_bias = bias.long().abs().view(-1, len(weight)).amax(0)  # [out]
        largest = weight.long().abs().sum(1) * ACTIVATION_MAX + largest_bias + (1 << 20)
        if bool((largest >= EXACT).any()) or bool((weight.abs() > WEIGHT_MAX).any()):
            raise ModelError(f"prior layer {name}: sums of its weights can exceed 2^24 and would not be exact")
        self.weight = weight.to(device, torch.float32)  # [out, in]
        self.bias = bias.to(device, torch.int32)[..., None]  # [out, 1], or [LEVELS, out, 1]
        self.exponent = exponent.to(device, torch.int32)[:, None]  # [out, 1]

    def pointwise(self, x: Tensor, level: int | None = None) -> Tensor:
        """Sums of a 1x1 convolution: x [in, N] -> int32 [out, N], in units of 2^-(5 + e)."""
        sums = torch.matmul(self.weight, x.to(torch.float32)).to(torch.int32)
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


class IntegerPrior:
    """Tells, symbol by symbol, which frequency table codes it; identical on every machine.

    Args:
        config: of the model.
        state: the model's tensors named `prior.*`, without that prefix.
        device: where the sums are computed.
    """

    def __init__(self, config: ModelConfig, state: dict[str, Tensor], device: torch.device) -> None:
        self.config, self.device = config, device
        self.index = TableIndex.from_state(state)
        self._points: Points = E8Points(self.index, state) if "e8.threshold" in state else IntegerPoints(self.index)
        self._z = state["z"].numpy().astype(np.int32)  # [2, LEVELS, Z]: mean outputs, scale indices
        self._compand = state["compand"].to(device, torch.int32)  # [largest + 1]
        self._hyper_enter = Layer("hyper.enter", state, device)
        self._hyper_block = Block("hyper.block", state, device)
        self._hyper_leave = Layer("hyper.leave", state, device)
        self._adaptors = [Layer(f"context.adaptors.{step}", state, device) for step in range(CONTEXT_STEPS)]
        self._blocks = [Block(f"context.blocks.{i}", state, device) for i in range(config.context_blocks)]
        self._leave = Layer("context.leave", state, device)

    @property
    def tables(self) -> Tables:
        """The frequency tables that ids point into."""
        return self._points.tables

    def hyper_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape of z for latents of height x width."""
        return self.config.hyper_latents, -(-height // HYPER), -(-width // HYPER)

    def encode(self, u: Float32, z: Int32, level: int, put: Put) -> Int32:
        """Quantize and write: z, then four steps of lattice points; returns their coordinates [M, h, w].

        Args:
            u: latents in lattice steps [M, h, w], not rounded.
            z: hyper-latents [Z, h/4, w/4].
            level: quality level, 0..63.
            put: takes (residuals [N], table ids [N]) in coding order.
        """
        ids, base = self._hyper_tables(z.shape, level)
        put((z.ravel() - base).astype(np.int32), ids)

        def write(own: NDArray[np.bool_], mean: Int32, scale: Int32) -> Int32:
            return self._points.write(u[own], mean, scale, put)

        return self._walk(z, (u.shape[0], u.shape[1], u.shape[2]), level, write)

    def decode(self, get: Get, shape: tuple[int, int, int], level: int) -> Int32:
        """Mirror of `encode`: `get` maps table ids [N] to residuals [N]; returns coordinates of `shape` [M, h, w]."""
        z_shape = self.hyper_shape(*shape[1:])
        ids, base = self._hyper_tables(z_shape, level)
        z = (get(ids) + base).reshape(z_shape).clip(-COORDINATE_MAX, COORDINATE_MAX)
        return self._walk(z, shape, level, lambda _, mean, scale: self._points.read(mean, scale, get))

    def _walk(
        self,
        z: Int32,
        shape: tuple[int, int, int],
        level: int,
        code: Callable[[NDArray[np.bool_], Int32, Int32], Int32],
    ) -> Int32:
        """Coordinates of `shape` [M, h, w], step by step: `code` gets (mask of the step, means [N], scales [N])."""
        features = self._features(z, level, *shape[1:])
        k = np.zeros(shape, dtype=np.int32)
        steps = context_steps(*shape)  # [M, h, w]
        for step in range(CONTEXT_STEPS):
            own = (steps == step).numpy()
            k[own] = code(own, *self._outputs(features, torch.from_numpy(k).to(self.device), steps, step))
        return k

    def fingerprint(self) -> str:
        """SHA-256 over the table ids of a fixed input: the known answer that every machine must reproduce."""
        generator = np.random.Generator(np.random.PCG64(1))
        u = np.round(generator.standard_normal((self.config.latents, 8, 12)) * 3).astype(np.float32)
        z = np.round(generator.standard_normal(self.hyper_shape(8, 12)) * 3).astype(np.int32)
        digest = hashlib.sha256()

        def put(residuals: Int32, ids: Int32) -> None:
            digest.update(residuals.astype("<i4").tobytes() + ids.astype("<i4").tobytes())

        for level in (0, LEVELS // 2, LEVELS - 1):
            self.encode(u, z, level, put)
        return digest.hexdigest()

    def _hyper_tables(self, shape: tuple[int, ...], level: int) -> tuple[Int32, Int32]:
        """Table ids and bases of z, flat in C order."""
        mean, scale = np.repeat(self._z[:, level], shape[1] * shape[2], axis=1)
        return self.index.look_up(mean, scale)

    def _symbols(self, k: Tensor) -> Tensor:
        """Coordinates, in units of the points, to companded symbol inputs, -127..127."""
        magnitude = self._compand[k.abs().clamp(max=len(self._compand) - 1)]
        return torch.where(k < 0, -magnitude, magnitude)

    def _features(self, z: Int32, level: int, height: int, width: int) -> Tensor:
        """Hyper-latents -> features, int32 [F, h w]."""
        with exact_arithmetic(self.device):
            _, rows, columns = z.shape
            known = torch.from_numpy(z.astype(np.int32)).to(self.device) * self._points.unit
            x = self._symbols(known).flatten(1)  # [Z, rows columns]
            x = self._hyper_enter.activate(self._hyper_enter.pointwise(x, level))
            x = shuffle(x, rows, columns).flatten(1)  # [W, 4 rows columns]
            x = self._hyper_block(x, 2 * rows, 2 * columns)
            x = self._hyper_leave.activate(self._hyper_leave.pointwise(x))
            return shuffle(x, 2 * rows, 2 * columns)[:, :height, :width].flatten(1)  # [F, h w]

    def _outputs(self, features: Tensor, k: Tensor, steps: Tensor, step: int) -> tuple[Int32, Int32]:
        """Mean outputs and scale indices of the symbols of one step, in C order of [M, h, w]."""
        with exact_arithmetic(self.device):
            channels, height, width = k.shape
            known = self._symbols(k) * (steps < step).to(self.device)
            x = torch.cat([known.flatten(1), features])  # [M + F, h w]
            x = self._adaptors[step].activate(self._adaptors[step].pointwise(x))  # [C, h w]
            for block in self._blocks:
                x = block(x, height, width)
            sums = self._leave.pointwise(x)  # [2 M, h w]
            mean = self._leave.rescale(sums, MEAN_BITS)[:channels].clamp(-MEAN_MAX, MEAN_MAX)
            scale = self._leave.rescale(sums, SCALE_BITS)[channels:].clamp(0, SCALE_COUNT - 1)
            own = (steps == step).flatten(1).to(self.device)
            return mean[own].cpu().numpy(), scale[own].cpu().numpy()


def shuffle(x: Tensor, height: int, width: int) -> Tensor:
    """Pixel shuffle by 2: [4 C, height width] -> [C, 2 height, 2 width]."""
    x = x.view(-1, 2, 2, height, width)
    return x.permute(0, 3, 1, 4, 2).reshape(len(x), 2 * height, 2 * width)

"""The prior in exact integers: what lies between the bytes of a file and its lattice coordinates.

Every tensor here holds integers; layers.py says why their sums are exact on every machine. The float twin for training
is in network.py, the method in Ballé, Johnston and Minnen, ICLR 2019.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config import CONTEXT_STEPS, ModelConfig
from ..lab.arithmetic import exact_arithmetic
from .coder import Float32, Int32, Tables
from .e8 import E8Points
from .hyper import IntegerHyper, Symbols, fixed_integers
from .layers import Block, Layer
from .numbers import LEVELS, MEAN_BITS, MEAN_MAX, SCALE_BITS, SCALE_COUNT
from .points import Get, IntegerPoints, Points, Put
from .steps import context_steps
from .tables import TableIndex


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
        self._symbols = Symbols(state, self._points.unit, device)
        self.hyper = IntegerHyper(config, state, self.index, self._symbols, device)
        self._adaptors = [Layer(f"context.adaptors.{step}", state, device) for step in range(CONTEXT_STEPS)]
        self._blocks = [Block(f"context.blocks.{i}", state, device) for i in range(config.context_blocks)]
        leave = Layer("context.leave", state, device)
        self._leave = [leave.every(CONTEXT_STEPS, group) for group in range(CONTEXT_STEPS)]

    @property
    def unit(self) -> int:
        """Coordinates are in units of 1 / `unit` of a lattice step."""
        return self._points.unit

    @property
    def integers_below(self) -> float:
        """Log of the predicted sigma, in lattice steps, below which a coordinate is an integer for sure."""
        return self._points.integers_below

    @property
    def tables(self) -> Tables:
        """The frequency tables that ids point into."""
        return self._points.tables

    def encode(self, u: Float32, z: Int32, level: int, put: Put, bit_weight: float = 0.0) -> Int32:
        """Quantize and write: z, then four steps of lattice points; returns their coordinates [M, h, w].

        Args:
            u: latents in lattice steps [M, h, w], not rounded.
            z: hyper-latents [Z, h/4, w/4].
            level: quality level, 0..63.
            put: takes (residuals [N], table ids [N]) in coding order.
            bit_weight: what a bit weighs against the squared distance to u; 0 takes the nearest points.
        """
        self.hyper.write(z, level, put)

        def write(own: NDArray[np.bool_], mean: Int32, scale: Int32) -> Int32:
            return self._points.write(u[own], mean, scale, put, bit_weight)

        return self._walk(z, (u.shape[0], u.shape[1], u.shape[2]), level, write)

    def decode(self, get: Get, shape: tuple[int, int, int], level: int) -> Int32:
        """Mirror of `encode`: `get` maps table ids [N] to residuals [N]; returns coordinates of `shape` [M, h, w]."""
        z = self.hyper.read(*shape[1:], level, get)
        return self._walk(z, shape, level, lambda _, mean, scale: self._points.read(mean, scale, get))

    def _walk(
        self,
        z: Int32,
        shape: tuple[int, int, int],
        level: int,
        code: Callable[[NDArray[np.bool_], Int32, Int32], Int32],
    ) -> Int32:
        """Coordinates of `shape` [M, h, w], step by step: `code` gets (mask of the step, means [N], scales [N])."""
        features = self.hyper.features(z, level, *shape[1:])
        k = np.zeros(shape, dtype=np.int32)
        steps = context_steps(*shape)  # [M, h, w]
        for step in range(CONTEXT_STEPS):
            own = (steps == step).numpy()
            k[own] = code(own, *self._outputs(features, torch.from_numpy(k).to(self.device), steps, step))
        return k

    def fingerprint(self) -> str:
        """SHA-256 over the table ids of a fixed input: the known answer that every machine must reproduce."""
        u = fixed_integers((self.config.latents, 8, 12), 41) * np.float32(0.25)  # exact
        z = fixed_integers(self.hyper.shape(8, 12), 7)
        digest = hashlib.sha256()

        def put(residuals: Int32, ids: Int32) -> None:
            digest.update(residuals.astype("<i4").tobytes() + ids.astype("<i4").tobytes())

        for level in (0, LEVELS // 2, LEVELS - 1):
            self.encode(u, z, level, put)
        return digest.hexdigest()

    def _outputs(self, features: Tensor, k: Tensor, steps: Tensor, step: int) -> tuple[Int32, Int32]:
        """Mean outputs and scale indices of the symbols of one step, in C order of [M, h, w]."""
        with exact_arithmetic(self.device):
            channels, height, width = k.shape
            known = self._symbols(k) * (steps < step).to(self.device)
            x = torch.cat([known.flatten(1), features])  # [M + F, h w]
            x = self._adaptors[step].activate(self._adaptors[step].pointwise(x))  # [C, h w]
            for block in self._blocks:
                x = block(x, height, width)
            outputs = x.new_empty((2, channels, height * width))  # [2, M, h w]: means, scale indices
            for group, layer in enumerate(self._leave):  # each position codes one group of channels in this step
                at = (steps[group] == step).flatten().nonzero()[:, 0].to(self.device)  # [n]
                sums = layer.pointwise(x[:, at])  # [2 M / 4, n]
                own = channels // CONTEXT_STEPS
                mean = layer.rescale(sums, MEAN_BITS)[:own].clamp(-MEAN_MAX, MEAN_MAX)
                scale = layer.rescale(sums, SCALE_BITS)[own:].clamp(0, SCALE_COUNT - 1)
                outputs[:, group::CONTEXT_STEPS].index_copy_(2, at, torch.stack([mean, scale]))
            mine = (steps == step).flatten(1).to(self.device)  # [M, h w]
            return outputs[0][mine].cpu().numpy(), outputs[1][mine].cpu().numpy()

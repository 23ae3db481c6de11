"""Hyper-latents in exact integers: their own tables, and the features that the context networks see.

The float twin is network.HyperDecoder; the method is the hyperprior of Ballé et al., ICLR 2018.
"""

import numpy as np
import torch
from torch import Tensor

from ..config import HYPER, ModelConfig
from ..errors import ModelError
from ..lab.arithmetic import exact_arithmetic
from .coder import Int32
from .layers import Block, Layer, shuffle
from .numbers import COORDINATE_MAX, LEVELS, MEAN_MAX, SCALE_COUNT
from .points import Get, Put
from .tables import TableIndex


def fixed_integers(shape: tuple[int, ...], largest: int) -> Int32:
    """Integers from -largest to largest that look random and are the same everywhere, for known-answer tests."""
    count = np.arange(int(np.prod(shape)), dtype=np.uint64)
    mixed = (count * np.uint64(2654435761)) % np.uint64(1 << 32) >> np.uint64(8)  # Knuth's multiplicative hash
    return (mixed % np.uint64(2 * largest + 1)).astype(np.int32).reshape(shape) - largest


class Symbols:
    """Companding look-up: integers in units of 1 / `unit` to symbol inputs -127..127."""

    def __init__(self, state: dict[str, Tensor], unit: int, device: torch.device) -> None:
        self.unit = unit
        self._compand = state["compand"].to(device, torch.int32)  # [largest + 1]

    def __call__(self, k: Tensor) -> Tensor:
        """Integers of any shape to symbol inputs."""
        magnitude = self._compand[k.abs().clamp(max=len(self._compand) - 1)]
        return torch.where(k < 0, -magnitude, magnitude)


class IntegerHyper:
    """Codes hyper-latents z [Z, h/4, w/4] and turns them into features [F, h w].

    Args:
        config: of the model.
        state: the model's tensors named `prior.*`, without that prefix.
        index: frequency tables of integers.
        symbols: the companding look-up.
        device: where the sums are computed.
    """

    def __init__(
        self, config: ModelConfig, state: dict[str, Tensor], index: TableIndex, symbols: Symbols, device: torch.device
    ) -> None:
        self.config, self.index, self.symbols, self.device = config, index, symbols, device
        self._z = state["z"].numpy().astype(np.int32)  # [2, LEVELS, Z]: mean outputs, scale indices
        means, scales = self._z
        legal = -MEAN_MAX <= means.min() <= means.max() <= MEAN_MAX and 0 <= scales.min() <= scales.max() < SCALE_COUNT
        if means.shape != (LEVELS, config.hyper_latents) or not legal:
            raise ModelError(f"prior table z: it must hold means and scales of {LEVELS} levels")
        self._enter = Layer("hyper.enter", state, device)
        self._block = Block("hyper.block", state, device)
        self._leave = Layer("hyper.leave", state, device)

    def shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape of z for latents of height x width."""
        return self.config.hyper_latents, -(-height // HYPER), -(-width // HYPER)

    def write(self, z: Int32, level: int, put: Put) -> None:
        """Hand z [Z, h/4, w/4] to `put`."""
        ids, base = self._tables(z.shape, level)
        put((z.ravel() - base).astype(np.int32), ids)

    def read(self, height: int, width: int, level: int, get: Get) -> Int32:
        """Mirror of `write`: z of latents of height x width."""
        shape = self.shape(height, width)
        ids, base = self._tables(shape, level)
        return (get(ids) + base).reshape(shape).clip(-COORDINATE_MAX, COORDINATE_MAX)

    def _tables(self, shape: tuple[int, ...], level: int) -> tuple[Int32, Int32]:
        """Table ids and bases of z, flat in C order."""
        mean, scale = np.repeat(self._z[:, level], shape[1] * shape[2], axis=1)
        return self.index.look_up(mean, scale)

    def features(self, z: Int32, level: int, height: int, width: int) -> Tensor:
        """Hyper-latents -> features, int32 [F, height width]."""
        with exact_arithmetic(self.device):
            _, rows, columns = z.shape
            known = torch.from_numpy(z.astype(np.int32)).to(self.device) * self.symbols.unit
            x = self.symbols(known).flatten(1)  # [Z, rows columns]
            x = self._enter.activate(self._enter.pointwise(x, level))
            x = shuffle(x, rows, columns).flatten(1)  # [W, 4 rows columns]
            x = self._block(x, 2 * rows, 2 * columns)
            x = self._leave.activate(self._leave.pointwise(x))
            return shuffle(x, 2 * rows, 2 * columns)[:, :height, :width].flatten(1)  # [F, height width]

"""Hyper-latents in exact integers: their own tables, and the features that the context networks see.

The float twin is lab.nets.prior.HyperDecoder; the method is the hyperprior of Ballé et al., ICLR 2018.
"""

import numpy as np

from ..config import HYPER, ModelConfig
from ..errors import ModelError
from .coder import Float32, Int32
from .layers import Block, Layer, State, activate, check_inputs, shuffle
from .numbers import COORDINATE_MAX, LEVELS, MEAN_MAX, SCALE_COUNT
from .stream import Sink, Source
from .tables import TableIndex


def fixed_integers(shape: tuple[int, ...], largest: int) -> Int32:
    """Integers from -largest to largest that look random and are the same everywhere, for known-answer tests."""
    count = np.arange(int(np.prod(shape)), dtype=np.uint64)
    mixed = (count * np.uint64(2654435761)) % np.uint64(1 << 32) >> np.uint64(8)  # Knuth's multiplicative hash
    return (mixed % np.uint64(2 * largest + 1)).astype(np.int32).reshape(shape) - largest


class Symbols:
    """Companding look-up: integers in units of 1 / `unit` to symbol inputs -127..127."""

    def __init__(self, state: State, unit: int) -> None:
        self.unit = unit
        magnitudes = state["compand"].astype(np.float32)  # [largest + 1]
        if magnitudes.ndim != 1 or not len(magnitudes):
            raise RuntimeError(f"tensor prior.compand should have one dimension, has shape {magnitudes.shape}")
        check_inputs("compand", magnitudes)
        self._largest = len(magnitudes) - 1
        self._inputs = np.concatenate([-magnitudes[:0:-1], magnitudes])  # [2 largest + 1]

    def __call__(self, k: Int32) -> Float32:
        """Integers of any shape to symbol inputs."""
        inputs: Float32 = self._inputs[k.clip(-self._largest, self._largest) + self._largest]
        return inputs


class IntegerHyper:
    """Codes hyper-latents z [Z, h/4, w/4] and turns them into features [F, h, w].

    Args:
        config: of the model.
        state: the model's tensors named `prior.*`, without that prefix.
        index: frequency tables of integers.
        symbols: the companding look-up.

    Attributes:
        enter: symbol inputs to four positions of W channels, with a bias for each level.
        block: at half the positions of the latents, each way.
        leave: to four positions of F channels.
    """

    def __init__(self, config: ModelConfig, state: State, index: TableIndex, symbols: Symbols) -> None:
        self.config, self.index, self.symbols = config, index, symbols
        self._z = state["z"].astype(np.int32)  # [2, LEVELS, Z]: mean outputs, scale indices
        means, scales = self._z
        legal = -MEAN_MAX <= means.min() <= means.max() <= MEAN_MAX and 0 <= scales.min() <= scales.max() < SCALE_COUNT
        if means.shape != (LEVELS, config.hyper_latents) or not legal:
            raise ModelError(f"prior table z: it must hold means and scales of {LEVELS} levels")
        self.enter = Layer("hyper.enter", state)
        self.block = Block("hyper.block", state)
        self.leave = Layer("hyper.leave", state)

    def shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape of z for latents of height x width."""
        return self.config.hyper_latents, -(-height // HYPER), -(-width // HYPER)

    def write(self, z: Int32, level: int, writer: Sink) -> None:
        """Write z [Z, h/4, w/4] at a quality level of 0..63."""
        ids, base = self._tables(z.shape, level)
        writer.put((z.ravel() - base).astype(np.int32), ids)

    def read(self, height: int, width: int, level: int, reader: Source) -> Int32:
        """Mirror of `write`: z of latents of height x width."""
        shape = self.shape(height, width)
        ids, base = self._tables(shape, level)
        return (reader.get(ids) + base).reshape(shape).clip(-COORDINATE_MAX, COORDINATE_MAX)

    def _tables(self, shape: tuple[int, ...], level: int) -> tuple[Int32, Int32]:
        """Table ids and bases of z, flat in C order."""
        mean, scale = np.repeat(self._z[:, level], shape[1] * shape[2], axis=1)
        return self.index.look_up(mean, scale)

    def features(self, z: Int32, level: int, height: int, width: int) -> Float32:
        """Hyper-latents -> features, activations [F, height, width]."""
        return self.decoded(self.inputs(z), level)[:, :height, :width]

    def inputs(self, z: Int32) -> Float32:
        """Symbol inputs of hyper-latents, of the same shape."""
        return self.symbols(z * np.int32(self.symbols.unit))

    def decoded(self, inputs: Float32, level: int) -> Float32:
        """What the network makes of symbol inputs [Z, rows, columns]: activations [F, 4 rows, 4 columns]."""
        channels, rows, columns = inputs.shape
        x = activate(self.enter.pointwise(inputs.reshape(channels, -1), level))  # [4 W, rows columns]
        x = shuffle(x, rows, columns).reshape(-1, 4 * rows * columns)  # [W, 4 rows columns]
        x = self.block(x, 2 * rows, 2 * columns)
        x = activate(self.leave.pointwise(x))
        return shuffle(x, 2 * rows, 2 * columns)

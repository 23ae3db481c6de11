"""The prior in exact integers: what lies between the bytes of a file and its lattice coordinates.

Every array here holds integers; layers.py says why their sums are exact on every machine. Numpy adds them, but for
large pictures, whose engine the caller brings. The float twin for training is in lab/nets/prior.py,
the method in Ballé, Johnston and Minnen, ICLR 2019.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..config import CONTEXT_STEPS, ModelConfig
from .coder import Float32, Int32, Tables
from .hyper import IntegerHyper, Symbols, fixed_integers
from .layers import Block, Layer, State, activate
from .numbers import LEVELS, MEAN_BITS, MEAN_MAX, SCALE_BITS, SCALE_COUNT
from .points import IntegerPoints, Points
from .steps import quarters
from .stream import Digest
from .tables import TableIndex

LARGE = 512  # positions from which an engine is quicker than numpy, its start included
CELL = 2  # positions a side, in whose corners the symbols of a step are

Shape = tuple[int, int, int]  # [M, h, w]


class Networks(Protocol):
    """Those of a prior, computed by numpy or by somebody else: the same to the last bit."""

    def features(self, inputs: Float32, level: int) -> Float32:
        """See `IntegerHyper.decoded`."""

    def leaving(self, inputs: Float32, step: int) -> list[Float32]:
        """See `Context.leaving`, for h and w of 2 or more."""


Engine = Callable[[IntegerHyper, "Context"], Networks]


class IntegerPrior:
    """Tells, symbol by symbol, which frequency table codes it; identical on every machine.

    Args:
        config: of the model.
        state: the model's tensors named `prior.*`, without that prefix.
        engine: who computes the networks of large pictures.

    Example:
        prior.hyper.write(z, level, writer)
        view = prior.view(z, u.shape, level)
        for step in view.steps:
            mean, scale = view.predict(step)
            k = prior.points.choose(u[view.own(step)], mean, scale)
            prior.points.write(k, mean, scale, writer)
            view.know(step, k)
    """

    def __init__(self, config: ModelConfig, state: State, engine: Engine) -> None:
        self.config = config
        self.index = TableIndex.from_state(state)
        self.points = _points(self.index, state)
        self._symbols = Symbols(state, self.points.unit)
        self.hyper = IntegerHyper(config, state, self.index, self._symbols)
        self._context = Context(config, state)
        self._engine, self._started, self._lock = engine, list[Networks](), threading.Lock()

    @property
    def unit(self) -> int:
        """Coordinates are in units of 1 / `unit` of a lattice step."""
        return self.points.unit

    @property
    def integers_below(self) -> float:
        """Log of the predicted sigma, in lattice steps, below which a coordinate is an integer for sure."""
        return self.points.integers_below

    @property
    def tables(self) -> Tables:
        """The frequency tables that ids point into."""
        return self.points.tables

    def view(self, z: Int32, shape: Shape, level: int) -> "View":
        """What is known of lattice coordinates of `shape` [M, h, w] when of them only z [Z, h/4, w/4] is.

        `level` is the quality level, 0..63.
        """
        _, height, width = shape
        networks = self._networks(height, width)
        features = networks.features(self.hyper.inputs(z), level)[:, :height, :width]  # [F, h, w]
        return View(networks, self._symbols, features, shape)

    def _networks(self, height: int, width: int) -> Networks:
        """Of latents of height x width: numpy's, or the engine's, which is started once."""
        if min(height, width) < CELL or height * width < LARGE:
            return NumpyNetworks(self.hyper, self._context)
        with self._lock:
            if not self._started:
                self._started.append(self._engine(self.hyper, self._context))
            return self._started[0]

    def fingerprint(self) -> str:
        """SHA-256 over the table ids of a fixed input: the known answer that every machine must reproduce."""
        u = fixed_integers((self.config.latents, 8, 12), 41) * np.float32(0.25)  # exact
        z = fixed_integers(self.hyper.shape(8, 12), 7)
        digest = Digest()
        for level in (0, LEVELS // 2, LEVELS - 1):
            self.hyper.write(z, level, digest)
            view = self.view(z, (self.config.latents, 8, 12), level)
            for step in view.steps:
                mean, scale = view.predict(step)
                k = self.points.choose(u[view.own(step)], mean, scale)
                self.points.write(k, mean, scale, digest)
                view.know(step, k)
        return digest.hexdigest()


def _points(index: TableIndex, state: State) -> Points:
    """The lattice points of a model."""
    if "e8.threshold" not in state:
        return IntegerPoints(index)
    from .e8 import E8Points

    return E8Points(index, state)


class Context:
    """The context network: features and the coordinates before a step to the means and scales of that step.

    Attributes:
        adaptors: of each step, [W, M + F].
        blocks: of all steps.
        leave: of each group of channels, to mean outputs and scale indices, [M / 2, W].
    """

    def __init__(self, config: ModelConfig, state: State) -> None:
        self.adaptors = [Layer(f"context.adaptors.{step}", state) for step in range(CONTEXT_STEPS)]
        self.blocks = [Block(f"context.blocks.{i}", state) for i in range(config.context_blocks)]
        leave = Layer("context.leave", state, np.repeat([MEAN_BITS, SCALE_BITS], config.latents))
        self.leave = [leave.every(CONTEXT_STEPS, group) for group in range(CONTEXT_STEPS)]

    def leaving(self, inputs: Float32, step: int) -> list[Float32]:
        """What leaves the network for each group of channels, at its n positions of a step: [M / 2, n].

        `inputs` [M + F, h, w] are symbol inputs, 0 where unknown, and features.
        """
        count, height, width = inputs.shape
        x = activate(self.adaptors[step].pointwise(inputs.reshape(count, -1)))  # [W, h w]
        for block in self.blocks:
            x = block(x, height, width)
        hidden = x.reshape(-1, height, width)
        places = [hidden[:, rows, columns].reshape(len(x), -1) for _, rows, columns in quarters(step)]  # [W, n] each
        return [layer.pointwise(at) for at, layer in zip(places, self.leave, strict=True)]


@dataclass(frozen=True)
class NumpyNetworks:
    """See `Networks`."""

    hyper: IntegerHyper
    context: Context

    def features(self, inputs: Float32, level: int) -> Float32:
        """See `Networks`."""
        return self.hyper.decoded(inputs, level)

    def leaving(self, inputs: Float32, step: int) -> list[Float32]:
        """See `Networks`."""
        return self.context.leaving(inputs, step)


class View:
    """What is known of a picture's lattice coordinates, step after step: predict one, then know it.

    Attributes:
        steps: all steps, in coding order.
        known: coordinates int32 [M, h, w], 0 where they are not known yet.
    """

    def __init__(self, networks: Networks, symbols: Symbols, features: Float32, shape: Shape) -> None:
        self.steps = range(CONTEXT_STEPS)
        self.known = np.zeros(shape, dtype=np.int32)
        self._networks, self._symbols = networks, symbols
        self._inputs = np.concatenate([np.zeros(shape, dtype=np.float32), features])  # [M + F, h, w]

    def own(self, step: int) -> NDArray[np.bool_]:
        """Which coordinates [M, h, w] belong to a step; its N symbols are in C order of these."""
        mask = np.zeros(self.known.shape, dtype=np.bool_)
        for quarter in quarters(step):
            mask[quarter] = True
        return mask

    def predict(self, step: int) -> tuple[Int32, Int32]:
        """Mean outputs and scale indices [N] of a step, in C order of [M, h, w], when all those before it are known."""
        leaving = self._networks.leaving(self._inputs, step)
        parts = [part.reshape(2, len(part) // 2, -1) for part in leaving]  # [2, M / 4, n] each
        mean, scale = np.concatenate(parts, axis=2)  # [M / 4, N / (M / 4)] each: group after group in every row
        mean.clip(-MEAN_MAX, MEAN_MAX, out=mean)
        scale.clip(0, SCALE_COUNT - 1, out=scale)
        return mean.ravel().astype(np.int32), scale.ravel().astype(np.int32)

    def know(self, step: int, k: Int32) -> None:
        """The coordinates [N] of a step."""
        rows = k.reshape(len(self.known) // CONTEXT_STEPS, -1)  # [M / 4, N / (M / 4)]: group after group in every row
        inputs = self._symbols(rows)
        start = 0
        for quarter in quarters(step):
            own = self.known[quarter]  # [M / 4, .., ..]
            at = slice(start, start + own[0].size)
            own[:] = rows[:, at].reshape(own.shape)
            self._inputs[: len(self.known)][quarter] = inputs[:, at].reshape(own.shape)
            start = at.stop

"""The prior of categorical indices in exact integers: what lies between the bytes of a file and its index tensor.

A position has an index 0..K-1 from each of G codebooks. Hyper-latents come first (hyper.py), then the positions of even
row + column, then the others (the checkerboard of He et al., CVPR 2021); in each pass group after group, all positions
at once. A group knows the features, the codewords of the groups before it at its own position and, in the second pass,
the codewords around it; a codeword counts as the symbol inputs of its entries:

      codewords of pass 0 ─┐
      features ────────────┴─► adaptor_pass ── blocks ──► hidden ─┐
      earlier codewords of the position ──────────────────────────┴─► merge_g ── leave_g ──► logits of group g

A logit is in units of 1/16 of log2 probability; a shipped table of powers makes integer frequencies of logits. The
layers stand in layers.py, the float twin for training in lab/nets/categorical_prior.py.
"""

import numpy as np
from numpy.typing import NDArray

from ..config import ModelConfig
from ..errors import ModelError
from .coder import PRECISION, Float32, Int32, Tables
from .hyper import IntegerHyper, Symbols, fixed_integers
from .layers import Block, Layer, State, activate, check_inputs
from .numbers import LEVELS
from .stream import Digest
from .tables import TableIndex

PASSES = 2
LOGIT_BITS = 4  # units of 2^-4 in log2 probability
POWER_BITS = 20  # the table of powers starts at 2^20
ROWS = 4096  # positions whose frequencies are in memory at once
TOGETHER = 1 << 15  # frequencies that are computed at a time: 256 KiB, a few of which stay in a cache

Positions = NDArray[np.int64]  # [n] positions of a picture's latents, in C order
Shape = tuple[int, int, int]  # [G, h, w]


def units(config: ModelConfig) -> int:
    """U, hidden units that each group has of its own."""
    return config.context_width // 6


def coding_pass(height: int, width: int) -> NDArray[np.int64]:
    """The pass, 0 or 1, at which each position is coded: (row + column) mod 2, [height, width]."""
    row, column = np.indices((height, width))
    return (row + column) % PASSES


def frequencies(logits: Float32, powers: NDArray[np.integer]) -> Int32:
    """Logits to tables, [N, K] each, every entry at least 1 and every row summing to 2^24.

    Args:
        logits: integers in units of 2^-LOGIT_BITS of log2 probability.
        powers: [LIMIT + 1], what a logit that far below the largest weighs, LIMIT for those further below; 2^20 or
            less, at least 0, the first at least 1.
    """
    tables = np.empty(logits.shape, dtype=np.int32)
    free = (1 << PRECISION) - logits.shape[1]
    exact = powers.astype(np.float64)  # [LIMIT + 1] integers up to 2^20
    together = max(1, TOGETHER // logits.shape[1])
    for start in range(0, len(logits), together):
        at = slice(start, start + together)
        below = logits[at].max(1, keepdims=True) - logits[at]  # [n, K]
        np.minimum(below, len(powers) - 1, out=below)
        weights = exact[below.astype(np.intp)]  # [n, K]
        sums = weights.sum(1, keepdims=True)  # [n, 1] up to 2^32, for 4096 codes: exact in any order
        # floor(product / sum) is exact: products are below 2^44, so that a quotient is an integer or at least 1 / sum
        # away from one, and below 2^44 / sum, so that rounding to a float64 moves it by less than 2^-8 / sum
        weights *= free
        weights /= sums
        np.floor(weights, out=weights)
        weights += 1
        tables[at] = weights
    largest = tables.argmax(1)  # [N] the first of equals
    tables[np.arange(len(tables)), largest] += (1 << PRECISION) - tables.sum(1, dtype=np.int32)
    return tables


class IntegerCategorical:
    """Tells, index by index, the frequencies that code it; identical on every machine.

    Args:
        config: of the model, with G groups of K codes.
        state: the model's tensors named `prior.*`, without that prefix.

    Raises:
        ModelError: a tensor could give sums that are not exact, or does not fit the configuration.

    Example:
        z = prior.hyper.read(height, width, level, reader)
        view = prior.view(z, (groups, height, width), level)
        for step in view.steps:
            for group in view.groups:
                view.know(step, group, reader.get_rows(view.predict(step, group)))
    """

    def __init__(self, config: ModelConfig, state: State) -> None:
        self.config = config
        self.index = TableIndex.from_state(state)
        self.hyper = IntegerHyper(config, state, self.index, Symbols(state, 1))
        self._context = Context(config, state)

    @property
    def tables(self) -> Tables:
        """The frequency tables that the ids of hyper-latents point into."""
        return self.index.tables

    def view(self, z: Int32, shape: Shape, level: int) -> "View":
        """What is known of indices of `shape` [G, h, w] when of them only z [Z, h/4, w/4] is.

        `level` is the quality level, 0..63.
        """
        return View(self._context, self.hyper.features(z, level, *shape[1:]), shape)

    def fingerprint(self) -> str:
        """SHA-256 over the frequencies of a fixed input: the known answer that every machine must reproduce."""
        z = fixed_integers(self.hyper.shape(8, 12), 7)
        shape = (len(self.config.groups), 8, 12)
        indices = np.abs(fixed_integers((shape[0], 96), self.config.codes - 1))  # [G, 8 x 12]
        digest = Digest()
        for level in (0, LEVELS // 2, LEVELS - 1):
            self.hyper.write(z, level, digest)
            view = self.view(z, shape, level)
            for step in view.steps:
                for group in view.groups:
                    own = indices[group, view.own(step)]
                    digest.put_rows(own, view.predict(step, group))
                    view.know(step, group, own)
        return digest.hexdigest()


class Context:
    """The context network: features and the codewords known to the frequencies of one group after the other."""

    def __init__(self, config: ModelConfig, state: State) -> None:
        self.codewords = state["codewords"].astype(np.float32)  # [K, M] symbol inputs
        if self.codewords.shape != (config.codes, config.latents):
            raise ModelError(f"prior table codewords: {self.codewords.shape[::-1]} does not fit the configuration")
        check_inputs("codewords", self.codewords)
        ends = np.cumsum(config.groups).tolist()
        self.latents = [slice(end - width, end) for end, width in zip(ends, config.groups, strict=True)]
        self._adaptors = [Layer(f"context.adaptors.{step}", state) for step in range(PASSES)]
        self._blocks = [Block(f"context.blocks.{i}", state) for i in range(config.context_blocks)]
        self._merge = Layer("context.merge", state).split(units(config))
        self._leave = Layer("context.leave", state, LOGIT_BITS).split(config.codes)
        if not len(self._merge) == len(self._leave) == len(config.groups):
            raise ModelError(f"prior: its layers do not have the {len(config.groups)} groups of the configuration")
        self._powers = state["powers"].astype(np.int64)  # [LIMIT + 1]
        low, high = int(self._powers.min()), int(self._powers.max())
        if low < 0 or high > 1 << POWER_BITS or int(self._powers[0]) < 1:
            raise ModelError(f"prior table powers: its entries must be 0 to 2^{POWER_BITS}, the first at least 1")

    def hidden(self, inputs: Float32, coding_pass: int) -> Float32:
        """What a pass knows of all positions' surroundings: inputs [M + F, h, w] to activations [h w, W]."""
        count, height, width = inputs.shape
        adaptor = self._adaptors[coding_pass]
        x = activate(adaptor.pointwise(inputs.reshape(count, -1)))  # [W, h w]
        for block in self._blocks:
            x = block(x, height, width)
        return np.ascontiguousarray(x.T)

    def frequencies(self, x: Float32, group: int) -> Int32:
        """Hidden activations and the symbol inputs of the groups before [n, W + M] -> tables [n, K]."""
        merged = activate(self._merge[group].rows(x))  # [n, U]
        return frequencies(self._leave[group].rows(merged), self._powers)


class View:
    """What is known of a picture's indices: predict those of a group in a step, then know them, in coding order.

    A step is up to ROWS positions of one pass, which all groups code one after the other.

    Attributes:
        steps: all steps, in coding order.
        groups: all groups, in coding order.
        known: indices int32 [G, h, w], 0 where they are not known yet.
    """

    def __init__(self, context: Context, features: Float32, shape: Shape) -> None:
        self.groups = range(shape[0])
        self.known = np.zeros(shape, dtype=np.int32)
        self._context = context
        latents = context.codewords.shape[1]
        self._inputs = np.concatenate([np.zeros((latents, *shape[1:]), dtype=np.float32), features])  # [M + F, h, w]
        order = coding_pass(*shape[1:]).ravel()
        self._places: list[tuple[int, Positions]] = []  # pass and positions of each step
        for own in range(PASSES):
            positions = np.flatnonzero(order == own)
            starts = range(0, len(positions), ROWS)
            self._places += [(own, positions[start : start + ROWS]) for start in starts]
        self.steps = range(len(self._places))
        self._hidden = np.empty((0, 0), dtype=np.float32)  # [h w, W] of the pass
        self._x = self._hidden  # [n, W + M] of the step

    def own(self, step: int) -> Positions:
        """The positions [n] of a step."""
        return self._places[step][1]

    def predict(self, step: int, group: int) -> Int32:
        """The frequencies [n, K] of a group's indices, when all those before them are known."""
        if group == 0:
            self._enter(step)
        return self._context.frequencies(self._x, group)

    def _enter(self, step: int) -> None:
        """Have what all groups of a step see."""
        own, at = self._places[step]
        if step == 0 or own != self._places[step - 1][0]:
            self._hidden = self._context.hidden(self._inputs, own)
        self._x = np.zeros((len(at), self._hidden.shape[1] + self._context.codewords.shape[1]), dtype=np.float32)
        self._x[:, : self._hidden.shape[1]] = self._hidden[at]

    def know(self, step: int, group: int, indices: Int32) -> None:
        """The indices [n] of a group in a step."""
        at, latents = self.own(step), self._context.latents[group]
        self.known.reshape(len(self.known), -1)[group, at] = indices
        inputs = self._context.codewords[indices, latents]  # [n, D]
        self._inputs.reshape(len(self._inputs), -1)[latents, at] = inputs.T
        self._x[:, self._hidden.shape[1] :][:, latents] = inputs

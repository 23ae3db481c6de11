"""The prior of categorical indices in exact integers: what lies between the bytes of a file and its index tensor.

A position has an index 0..K-1 from each of G codebooks. Hyper-latents come first (hyper.py), then the positions of even
row + column, then the others (the checkerboard of He et al., CVPR 2021); in each pass group after group, all positions
at once. A group knows the features, the codewords of the groups before it at its own position and, in the second pass,
the codewords around it; a codeword counts as the symbol inputs of its entries:

      codewords of pass 0 ─┐
      features ────────────┴─► adaptor_pass ── blocks ──► hidden ─┐
      earlier codewords of the position ──────────────────────────┴─► merge_g ── leave_g ──► logits of group g

A logit is in units of 1/16 of log2 probability; a shipped table of powers makes integer frequencies of logits. The
layers stand in layers.py, the float twin for training in categorical_network.py.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config import ModelConfig
from ..errors import ModelError
from ..lab.arithmetic import exact_arithmetic
from .coder import PRECISION, Int32, Tables
from .hyper import IntegerHyper, Symbols, fixed_integers
from .layers import Block, Layer
from .numbers import LEVELS
from .points import Get, Put
from .tables import TableIndex

PASSES = 2
LOGIT_BITS = 4  # units of 2^-4 in log2 probability
POWER_BITS = 20  # the table of powers starts at 2^20
ROWS = 4096  # positions whose frequencies are in memory at once

Positions = NDArray[np.int64]  # [n] positions of a picture's latents, in C order
PutRows = Callable[[Int32, Int32], None]  # indices [n], frequencies [n, K]: append them to the stream
GetRows = Callable[[Int32], Int32]  # frequencies [n, K] -> the next indices [n] of the stream
Choose = Callable[[int, Positions, Int32], Int32]  # group, positions [n], frequencies [n, K] -> indices [n]


def units(config: ModelConfig) -> int:
    """U, hidden units that each group has of its own."""
    return config.context_width // 6


def coding_pass(height: int, width: int) -> NDArray[np.int64]:
    """The pass, 0 or 1, at which each position is coded: (row + column) mod 2, [height, width]."""
    row, column = np.indices((height, width))
    return (row + column) % PASSES


def frequencies(logits: Tensor, powers: Tensor) -> Int32:
    """Logits [K, N] to tables [N, K], C order, each entry at least 1 and every row summing to 2^24.

    Args:
        logits: int32 [K, N], in units of 2^-LOGIT_BITS of log2 probability.
        powers: int64 [LIMIT + 1], what a logit that far below the largest weighs, LIMIT for those further below; 2^20
            or less, at least 0, the first at least 1.
    """
    codes = len(logits)
    below = (logits.amax(0) - logits).clamp(max=len(powers) - 1)  # [K, N]
    weights = powers.double()[below]  # [K, N]
    # floor(product / sum) is exact: products are below 2^44 and sums below 2^28, so that a quotient is an integer or
    # at least 2^-28 away from one, which the rounding of a float64 below 2^24 does not reach
    total = weights.sum(0)  # [N]
    tables = weights.mul_((1 << PRECISION) - codes).div_(total).floor_().add_(1).to(torch.int32)  # [K, N]
    rows: Int32 = tables.T.contiguous().cpu().numpy()  # [N, K]
    largest = rows.argmax(1)  # [N] the first of equals
    rows[np.arange(len(rows)), largest] += (1 << PRECISION) - rows.sum(1, dtype=np.int32)
    return rows


class IntegerCategorical:
    """Tells, index by index, the frequencies that code it; identical on every machine.

    Args:
        config: of the model, with G groups of K codes.
        state: the model's tensors named `prior.*`, without that prefix.
        device: where the sums are computed.

    Raises:
        ModelError: a tensor could give sums that are not exact, or does not fit the configuration.
    """

    def __init__(self, config: ModelConfig, state: dict[str, Tensor], device: torch.device) -> None:
        self.config, self.device = config, device
        self.index = TableIndex.from_state(state)
        self.hyper = IntegerHyper(config, state, self.index, Symbols(state, 1, device), device)
        self._codewords = state["codewords"].T.to(device, torch.float32)  # [M, K]
        if self._codewords.shape != (config.latents, config.codes):
            raise ModelError(f"prior table codewords: {tuple(self._codewords.shape)} does not fit the configuration")
        ends = np.cumsum(config.groups).tolist()
        self._latents = [slice(end - width, end) for end, width in zip(ends, config.groups, strict=True)]
        self._adaptors = [Layer(f"context.adaptors.{step}", state, device) for step in range(PASSES)]
        self._blocks = [Block(f"context.blocks.{i}", state, device) for i in range(config.context_blocks)]
        self._merge = Layer("context.merge", state, device).split(units(config))
        self._leave = Layer("context.leave", state, device).split(config.codes)
        if not len(self._merge) == len(self._leave) == len(config.groups):
            raise ModelError(f"prior: its layers do not have the {len(config.groups)} groups of the configuration")
        self._powers = state["powers"].to(device, torch.int64)  # [LIMIT + 1]
        low, high = int(self._powers.min()), int(self._powers.max())
        if low < 0 or high > 1 << POWER_BITS or int(self._powers[0]) < 1:
            raise ModelError(f"prior table powers: its entries must be 0 to 2^{POWER_BITS}, the first at least 1")

    @property
    def tables(self) -> Tables:
        """The frequency tables that the ids of hyper-latents point into."""
        return self.index.tables

    def encode(
        self, choose: Choose, z: Int32, height: int, width: int, level: int, put: Put, put_rows: PutRows
    ) -> Int32:
        """Write z, then two passes of indices, chosen on the way; returns the indices [G, h, w].

        Args:
            choose: maps (group, positions [n], frequencies [n, K]) to the indices [n], 0..K-1, to code there.
            z: hyper-latents [Z, h/4, w/4].
            height: h, of the latents.
            width: w, of the latents.
            level: quality level, 0..63.
            put: takes (residuals [N], table ids [N]) of hyper-latents in coding order.
            put_rows: takes (indices [N], frequencies [N, K]) in coding order.
        """
        self.hyper.write(z, level, put)

        def write(group: int, at: Positions, rows: Int32) -> Int32:
            own = choose(group, at, rows)  # [n]
            put_rows(own, rows)
            return own

        return self._walk(z, height, width, level, write)

    def decode(self, get: Get, get_rows: GetRows, height: int, width: int, level: int) -> Int32:
        """Mirror of `encode`: the indices [G, height, width].

        Args:
            get: maps table ids [N] to residuals [N] of hyper-latents.
            get_rows: maps frequencies [N, K] to indices [N].
            height: of the latents.
            width: of the latents.
            level: quality level, 0..63.
        """
        z = self.hyper.read(height, width, level, get)
        return self._walk(z, height, width, level, lambda group, at, rows: get_rows(rows))

    def _walk(self, z: Int32, height: int, width: int, level: int, code: Choose) -> Int32:
        """Indices [G, height, width] as `code` gives them: pass after pass, in each group after group."""
        with exact_arithmetic(self.device):
            features = self.hyper.features(z, level, height, width)
            steps = coding_pass(height, width).ravel()
            indices = np.zeros((len(self._latents), height * width), dtype=np.int32)
            known = features.new_zeros(self.config.latents, height * width)  # [M, h w]
            for step in range(PASSES):
                own = np.flatnonzero(steps == step)  # [N]
                hidden = self._hidden(step, known, features, height, width)  # [W, h w]
                for start in range(0, len(own), ROWS):
                    at = own[start : start + ROWS]  # [n]
                    x = torch.cat([hidden[:, at], known[:, at]]).float()  # [W + M, n] small integers
                    inputs = x[len(hidden) :]  # [M, n]
                    for group, latents in enumerate(self._latents):
                        chosen = code(group, at, frequencies(self._logits(x, group), self._powers))  # [n]
                        indices[group, at] = chosen
                        inputs[latents] = self._codewords[latents][:, torch.from_numpy(chosen).to(self.device)]
                    known[:, at] = inputs.int()
            return indices.reshape(-1, height, width)

    def _hidden(self, step: int, known: Tensor, features: Tensor, height: int, width: int) -> Tensor:
        """What a pass knows of all positions' surroundings: activations [W, h w]."""
        adaptor = self._adaptors[step]
        x = adaptor.activate(adaptor.pointwise(torch.cat([known, features])))  # [W, h w]
        for block in self._blocks:
            x = block(x, height, width)
        return x

    def _logits(self, x: Tensor, group: int) -> Tensor:
        """Hidden activations and the symbol inputs of the groups before [W + M, n] -> int32 [K, n]."""
        x = self._merge[group].activate(self._merge[group].pointwise(x))  # [U, n]
        return self._leave[group].rescale(self._leave[group].pointwise(x), LOGIT_BITS)

    def fingerprint(self) -> str:
        """SHA-256 over the frequencies of a fixed input: the known answer that every machine must reproduce."""
        z = fixed_integers(self.hyper.shape(8, 12), 7)
        indices = np.abs(fixed_integers((len(self._latents), 96), self.config.codes - 1))  # [G, 8 x 12]
        digest = hashlib.sha256()

        def put(symbols: Int32, context: Int32) -> None:
            digest.update(symbols.astype("<i4").tobytes() + context.astype("<i4").tobytes())

        for level in (0, LEVELS // 2, LEVELS - 1):
            self.encode(lambda group, at, rows: indices[group, at], z, 8, 12, level, put, put)
        return digest.hexdigest()

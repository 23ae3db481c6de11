"""The prior of categorical indices in exact integers: what lies between the bytes of a file and its index tensor.

A position has an index 0..K-1 from each of G quantizer stages, of which a file holds the first few. Hyper-latents come
first (hyper.py), then the positions of even row + column, then the others (the checkerboard of He et al., CVPR 2021);
in each pass stage after stage, all positions at once. A stage knows the features, the stages before it at its own
position and, in the second pass, the indices around it:

      indices of pass 0 ── known ─┐
      features ───────────────────┴─► adaptor_pass ── blocks ──► hidden ─┐
      earlier indices of the position ── stages ─────────────────────────┴─► merge ── leave_s ──► logits of stage s

A logit is in units of 1/16 of log2 probability; a shipped table of powers makes integer frequencies of logits. The
layers stand in layers.py, the float twin for training in categorical_network.py.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..arithmetic import exact_arithmetic
from ..coder import PRECISION, Int32, Tables
from ..config import ModelConfig
from ..errors import FormatError, ModelError
from .hyper import IntegerHyper, Symbols, fixed_integers
from .layers import EXACT, Block, Layer
from .numbers import ACTIVATION_BITS, ACTIVATION_MAX, LEVELS, WEIGHT_MAX
from .points import Get, Put
from .tables import TableIndex

PASSES = 2
LOGIT_BITS = 4  # units of 2^-4 in log2 probability
POWER_BITS = 20  # the table of powers starts at 2^20
ROWS = 4096  # positions whose frequencies are in memory at once

PutRows = Callable[[Int32, Int32], None]  # indices [n], frequencies [n, K]: append them to the stream
GetRows = Callable[[Int32], Int32]  # frequencies [n, K] -> the next indices [n] of the stream


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
    weights = powers[below]  # [K, N] int64
    tables = 1 + weights * ((1 << PRECISION) - codes) // weights.sum(0)  # [K, N], products below 2^44
    rows: Int32 = np.ascontiguousarray(tables.T.cpu().numpy(), dtype=np.int32)  # [N, K]
    largest = rows.argmax(1)  # [N] the first of equals
    rows[np.arange(len(rows)), largest] += (1 << PRECISION) - rows.sum(1, dtype=np.int32)
    return rows


class Embedding:
    """Columns of an int8 table, one for every stage and index, added up: IntegerEmbedding in integers."""

    def __init__(self, name: str, state: dict[str, Tensor], stages: int, codes: int, device: torch.device) -> None:
        weight, bias, exponent = (state[f"{name}.{part}"] for part in ("weight", "bias", "exponent"))
        if weight.shape[1] != stages * codes:
            raise ModelError(f"prior layer {name}: {weight.shape[1]} columns are not {stages} stages of {codes} codes")
        largest = stages * (WEIGHT_MAX << ACTIVATION_BITS) + int(bias.long().abs().max()) + (1 << 20)
        if largest >= EXACT or bool((weight.long().abs() > WEIGHT_MAX).any()):
            raise ModelError(f"prior layer {name}: sums of its weights can exceed 2^24 and would not be exact")
        self._codes = codes
        self._weight = weight.to(device)  # [W, G K] int8
        self._bias = bias.to(device, torch.int32).view(-1, len(weight), 1)  # [rows, W, 1]
        self._exponent = exponent.to(device, torch.int32)[:, None]  # [W, 1]

    def __call__(self, indices: Tensor, row: int = 0) -> Tensor:
        """Indices [g, N] of the first g stages -> activations int32 [W, N], with the bias of that row."""
        sums = self._bias[row].repeat(1, indices.shape[1])  # [W, N]
        for stage, index in enumerate(indices):
            sums += self._weight[:, stage * self._codes + index].to(torch.int32) << ACTIVATION_BITS
        return ((sums + (1 << (self._exponent - 1))) >> self._exponent).clamp(0, ACTIVATION_MAX)


class IntegerCategorical:
    """Tells, index by index, the frequencies that code it; identical on every machine.

    Args:
        config: of the model.
        stages: G, quantizer stages of the model.
        codes: K, indices of a stage, at least 2.
        state: the model's tensors named `prior.*`, without that prefix.
        device: where the sums are computed.

    Raises:
        ModelError: a tensor could give sums that are not exact, or is not for G stages of K codes.
    """

    def __init__(
        self, config: ModelConfig, stages: int, codes: int, state: dict[str, Tensor], device: torch.device
    ) -> None:
        self.config, self.stages, self.codes, self.device = config, stages, codes, device
        self.index = TableIndex.from_state(state)
        self.hyper = IntegerHyper(config, state, self.index, Symbols(state, 1, device), device)
        self._known = Embedding("embedding.known", state, stages, codes, device)
        self._earlier = Embedding("embedding.stages", state, stages, codes, device)
        self._adaptors = [Layer(f"context.adaptors.{step}", state, device) for step in range(PASSES)]
        self._blocks = [Block(f"context.blocks.{i}", state, device) for i in range(config.context_blocks)]
        self._merge = Layer("context.merge", state, device)
        self._leave = [Layer(f"context.leave.{stage}", state, device) for stage in range(stages)]
        self._powers = state["powers"].to(device, torch.int64)  # [LIMIT + 1]
        low, high = int(self._powers.min()), int(self._powers.max())
        if low < 0 or high > 1 << POWER_BITS or int(self._powers[0]) < 1:
            raise ModelError(f"prior table powers: its entries must be 0 to 2^{POWER_BITS}, the first at least 1")

    @property
    def tables(self) -> Tables:
        """The frequency tables that the ids of hyper-latents point into."""
        return self.index.tables

    def encode(self, indices: Int32, z: Int32, level: int, put: Put, put_rows: PutRows) -> None:
        """Write z, then two passes of indices.

        Args:
            indices: of the first g stages [g, h, w], 0..K-1.
            z: hyper-latents [Z, h/4, w/4].
            level: quality level, 0..63.
            put: takes (residuals [N], table ids [N]) of hyper-latents in coding order.
            put_rows: takes (indices [N], frequencies [N, K]) in coding order.
        """
        used, height, width = indices.shape
        flat = indices.reshape(used, -1)  # [g, h w]
        self.hyper.write(z, level, put)

        def write(stage: int, at: NDArray[np.int64], rows: Int32) -> Int32:
            own: Int32 = flat[stage, at]  # [n]
            put_rows(own, rows)
            return own

        self._walk(z, used, height, width, level, write)

    def decode(self, get: Get, get_rows: GetRows, used: int, height: int, width: int, level: int) -> Int32:
        """Mirror of `encode`: the indices [used, height, width] of the first `used` stages.

        Args:
            get: maps table ids [N] to residuals [N] of hyper-latents.
            get_rows: maps frequencies [N, K] to indices [N].
            used: stages that were coded.
            height: of the latents.
            width: of the latents.
            level: quality level, 0..63.

        Raises:
            FormatError: the model does not have that many stages.
        """
        if not 1 <= used <= self.stages:
            raise FormatError(f"{used} quantizer stages; the model has {self.stages}")
        z = self.hyper.read(height, width, level, get)
        return self._walk(z, used, height, width, level, lambda stage, at, rows: get_rows(rows))

    def _walk(
        self,
        z: Int32,
        used: int,
        height: int,
        width: int,
        level: int,
        code: Callable[[int, NDArray[np.int64], Int32], Int32],
    ) -> Int32:
        """Indices [used, height, width]; `code` maps (stage, positions [n], frequencies [n, K]) to indices [n]."""
        with exact_arithmetic(self.device):
            features = self.hyper.features(z, level, height, width)
            steps = coding_pass(height, width).ravel()
            indices = np.zeros((used, height * width), dtype=np.int32)
            known = features.new_zeros(self.config.context_width, height * width)  # [W, h w]
            for step in range(PASSES):
                own = np.flatnonzero(steps == step)  # [N]
                hidden = self._hidden(step, known, features, height, width)  # [W, h w]
                for stage in range(used):
                    for start in range(0, len(own), ROWS):
                        at = own[start : start + ROWS]  # [n]
                        logits = self._logits(hidden[:, at], self._to_device(indices[:stage, at]), stage)
                        indices[stage, at] = code(stage, at, frequencies(logits, self._powers))
                known[:, own] = self._known(self._to_device(indices[:, own]))
            return indices.reshape(used, height, width)

    def _hidden(self, step: int, known: Tensor, features: Tensor, height: int, width: int) -> Tensor:
        """What a pass knows of all positions' surroundings: activations [W, h w]."""
        adaptor = self._adaptors[step]
        x = adaptor.activate(adaptor.pointwise(torch.cat([known, features])))  # [W, h w]
        for block in self._blocks:
            x = block(x, height, width)
        return x

    def _logits(self, hidden: Tensor, earlier: Tensor, stage: int) -> Tensor:
        """Hidden [W, n] and the indices of the stages before [stage, n] -> int32 [K, n]."""
        x = torch.cat([hidden, self._earlier(earlier, stage)])  # [2 W, n]
        x = self._merge.activate(self._merge.pointwise(x))  # [W, n]
        return self._leave[stage].rescale(self._leave[stage].pointwise(x), LOGIT_BITS)

    def _to_device(self, indices: Int32) -> Tensor:
        return torch.from_numpy(indices).to(self.device)

    def fingerprint(self) -> str:
        """SHA-256 over the frequencies of a fixed input: the known answer that every machine must reproduce."""
        z = fixed_integers(self.hyper.shape(8, 12), 7)
        indices = np.abs(fixed_integers((self.stages, 8, 12), self.codes - 1))
        digest = hashlib.sha256()

        def put(symbols: Int32, context: Int32) -> None:
            digest.update(symbols.astype("<i4").tobytes() + context.astype("<i4").tobytes())

        for level in (0, LEVELS // 2, LEVELS - 1):
            self.encode(indices, z, level, put, put)
        return digest.hexdigest()

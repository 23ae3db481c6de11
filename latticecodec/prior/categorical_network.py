"""The prior of categorical indices in floating point, for training, with fake quantization; see categorical.py.

All stages and both passes are computed in parallel from the true indices (teacher forcing). As in network.py, what is
trained is what will be coded with, up to halves that float32 rounds the other way.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..arithmetic import straight_through
from ..coder import PRECISION
from ..config import ModelConfig
from .categorical import LOGIT_BITS, PASSES, coding_pass
from .network import HyperPrior, IntegerBlock, IntegerLayer, activate, round_through


class IntegerEmbedding(IntegerLayer):
    """A 1x1 convolution of one-hot indices: weight [W, G K], column j K + i is index i of stage j.

    Args:
        stages: G.
        codes: K.
        outputs: W.
        biases: shape of the sets of biases; one set is ().
    """

    def __init__(self, stages: int, codes: int, outputs: int, biases: tuple[int, ...] = ()) -> None:
        super().__init__(stages * codes, outputs, scale=codes**0.5)  # one input in `codes` is not zero
        self.bias = nn.Parameter(torch.zeros(*biases, outputs))
        self.codes = codes

    def forward(self, indices: Tensor) -> Tensor:
        """Indices int64 [B, G, h, w] -> the columns [B, G, W, h, w], neither added up nor biased."""
        first = torch.arange(indices.shape[1], device=indices.device) * self.codes  # [G]
        columns = F.embedding(indices + first[:, None, None], self.rounded_weight().T)  # [B, G, h, w, W]
        return columns.movedim(-1, 2)


class Embeddings(nn.Module):
    """Indices as activations: those of all coded stages, and those of the stages before each one."""

    def __init__(self, config: ModelConfig, stages: int, codes: int) -> None:
        super().__init__()
        self.known = IntegerEmbedding(stages, codes, config.context_width)
        self.stages = IntegerEmbedding(stages, codes, config.context_width, biases=(stages,))

    def forward(self, indices: Tensor, coded: Tensor) -> tuple[Tensor, Tensor]:
        """Indices int64 [B, G, h, w], coded bool [B, G] -> known [B, W, h, w], earlier [B, G, W, h, w]."""
        columns = self.known(indices) * coded[:, :, None, None, None]  # [B, G, W, h, w]
        known = activate(columns.sum(1) + self.known.bias[:, None, None])  # [B, W, h, w]
        columns = self.stages(indices)  # [B, G, W, h, w]
        earlier = activate(columns.cumsum(1) - columns + self.stages.bias[:, :, None, None])  # [B, G, W, h, w]
        return known, earlier


class StageContext(nn.Module):
    """Features and embeddings -> the activations from which `leave[s]` makes the logits of stage s."""

    def __init__(self, config: ModelConfig, stages: int, codes: int) -> None:
        super().__init__()
        width = config.context_width
        self.adaptors = nn.ModuleList(IntegerLayer(width + config.features, width) for _ in range(PASSES))
        self.blocks = nn.Sequential(*(IntegerBlock(width) for _ in range(config.context_blocks)))
        self.merge = IntegerLayer(2 * width, width)
        self.leave = nn.ModuleList(IntegerLayer(width, codes, scale=0.1) for _ in range(stages))

    def forward(self, known: Tensor, earlier: Tensor, features: Tensor) -> Tensor:
        """Activations known [B, W, h, w], earlier [B, G, W, h, w], features [B, F, h, w] -> [B, G, W, h, w]."""
        steps = torch.from_numpy(coding_pass(*known.shape[2:])).to(known.device)  # [h, w]
        views = [
            activate(adaptor(torch.cat([known * (steps < step), features], dim=1)))
            for step, adaptor in enumerate(self.adaptors)
        ]
        first, second = self.blocks(torch.cat(views)).chunk(PASSES)  # [B, W, h, w] each
        hidden = torch.where(steps == 0, first, second)[:, None].expand_as(earlier)  # [B, G, W, h, w]
        merged = self.merge(torch.cat([hidden, earlier], dim=2).flatten(0, 1))  # [B G, W, h, w]
        return activate(merged).reshape(earlier.shape)


class CategoricalPrior(HyperPrior):
    """Everything that predicts indices: the prior of z, the hyper-decoder, the context network.

    Args:
        config: of the model.
        stages: G, quantizer stages.
        codes: K, indices of a stage.
    """

    def __init__(self, config: ModelConfig, stages: int, codes: int) -> None:
        super().__init__(config)
        self.embedding = Embeddings(config, stages, codes)
        self.context = StageContext(config, stages, codes)

    def bits(self, indices: Tensor, used: Tensor, features: Tensor) -> Tensor:
        """Bits of every sample: `stage_bits` summed over stages, float32 [B]."""
        return self.stage_bits(indices, used, features).sum(1)

    def stage_bits(self, indices: Tensor, used: Tensor, features: Tensor) -> Tensor:
        """Bits of every stage of every sample, summed over positions: float32 [B, G].

        Args:
            indices: int64 [B, G, h, w], 0..K-1, also in stages that are not used.
            used: int64 [B], how many of a sample's stages are coded; the others have 0 bits and nothing sees them.
            features: [B, F, h, w] from `hyper`.
        """
        coded = torch.arange(indices.shape[1], device=used.device) < used[:, None]  # [B, G]
        known, earlier = self.embedding(indices, coded)  # [B, W, h, w], [B, G, W, h, w]
        hidden = self.context(known, earlier, features)  # [B, G, W, h, w]
        bits = torch.zeros(indices.shape[:2], device=indices.device)
        for stage, leave in enumerate(self.context.leave):
            own = coded[:, stage].nonzero()[:, 0]  # [b]
            logits = leave(hidden[own, stage])  # [b, K, h, w]
            bits[own, stage] = index_bits(logits, indices[own, stage]).sum((1, 2))
        return bits


def index_bits(logits: Tensor, indices: Tensor) -> Tensor:
    """Bits [B, h, w] of indices int64 [B, h, w] under logits [B, K, h, w], in log2 units.

    The value includes that no frequency is below 1 in 2^24, the gradient is that of the cross-entropy.
    """
    on_grid = round_through(logits.float() * 2**LOGIT_BITS) / 2**LOGIT_BITS
    plain = F.cross_entropy(on_grid * math.log(2), indices, reduction="none") / math.log(2)  # [B, h, w]
    share = 1 - logits.shape[1] / 2**PRECISION  # of probability, beside the least frequencies
    return straight_through(-torch.log2(share * torch.exp2(-plain) + 2.0**-PRECISION), plain)

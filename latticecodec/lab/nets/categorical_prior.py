"""The prior of categorical indices in floating point, for training, with fake quantization; see categorical.py.

All groups and both passes are computed in parallel from the true indices (teacher forcing). As in prior.py, what is
trained is what will be coded with, up to halves that float32 rounds the other way.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...config import ModelConfig
from ...entropy.categorical import LOGIT_BITS, PASSES, coding_pass, units
from ...entropy.coder import PRECISION
from ..arithmetic import straight_through
from .prior import HyperPrior, IntegerBlock, IntegerLayer, activate, symbol_inputs


class MaskedLayer(IntegerLayer):
    """An IntegerLayer whose units see no more inputs than a mask [out, in] lets them (MADE, Germain et al. 2015)."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__(mask.shape[1], len(mask))
        self.register_buffer("mask", mask, persistent=False)

    def seen_weight(self) -> Tensor:
        """See IntegerLayer."""
        return self.weight * self.mask


class GroupContext(nn.Module):
    """Features and codewords -> the logits of every group's index, each from what is known when it is coded."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, latents, groups = config.context_width, config.latents, len(config.groups)
        self.groups, self.codes, self.units = groups, config.codes, units(config)
        self.adaptors = nn.ModuleList(IntegerLayer(latents + config.features, width) for _ in range(PASSES))
        self.blocks = nn.Sequential(*(IntegerBlock(width) for _ in range(config.context_blocks)))
        own = torch.arange(groups).repeat_interleave(self.units)[:, None]  # [G U, 1] the group of a unit
        group_of = torch.arange(groups).repeat_interleave(
            torch.tensor(config.groups), output_size=latents
        )  # [M] the group of a latent
        seen = torch.cat([torch.ones(len(own), width), (group_of < own).float()], 1)  # [G U, W + M]
        self.merge = MaskedLayer(seen)
        self.leave = IntegerLayer(self.units, groups * config.codes, scale=0.1)

    def forward(self, known: Tensor, features: Tensor) -> Tensor:
        """Symbol inputs known [B, M, h, w], features [B, F, h, w] -> logits [G, B h w, K]."""
        steps = torch.from_numpy(coding_pass(*known.shape[2:])).to(known.device)  # [h, w]
        views = [
            activate(adaptor(torch.cat([known * (steps < step), features], dim=1)))
            for step, adaptor in enumerate(self.adaptors)
        ]
        first, second = self.blocks(torch.cat(views)).chunk(PASSES)  # [B, W, h, w] each
        hidden = torch.where(steps == 0, first, second)  # [B, W, h, w]
        merged = activate(self.merge(torch.cat([hidden, known], dim=1)))  # [B, G U, h, w]
        rows = merged.permute(1, 0, 2, 3).reshape(self.groups, self.units, -1)  # [G, U, N]
        weight = self.leave.rounded_weight().view(self.groups, self.codes, self.units)  # [G, K, U]
        bias = self.leave.bias.view(self.groups, 1, self.codes)  # [G, 1, K]
        return torch.baddbmm(bias, rows.transpose(1, 2), weight.transpose(1, 2))  # [G, N, K]


class CategoricalPrior(HyperPrior):
    """Everything that predicts indices: the prior of z, the hyper-decoder, the context network."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.context = GroupContext(config)

    def logits(self, values: Tensor, features: Tensor) -> Tensor:
        """Logits of all indices in natural units, on their grid of 1/16 of log2.

        Args:
            values: codewords in units of the basis [B, M, h, w]; a group sees those of the groups before it, and of
                the positions of an earlier pass.
            features: [B, F, h, w] from `hyper`.

        Returns:
            [G, B h w, K], positions in C order.
        """
        return _OnGrid.apply(self.context(symbol_inputs(values).to(features.dtype), features).float())  # type: ignore[no-any-return]


class _OnGrid(torch.autograd.Function):
    """Logits in log2 units to natural ones, rounded to their grid on the way; the gradient passes the rounding.

    One function, for the logits are by far the largest tensors of a step.
    """

    @staticmethod
    def forward(ctx, logits: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        return logits.mul(2**LOGIT_BITS).round_().mul_(math.log(2) / 2**LOGIT_BITS)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        return gradient * math.log(2)


def index_bits(logits: Tensor, indices: Tensor) -> Tensor:
    """Bits [G, N] of indices int64 [G, N] under logits [G, N, K] from `CategoricalPrior.logits`.

    The value includes that no frequency is below 1 in 2^24, the gradient is that of the cross-entropy.
    """
    codes = logits.shape[2]
    nats = F.cross_entropy(logits.reshape(-1, codes), indices.reshape(-1), reduction="none")
    plain = nats.view(indices.shape) / math.log(2)  # [G, N]
    share = 1 - codes / 2**PRECISION  # of probability, beside the least frequencies
    return straight_through(-torch.log2(share * torch.exp2(-plain) + 2.0**-PRECISION), plain)


def all_bits(logits: Tensor, weight: float = 1.0) -> Tensor:
    """Bits [G, N, K] of every index that could be chosen, times `weight`."""
    return F.log_softmax(logits, dim=-1).mul_(-weight / math.log(2))

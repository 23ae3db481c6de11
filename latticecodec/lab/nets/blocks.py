"""The one residual block that analysis, synthesis and hyper-analysis are built of.

      x ──┬── 1x1 ── SiLU ── 3x3 grouped ── 1x1 ──(+)──┬── 1x1 (x2) ── SiLU ── 1x1 ──(+)──►
          └────────────────────────────────────────┘└────────────────────────────┘

No normalisation, and branches that start at a tenth of their usual size, so that a stack of blocks starts as the
identity and a network initialised with a linear transform starts as that transform. Shape in the manner of
DCVC-RT (Jia et al., CVPR 2025), with grouped instead of depthwise 3x3 convolutions.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import ModelError
from ..arithmetic import convolve

BRANCH_SCALE = 0.1  # of the last layer of a branch, at the start of training


class Pointwise(nn.Module):
    """1x1 convolution whose weight is a matrix [out, in], as the optimiser's preconditioner wants it."""

    def __init__(self, inputs: int, outputs: int, scale: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * scale * inputs**-0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return convolve(x, self.weight[:, :, None, None], self.bias)  # [B, out, h, w]


class Grouped(nn.Module):
    """3x3 convolution in groups of `group` channels (1 = depthwise), zero padding; weight [out, group * 9].

    With `dense` it is computed as one without groups, whose weight is zero between them: more products, but some
    accelerators are faster at it.
    """

    def __init__(self, channels: int, group: int) -> None:
        super().__init__()
        if channels % group:
            raise ModelError(f"config field group is {group}; it must divide a layer's {channels} channels")
        self.groups = channels // group
        self.dense = False
        self.weight = nn.Parameter(torch.randn(channels, group * 9) * (group * 9) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        channels = len(self.weight)
        if not self.dense:
            kernel = self.weight.view(channels, -1, 3, 3)  # [C, group, 3, 3]
            return convolve(x, kernel, self.bias, padding=1, groups=self.groups)  # [B, C, h, w]
        own = torch.eye(self.groups, device=x.device)[:, None, :, None, None]
        kernel = self.weight.view(self.groups, channels // self.groups, 1, -1, 9) * own  # [G, group, G, group, 9]
        return convolve(x, kernel.view(channels, channels, 3, 3), self.bias, padding=1)  # [B, C, h, w]


class Block(nn.Module):
    """Spatial branch, then channel branch, each added to its input; [B, C, h, w] -> [B, C, h, w]."""

    def __init__(self, channels: int, group: int) -> None:
        super().__init__()
        self.inner = Pointwise(channels, channels)
        self.spatial = Grouped(channels, group)
        self.outer = Pointwise(channels, channels, BRANCH_SCALE)
        self.expand = Pointwise(channels, 2 * channels)
        self.reduce = Pointwise(2 * channels, channels, BRANCH_SCALE)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.outer(self.spatial(F.silu(self.inner(x))))  # [B, C, h, w]
        out: Tensor = x + self.reduce(F.silu(self.expand(x)))  # [B, C, h, w]
        return out

"""Analysis and synthesis transforms: pixels to latents at 1/16 and back.

             3, H, W                  128, H/8, W/8          256, H/16, W/16
      x ─┬► unshuffle 8, 1x1 ──► blocks ──► unshuffle 2, 1x1 ──► blocks ──► 1x1 ─(+)─► y   [B, M, H/16, W/16]
         └► unshuffle 16, 1x1 ───────────────────────────────────────────────┘
      x ◄(+)─ 1x1, shuffle 8 ◄── gain ◄── blocks ◄── 1x1, shuffle 2 ◄── blocks ◄── 1x1 ◄── gain ◄─┬─ y_hat
          └────────────────────────────────────────────────────────── 1x1, shuffle 16 ◄┘

Both work on one resolution after the first layer, as DCVC-RT does (Jia et al., CVPR 2025). They start as the PCA of
16x16 patches (`initialise_from_patches`), a two-stage block transform. Beside them runs a linear shortcut, zero at the
start, in the manner of AuxT (Li et al., ICLR 2025): fine detail that the deep path loses passes there. The gains are
per channel and depend on the rate coordinate t, so that the decoder knows how coarse the lattice was; analysis does not
depend on t, so that a search for a rate runs it once.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...config import PATCH, ModelConfig
from ..arithmetic import in_product_type
from .blocks import Block, Pointwise


class Gain(nn.Module):
    """Multiplies channel c by exp(a_c s + b_c s^2), s = 2t - 1; a and b start at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(channels))
        self.curve = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        s = (2 * t - 1)[:, None]  # [B, 1]
        gain = torch.exp(self.slope * s + self.curve * s * s)  # [B, C]
        out: Tensor = x * gain[:, :, None, None].to(x.dtype)  # [B, C, h, w]
        return out


class Analysis(nn.Module):
    """Pixels [B, 3, H, W] in [0, 1], H and W multiples of 16, -> latents y [B, M, H/16, W/16]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        at8, at16 = config.analysis_blocks
        self.enter = Pointwise(192, config.width8)
        self.blocks8 = nn.Sequential(*(Block(config.width8, config.group) for _ in range(at8)))
        self.down = Pointwise(4 * config.width8, config.width16)
        self.blocks16 = nn.Sequential(*(Block(config.width16, config.group) for _ in range(at16)))
        self.leave = Pointwise(config.width16, config.latents)
        self.shortcut = Pointwise(3 * PATCH**2, config.latents, scale=0.0)

    def forward(self, x: Tensor) -> Tensor:
        x = in_product_type(x - 0.5)  # before it is copied twice
        y: Tensor = self.leave(self._deep(x)) + self.shortcut(F.pixel_unshuffle(x, PATCH))
        return y  # [B, M, H/16, W/16]

    def features(self, x: Tensor) -> Tensor:
        """What the last layer of the deep path sees: [B, width16, H/16, W/16]."""
        return self._deep(x - 0.5)

    def _deep(self, x: Tensor) -> Tensor:
        x = F.pixel_unshuffle(x, 8)  # [B, 192, H/8, W/8]
        x = self.blocks8(self.enter(x))  # [B, width8, H/8, W/8]
        out: Tensor = self.blocks16(self.down(F.pixel_unshuffle(x, 2)))
        return out


class Synthesis(nn.Module):
    """Latents y_hat [B, M, h, w] and rate coordinates t [B] -> pixels [B, 3, 16 h, 16 w], not clamped."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        at16, at8 = config.synthesis_blocks
        self.gain16 = Gain(config.latents)
        self.enter = Pointwise(config.latents, config.width16)
        self.blocks16 = nn.Sequential(*(Block(config.width16, config.group) for _ in range(at16)))
        self.up = Pointwise(config.width16, 4 * config.width8)
        self.blocks8 = nn.Sequential(*(Block(config.width8, config.group) for _ in range(at8)))
        self.gain8 = Gain(config.width8)
        self.leave = Pointwise(config.width8, 192)
        self.shortcut = Pointwise(config.latents, 3 * PATCH**2, scale=0.0)

    def forward(self, y_hat: Tensor, t: Tensor) -> Tensor:
        x = self.blocks16(self.enter(self.gain16(y_hat, t)))  # [B, width16, h, w]
        x = self.blocks8(F.pixel_shuffle(self.up(x), 2))  # [B, width8, 2h, 2w]
        x = self.leave(self.gain8(x, t))  # [B, 192, 2h, 2w]
        x = F.pixel_shuffle(x, 8) + F.pixel_shuffle(self.shortcut(y_hat), PATCH)  # [B, 3, 16h, 16w]
        return x + 0.5


class HyperAnalysis(nn.Module):
    """Companded lattice coordinates [B, M, h, w], h and w multiples of 4, -> z [B, Z, h/4, w/4]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.hyper_width
        self.enter = Pointwise(config.latents, width)
        self.block16 = Block(width, config.group)
        self.down32 = Pointwise(4 * width, width)
        self.block32 = Block(width, config.group)
        self.down64 = Pointwise(4 * width, config.hyper_latents)

    def forward(self, u: Tensor) -> Tensor:
        x = self.block16(self.enter(u))  # [B, width, h, w]
        x = self.block32(self.down32(F.pixel_unshuffle(x, 2)))  # [B, width, h/2, w/2]
        z: Tensor = self.down64(F.pixel_unshuffle(x, 2))  # [B, Z, h/4, w/4]
        return z


def principal_axes(samples: Tensor, count: int) -> Tensor:
    """The first `count` principal axes (rows, orthonormal) of samples [N, D], about zero, not about their mean."""
    covariance = samples.T.double() @ samples.double() / len(samples)
    _, vectors = torch.linalg.eigh(covariance)  # ascending
    axes: Tensor = vectors.flip(1).T[:count].to(samples.dtype)  # [count, D]
    return axes


@torch.no_grad()
def initialise_from_patches(analysis: Analysis, synthesis: Synthesis, patches: Tensor) -> None:
    """Set both transforms to the PCA of 16x16 patches [N, 3, 16, 16] in [0, 1], in two stages.

    Stage 1 is the PCA of 8x8x3 blocks, stage 2 that of 2x2 groups of its components, stage 3 the identity; synthesis
    takes the transposes. With the residual branches small, the pair starts as a block transform codec.
    """
    blocks = F.pixel_unshuffle(patches - 0.5, 8)  # [N, 192, 2, 2]
    first = principal_axes(blocks.permute(0, 2, 3, 1).reshape(-1, 192), len(analysis.enter.weight))
    groups = F.pixel_unshuffle(F.conv2d(blocks, first[:, :, None, None]), 2)[:, :, 0, 0]  # [N, 4 width8]
    second = principal_axes(groups, len(analysis.down.weight))
    for layer, matrix in (
        (analysis.enter, first),
        (analysis.down, second),
        (analysis.leave, torch.eye(*analysis.leave.weight.shape)),
        (synthesis.enter, torch.eye(*synthesis.enter.weight.shape)),
        (synthesis.up, second.T),
        (synthesis.leave, first.T),
    ):
        layer.weight.copy_(matrix)
        layer.bias.zero_()

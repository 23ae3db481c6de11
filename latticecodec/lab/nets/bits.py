"""Bits of lattice coordinates under the prior's distribution, with their gradients, in one pass.

A coordinate x has the mass of the cell [x - 1/2, x + 1/2] under a Gaussian of the predicted mean and sigma, with a
share of a second one, three times as wide, for the tails. Some thirty elementwise steps lead there and as many back; a
pass for each would wait for memory. So they run a block at a time that stays in a core's cache, and the gradients,
which share most of their terms with the value, are computed beside it and kept for the way back.
"""

import math
from typing import Any

import torch
from torch import Tensor

from ...entropy.numbers import (
    LOG_SCALE_MIN,
    MEAN_BITS,
    MEAN_MAX,
    SCALE_BITS,
    SCALE_COUNT,
    TAIL_FROM,
    TAIL_RATIO,
    TAIL_SHARE,
    TAIL_SHARE_NARROW,
)

BLOCK = 1 << 15  # values at a time on a processor: a dozen blocks of float32 fit in 2 MiB
FLOOR = 1e-6  # mass beside the Gaussians', so that far outliers keep a finite rate and a gradient


def coordinate_bits(x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Bits of coordinates x (integers, or with uniform noise) given asinh-mean and log-scale, all of x's shape.

    Mean and scale are rounded to their grids with straight-through gradients; a scale beyond its range gets only
    gradients that lead back inside. `mean` and `scale` may be of a shape that expands to x's. Differentiable once.
    """
    on_grid = _ScaleOnGrid.apply(scale.float())
    parts = [part.expand_as(x).float().contiguous() for part in (x, mean, on_grid)]
    bits: Tensor = _Bits.apply(*parts)
    return bits


class _ScaleOnGrid(torch.autograd.Function):
    """Log-scale rounded and clamped to its grid; the gradient passes, but where it would lead out of the range."""

    @staticmethod
    def forward(ctx: Any, scale: Tensor) -> Tensor:
        ctx.save_for_backward(scale)
        index = scale.sub(LOG_SCALE_MIN).mul_(2**SCALE_BITS).round_().clamp_(0, SCALE_COUNT - 1)
        return index.div_(2**SCALE_BITS).add_(LOG_SCALE_MIN)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (scale,) = ctx.saved_tensors
        index = scale.sub(LOG_SCALE_MIN).mul_(2**SCALE_BITS).round_()
        above = index.sub(SCALE_COUNT - 1).clamp_(0, 1)  # 1 beyond the range
        below = index.neg_().clamp_(0, 1)
        outward = below.mul_(gradient.clamp(min=0)).add_(above.mul_(gradient.clamp(max=0)))
        inward: Tensor = gradient - outward
        return inward


class _Bits(torch.autograd.Function):
    """The work of `coordinate_bits` on contiguous float32 tensors of one shape, the scale on its grid."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
        bits = torch.empty_like(x)
        slopes = [torch.empty_like(x) if wanted else None for wanted in ctx.needs_input_grad]
        step = BLOCK if x.device.type == "cpu" else x.numel()
        for start in range(0, x.numel(), step):
            at = slice(start, start + step)
            parts = (x.view(-1)[at], mean.view(-1)[at], scale.view(-1)[at])
            found = bits_and_slopes(*parts, any(ctx.needs_input_grad))
            for whole, part in zip((bits, *slopes), found, strict=False):
                if whole is not None:
                    whole.view(-1)[at] = part
        ctx.save_for_backward(*slopes)
        return bits

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return tuple(None if slope is None else slope * gradient for slope in ctx.saved_tensors)


def bits_and_slopes(x: Tensor, mean: Tensor, scale: Tensor, with_slopes: bool) -> list[Tensor]:
    """Bits of x [N], and their derivatives by x, mean and scale where asked for."""
    on_grid = mean.mul(2**MEAN_BITS).round_()
    share = (scale >= TAIL_FROM).to(x.dtype).mul_(TAIL_SHARE - TAIL_SHARE_NARROW).add_(TAIL_SHARE_NARROW)
    sigma = scale.exp()
    up = on_grid.clamp(-MEAN_MAX, MEAN_MAX).div_(2**MEAN_BITS).exp_()
    down = up.reciprocal()
    offset = x - (up - down).mul_(0.5)  # from the mean, lattice steps
    distance = offset.abs()
    narrow = _cell(distance, sigma, with_slopes)
    wide = _cell(distance, sigma * TAIL_RATIO, with_slopes)
    floor = (distance / sigma).square_().add_(1).reciprocal_().mul_(FLOOR)
    mass = torch.lerp(narrow[0], wide[0], share).add_(floor)
    bits = mass.log2().neg_()
    if not with_slopes:
        return [bits]
    of_floor = floor.square().mul_(2 / FLOOR).div_(sigma.square())  # 2 FLOOR / (sigma (1 + (d / sigma)^2))^2
    unit = mass.mul_(-math.log(2)).reciprocal_()  # d bits / d mass
    by_distance = torch.lerp(narrow[1], wide[1], share).addcmul_(of_floor, distance, value=-1).mul_(unit)
    by_scale = torch.lerp(narrow[2], wide[2], share).addcmul_(of_floor, distance.square_()).mul_(unit)
    by_x = by_distance.mul_(offset.sign_())
    inside = (on_grid.abs_() <= MEAN_MAX).to(x.dtype)
    by_mean = up.add_(down).mul_(-0.5).mul_(inside).mul_(by_x)
    return [bits, by_x, by_mean, by_scale]


def _cell(distance: Tensor, sigma: Tensor, with_slopes: bool) -> list[Tensor]:
    """Mass of a zero-mean Gaussian on [distance - 1/2, distance + 1/2], its derivatives by distance and log sigma."""
    root = sigma.mul(math.sqrt(2)).reciprocal_()
    left, right = (distance - 0.5).mul_(root), (distance + 0.5).mul_(root)
    mass = torch.erfc(left).sub_(torch.erfc(right)).mul_(0.5)
    if not with_slopes:
        return [mass]
    at_left, at_right = left.square().neg_().exp_(), right.square().neg_().exp_()
    by_distance = (at_right - at_left).mul_(root).mul_(math.pi**-0.5)
    by_scale = left.mul_(at_left).sub_(right.mul_(at_right)).mul_(math.pi**-0.5)
    return [mass, by_distance, by_scale]

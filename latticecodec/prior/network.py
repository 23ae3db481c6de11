"""The prior in floating point, for training: hyper-decoder and 4-step context network, with fake quantization.

      z ──► 1x1 ── shuffle 2 ── block ── 1x1 ── shuffle 2 ──► features                       [B, F, h, w]
      features + symbols known before step s ──► adaptor_s ── blocks ── 1x1 ──► mean, scale  of step s's symbols

Weights, activations and outputs are rounded to the grids of the integer network (integer.py) from the first
step of training on, with straight-through gradients: what is trained is what will be coded with.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..arithmetic import convolve, straight_through
from ..config import CONTEXT_STEPS, ModelConfig
from .numbers import (
    ACTIVATION_BITS,
    ACTIVATION_MAX,
    EXPONENT_MAX,
    EXPONENT_MIN,
    KNOTS,
    LOG_SCALE_MIN,
    MEAN_BITS,
    MEAN_MAX,
    SCALE_BITS,
    SCALE_COUNT,
    TAIL_FROM,
    TAIL_RATIO,
    TAIL_SHARE,
    TAIL_SHARE_NARROW,
    WEIGHT_MAX,
)
from .steps import context_steps

UNIT = 2**ACTIVATION_BITS


def round_through(x: Tensor) -> Tensor:
    """Round to the nearest integer; the gradient passes unchanged."""
    return straight_through(x.round(), x)


def compand(k: Tensor) -> Tensor:
    """Lattice coordinates to the range of a symbol input: asinh(k) / 2."""
    companded: Tensor = torch.asinh(k) / 2
    return companded


def symbol_inputs(k: Tensor) -> Tensor:
    """Companded lattice coordinates on the grid of symbol inputs: -127/32 .. 127/32."""
    inside = compand(k.float()).clamp(-WEIGHT_MAX / UNIT, WEIGHT_MAX / UNIT)
    on_grid: Tensor = round_through(inside * UNIT) / UNIT
    return on_grid


def weight_exponents(weight: Tensor) -> Tensor:
    """Exponents e [out]: the finest unit 2^-e in which every weight of an output channel fits in 8 signed bits."""
    largest = weight.detach().abs().amax(dim=1).clamp_min(1e-12)
    return torch.floor(torch.log2(WEIGHT_MAX / largest)).clamp(EXPONENT_MIN, EXPONENT_MAX)


class IntegerLayer(nn.Module):
    """A layer that export turns into integers: 1x1 convolution, or depthwise 3x3 when `depthwise`."""

    def __init__(self, inputs: int, outputs: int, depthwise: bool = False, scale: float = 1.0) -> None:
        super().__init__()
        fan_in = 9 if depthwise else inputs
        self.depthwise = depthwise
        self.weight = nn.Parameter(torch.randn(outputs, fan_in) * scale * fan_in**-0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def seen_weight(self) -> Tensor:
        """The weight that counts [out, in]."""
        return self.weight

    def rounded_weight(self) -> Tensor:
        """The weight on the grid of its int8 values [out, in]."""
        weight = self.seen_weight()
        unit = torch.exp2(weight_exponents(weight))[:, None]
        return round_through((weight * unit).clamp(-WEIGHT_MAX, WEIGHT_MAX)) / unit

    def forward(self, x: Tensor) -> Tensor:
        weight = self.rounded_weight()
        if self.depthwise:
            return convolve(x, weight.view(-1, 1, 3, 3), self.bias, padding=1, groups=len(weight))
        return convolve(x, weight[:, :, None, None], self.bias)  # [B, out, h, w]


def activate(x: Tensor) -> Tensor:
    """Rectify, clamp and round to the activation grid: 0, 1/32, ..., 255/32."""
    inside = x.clamp(0, ACTIVATION_MAX / UNIT)
    on_grid: Tensor = round_through(inside * UNIT) / UNIT
    return on_grid


class IntegerBlock(nn.Module):
    """Residual block: activate(x + outer(activate(depthwise(activate(inner(x)))))); [B, C, h, w] kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = IntegerLayer(channels, channels)
        self.spatial = IntegerLayer(channels, channels, depthwise=True)
        self.outer = IntegerLayer(channels, channels, scale=0.3)

    def forward(self, x: Tensor) -> Tensor:
        return activate(x + self.outer(activate(self.spatial(activate(self.inner(x))))))


def interpolate_knots(knots: Tensor, t: Tensor) -> Tensor:
    """Piecewise linear values [B, C] at rate coordinates t [B] in [0, 1], from knots [KNOTS, C]."""
    position = t.clamp(0, 1) * (KNOTS - 1)
    left = position.floor().clamp(max=KNOTS - 2)
    part = (position - left)[:, None]
    index = left.long()
    return knots[index] * (1 - part) + knots[index + 1] * part


class HyperDecoder(nn.Module):
    """Hyper-latents z [B, Z, h/4, w/4] and t [B] -> features [B, F, h, w]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.hyper_width
        self.enter = IntegerLayer(config.hyper_latents, 4 * width)
        self.level_bias = nn.Parameter(torch.zeros(KNOTS, 4 * width))
        self.block = IntegerBlock(width)
        self.leave = IntegerLayer(width, 4 * config.features)

    def forward(self, z: Tensor, t: Tensor) -> Tensor:
        x = self.enter(symbol_inputs(z)) + interpolate_knots(self.level_bias, t)[:, :, None, None]
        x = self.block(F.pixel_shuffle(activate(x), 2))  # [B, width, h/2, w/2]
        return F.pixel_shuffle(activate(self.leave(x)), 2)  # [B, F, h, w]


class HyperPrior(nn.Module):
    """What every prior starts with: the prior of z and the hyper-decoder."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.z_mean = nn.Parameter(torch.zeros(KNOTS, config.hyper_latents))  # asinh domain
        self.z_scale = nn.Parameter(torch.full((KNOTS, config.hyper_latents), 0.5))  # log sigma
        self.hyper = HyperDecoder(config)

    def z_parameters(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """asinh-mean and log-scale of z at rate coordinates t [B]: both [B, Z, 1, 1]."""
        mean, scale = interpolate_knots(self.z_mean, t), interpolate_knots(self.z_scale, t)
        return mean[:, :, None, None], scale[:, :, None, None]

    def bits_z(self, z: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
        """Bits of z (integers, or with uniform noise) given its `z_parameters`; all [B, Z, h/4, w/4] or alike."""
        return coordinate_bits(z, mean, scale)


class Context(nn.Module):
    """Features and symbols -> mean (asinh domain) and log scale of every symbol, each from its own step's view."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, latents = config.context_width, config.latents
        self.adaptors = nn.ModuleList(IntegerLayer(latents + config.features, width) for _ in range(CONTEXT_STEPS))
        self.blocks = nn.Sequential(*(IntegerBlock(width) for _ in range(config.context_blocks)))
        self.leave = IntegerLayer(width, 2 * latents, scale=0.1)

    def forward(self, k: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """k [B, M, h, w], features [B, F, h, w] -> asinh of mean, log of scale, both [B, M, h, w] float32."""
        channels, height, width = k.shape[1:]
        steps = context_steps(channels, height, width, k.device)  # [M, h, w]
        known = symbol_inputs(k).to(features.dtype)
        views = [
            activate(adaptor(torch.cat([known * (steps < step), features], dim=1)))
            for step, adaptor in enumerate(self.adaptors)
        ]
        x = self.leave(self.blocks(torch.cat(views)))  # [4 B, 2 M, h, w]
        x = x.view(CONTEXT_STEPS, len(k), 2, *k.shape[1:])  # [4, B, 2, M, h, w]
        own = [(steps == step).to(x.dtype) for step in range(CONTEXT_STEPS)]
        x = sum(x[step] * own[step] for step in range(CONTEXT_STEPS)).float()  # [B, 2, M, h, w]
        return x[:, 0], x[:, 1]


class FloatPrior(HyperPrior):
    """Everything that predicts lattice coordinates: the prior of z, the hyper-decoder, the context network."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.context = Context(config)

    def bits(self, x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
        """See `coordinate_bits`."""
        return coordinate_bits(x, mean, scale)


def coordinate_bits(x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Bits of coordinates x (integers, or with uniform noise) given asinh-mean and log-scale; same shape as x."""
    mean = round_through(mean * 2**MEAN_BITS).clamp(-MEAN_MAX, MEAN_MAX) / 2**MEAN_BITS
    scale = round_through((scale - LOG_SCALE_MIN) * 2**SCALE_BITS) / 2**SCALE_BITS + LOG_SCALE_MIN
    top = LOG_SCALE_MIN + (SCALE_COUNT - 1) / 2**SCALE_BITS
    sigma = torch.exp(bounded(scale, LOG_SCALE_MIN, top))
    distance = (x - torch.sinh(mean)).abs()
    share = TAIL_SHARE_NARROW + (TAIL_SHARE - TAIL_SHARE_NARROW) * (scale >= TAIL_FROM)
    mass = (1 - share) * cell_mass(distance, sigma) + share * cell_mass(distance, sigma * TAIL_RATIO)
    return -torch.log2(mass + 1e-6 / (1 + (distance / sigma).square()))


def cell_mass(distance: Tensor, sigma: Tensor) -> Tensor:
    """Mass of a zero-mean Gaussian on [distance - 1/2, distance + 1/2], distance >= 0."""
    root = 1 / (sigma * math.sqrt(2))
    return 0.5 * (torch.erfc((distance - 0.5) * root) - torch.erfc((distance + 0.5) * root))


class _Bounded(torch.autograd.Function):
    """Clamp whose gradient still flows where it points back into the range."""

    @staticmethod
    def forward(ctx, x: Tensor, low: float, high: float) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        ctx.range = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[no-untyped-def]
        (x,) = ctx.saved_tensors
        low, high = ctx.range
        blocked = ((x < low) & (gradient > 0)) | ((x > high) & (gradient < 0))
        return gradient.masked_fill(blocked, 0), None, None


def bounded(x: Tensor, low: float, high: float) -> Tensor:
    """Clamp x to [low, high], keeping gradients that lead back inside."""
    return _Bounded.apply(x, low, high)  # type: ignore[no-any-return]

"""The prior in floating point, for training: hyper-decoder and 4-step context network, with fake quantization.

      z ──► 1x1 ── shuffle 2 ── block ── 1x1 ── shuffle 2 ──► features                       [B, F, h, w]
      features + symbols known before step s ──► adaptor_s ── blocks ── 1x1 ──► mean, scale  of step s's symbols

Weights, activations and outputs are rounded to the grids of the integer network (entropy/integer.py) from the first
step of training on, with straight-through gradients: what is trained is what will be coded with.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...config import CONTEXT_STEPS, ModelConfig
from ...entropy.numbers import ACTIVATION_BITS, ACTIVATION_MAX, EXPONENT_MAX, EXPONENT_MIN, KNOTS, WEIGHT_MAX
from ..arithmetic import convolve, straight_through
from .bits import coordinate_bits
from .steps import context_steps

UNIT = 2**ACTIVATION_BITS
LIFT = 0.1  # bias of the hyper-decoder's units at the start: one at zero everywhere has no gradient, and stays there


class _OnGrid(torch.autograd.Function):
    """x clamped to [low, high] and rounded to multiples of 1 / UNIT; the gradient passes where x lies inside.

    In one pass each way, since this is what most of the prior's time goes to.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.range = low, high
        return x.clamp(low, high).mul_(UNIT).round_().div_(UNIT)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient, x, *ctx.range), None, None


def on_grid(x: Tensor, low: float, high: float) -> Tensor:
    """x clamped to [low, high] and rounded to multiples of 1 / UNIT, straight through the rounding."""
    if torch.compiler.is_compiling():  # PyTorch 2.11 compiles such functions without their gradient
        inside = F.hardtanh(x, low, high)
        return straight_through(inside.mul(UNIT).round().div(UNIT), inside)
    on: Tensor = _OnGrid.apply(x, low, high)
    return on


def compand(k: Tensor) -> Tensor:
    """Lattice coordinates to the range of a symbol input: asinh(k) / 2."""
    companded: Tensor = torch.asinh(k) / 2
    return companded


def symbol_inputs(k: Tensor) -> Tensor:
    """Companded lattice coordinates on the grid of symbol inputs: -127/32 .. 127/32."""
    return on_grid(compand(k.float()), -WEIGHT_MAX / UNIT, WEIGHT_MAX / UNIT)


def weight_exponents(weight: Tensor) -> Tensor:
    """Exponents e [out]: the finest unit 2^-e in which every weight of an output channel fits in 8 signed bits."""
    largest = weight.detach().abs().amax(dim=1).clamp_min(1e-12)
    return torch.floor(torch.log2(WEIGHT_MAX / largest)).clamp(EXPONENT_MIN, EXPONENT_MAX)


class IntegerLayer(nn.Module):
    """A layer that export turns into integers: 1x1 convolution, or depthwise 3x3 when `depthwise`."""

    def __init__(
        self, inputs: int, outputs: int, depthwise: bool = False, scale: float = 1.0, bias: float = 0.0
    ) -> None:
        super().__init__()
        fan_in = 9 if depthwise else inputs
        self.depthwise = depthwise
        self.weight = nn.Parameter(torch.randn(outputs, fan_in) * scale * fan_in**-0.5)
        self.bias = nn.Parameter(torch.full((outputs,), bias))

    def seen_weight(self) -> Tensor:
        """The weight that counts [out, in]."""
        return self.weight

    def rounded_weight(self) -> Tensor:
        """The weight on the grid of its int8 values [out, in]."""
        weight = self.seen_weight()
        unit = torch.exp2(weight_exponents(weight))[:, None]
        scaled = (weight * unit).clamp(-WEIGHT_MAX, WEIGHT_MAX)
        return straight_through(scaled.round(), scaled) / unit

    def forward(self, x: Tensor) -> Tensor:
        weight = self.rounded_weight()
        if self.depthwise:
            return convolve(x, weight.view(-1, 1, 3, 3), self.bias, padding=1, groups=len(weight))
        return convolve(x, weight[:, :, None, None], self.bias)  # [B, out, h, w]


def activate(x: Tensor) -> Tensor:
    """Rectify, clamp and round to the activation grid: 0, 1/32, ..., 255/32."""
    return on_grid(x, 0, ACTIVATION_MAX / UNIT)


class IntegerBlock(nn.Module):
    """Residual block: activate(x + outer(activate(depthwise(activate(inner(x)))))); [B, C, h, w] kept."""

    def __init__(self, channels: int, bias: float = 0.0) -> None:
        super().__init__()
        self.inner = IntegerLayer(channels, channels, bias=bias)
        self.spatial = IntegerLayer(channels, channels, depthwise=True, bias=bias)
        self.outer = IntegerLayer(channels, channels, scale=0.3, bias=bias)

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
        self.enter = IntegerLayer(config.hyper_latents, 4 * width, bias=LIFT)
        self.level_bias = nn.Parameter(torch.zeros(KNOTS, 4 * width))
        self.block = IntegerBlock(width, LIFT)
        self.leave = IntegerLayer(width, 4 * config.features, bias=LIFT)

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
        known = symbol_inputs(k).to(features.dtype)  # [B, M, h, w]
        views = [
            activate(adaptor(torch.cat([known * (steps < step), features], dim=1)))
            for step, adaptor in enumerate(self.adaptors)
        ]
        x = self.blocks(torch.cat(views))  # [4 B, W, h, w]
        return self._leave(x.view(CONTEXT_STEPS, len(k), -1, height, width))

    def _leave(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states x [4, B, W, h, w] -> mean and log scale [B, M, h, w]: of each step only what it codes."""
        count, batch, hidden, height, width = x.shape
        rows = x.permute(0, 1, 3, 4, 2).reshape(-1, hidden)  # [4 B h w, W]
        own = rows.index_select(0, step_rows(batch, height, width, x.device))  # by group in place of step
        own = own.view(count, -1, hidden)  # [4, B h w, W]
        weight = self.leave.rounded_weight().view(2, -1, count, hidden)  # [2, M / 4, 4, W]
        weight = weight.permute(2, 3, 0, 1).reshape(count, hidden, -1)  # [4, W, 2 M / 4]
        out = torch.bmm(own, weight.to(own.dtype)).float()  # [4, B h w, 2 M / 4]
        out = out.view(count, batch, height, width, 2, -1).permute(4, 1, 5, 0, 2, 3)  # [2, B, M / 4, 4, h, w]
        bias = self.leave.bias.view(2, 1, -1, count, 1, 1)
        mean, scale = (out + bias).flatten(2, 3)  # [B, M, h, w] each
        return mean.clone(), scale.clone()  # PyTorch 2.11 cannot compile results that share memory


def step_rows(batch: int, height: int, width: int, device: torch.device) -> Tensor:
    """Where the hidden state lies with which channel group g is coded at each position: [4 B h w] of rows of steps.

    Group g comes at step rank ^ g (steps.py), so that row (g, b, i, j) is row (rank(i, j) ^ g, b, i, j) of the steps.
    """
    steps = context_steps(CONTEXT_STEPS, height, width, device).long()  # [4, h, w]: groups are channels 0 to 3
    inside = torch.arange(batch * height * width, device=device).view(batch, height, width)
    return (steps[:, None] * inside.numel() + inside).flatten()


class FloatPrior(HyperPrior):
    """Everything that predicts lattice coordinates: the prior of z, the hyper-decoder, the context network."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.context = Context(config)

    def bits(self, x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
        """See `coordinate_bits`."""
        return coordinate_bits(x, mean, scale)

"""Bits of coordinates, and the gradients computed beside them, against the plain formula."""

import math

import pytest
import torch
from torch import Tensor

from latticecodec.entropy.numbers import (
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
from latticecodec.lab.nets import bits
from latticecodec.lab.nets.bits import coordinate_bits

pytestmark = pytest.mark.usefixtures("one_thread")


def plain_bits(x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """The definition, of values that are on their grids, in double precision."""
    sigma = scale.clamp(LOG_SCALE_MIN, LOG_SCALE_MIN + (SCALE_COUNT - 1) / 2**SCALE_BITS).exp()
    distance = (x - torch.sinh(mean.clamp(-MEAN_MAX / 2**MEAN_BITS, MEAN_MAX / 2**MEAN_BITS))).abs()

    def mass(width: Tensor) -> Tensor:
        root = 1 / (width * math.sqrt(2))
        return 0.5 * (torch.erfc((distance - 0.5) * root) - torch.erfc((distance + 0.5) * root))

    share = torch.where(scale >= TAIL_FROM, TAIL_SHARE, TAIL_SHARE_NARROW)
    both = (1 - share) * mass(sigma) + share * mass(sigma * TAIL_RATIO)
    return -torch.log2(both + 1e-6 / (1 + (distance / sigma).square()))


def examples() -> tuple[Tensor, Tensor, Tensor]:
    """Coordinates, asinh-means and log-scales on their grids [4000], also beyond them, but not at the very edges."""
    generator = torch.Generator().manual_seed(0)
    mean = (torch.randn(4000, generator=generator) * 150).round().div(2**MEAN_BITS)
    mean[::50] *= 5  # some beyond MEAN_MAX
    scale = LOG_SCALE_MIN + torch.randint(-6, SCALE_COUNT + 6, (4000,), generator=generator) / 2**SCALE_BITS
    x = torch.sinh(mean.clamp(-7.9, 7.9)) + scale.exp() * torch.randn(4000, generator=generator) * 2
    return x, mean, scale


def test_bits_and_gradients_are_those_of_the_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bits, "BLOCK", 1000)
    ours = [value.clone().requires_grad_() for value in examples()]
    theirs = [value.double().requires_grad_() for value in examples()]
    found, expected = coordinate_bits(*ours), plain_bits(*theirs)
    torch.testing.assert_close(found.double(), expected, rtol=2e-4, atol=2e-4)
    gradients = torch.autograd.grad(found.sum(), ours)
    references = torch.autograd.grad(expected.sum(), theirs)
    inside = ((examples()[2] > LOG_SCALE_MIN) & (examples()[2] < LOG_SCALE_MIN + 63 / 8)).double()
    for gradient, reference in zip(gradients[:2], references[:2], strict=True):
        scale = reference.abs().clamp_min(1.0)
        assert float(((gradient.double() - reference) / scale).abs().max()) < 0.02
    error = (gradients[2].double() - references[2]) * inside
    assert float((error / references[2].abs().clamp_min(1.0)).abs().max()) < 0.02


def test_a_scale_beyond_its_range_is_led_back_alone() -> None:
    low, high = LOG_SCALE_MIN - 1, LOG_SCALE_MIN + SCALE_COUNT / 2**SCALE_BITS + 1
    x = torch.tensor([0.0, 30.0, 0.0, 1e5])  # wants a smaller, a larger, a smaller, a larger sigma
    scale = torch.tensor([low, low, high, high], requires_grad=True)
    (gradient,) = torch.autograd.grad(coordinate_bits(x, torch.zeros(4), scale).sum(), scale)
    assert [bool(value) for value in gradient] == [False, True, True, False]
    assert gradient[1] < 0 < gradient[2]


def test_one_scale_for_many_is_led_back_by_their_sum() -> None:
    """A scale that is below its range, where most of its coordinates want it smaller still, stays."""
    scale = torch.tensor([[LOG_SCALE_MIN - 1.0]], requires_grad=True)
    x = torch.zeros(1, 100)
    x[0, 0] = 0.6
    (gradient,) = torch.autograd.grad(coordinate_bits(x, torch.zeros(1, 1), scale).sum(), scale)
    assert gradient.shape == scale.shape
    assert float(gradient) <= 0


def test_without_gradients_the_value_is_the_same() -> None:
    x, mean, scale = examples()
    assert torch.equal(coordinate_bits(x, mean, scale), coordinate_bits(x, mean, scale.requires_grad_()).detach())

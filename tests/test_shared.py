"""Slices of a vector that share adaptive codebooks: choice, learning, pairs."""

import copy

import torch
from torch import Tensor

from latticecodec.lab.quantizers import SharedAdaptiveQuantizer
from latticecodec.lab.quantizers.attentive import AttentiveAdaptiveQuantizer
from latticecodec.lab.quantizers.shared import pairs_of

SIZES = ((16, 1), (8, 2), (4, 4))  # 16 numbers each, 28 codewords in all
WIDTHS = (1, 2, 4, 3)


def layer() -> SharedAdaptiveQuantizer:
    return SharedAdaptiveQuantizer(SIZES, WIDTHS)


def rows(count: int = 300, seed: int = 0) -> Tensor:
    """One strong entry, then ever fainter ones: [count, 10]."""
    scale = torch.tensor([8.0, 3, 3, 1, 1, 1, 1, 0.5, 0.5, 0.5])
    return torch.randn(count, sum(WIDTHS), generator=torch.Generator().manual_seed(seed)) * scale


def test_a_slice_takes_the_nearest_codeword_of_all_codebooks() -> None:
    quantizer, z = layer(), rows(20)
    indices = quantizer.quantize(z)
    assert indices.shape == (20, 4)
    for group, part in enumerate(quantizer.slices(z)):
        distances = torch.cdist(part, quantizer.union()[:, : WIDTHS[group]])
        assert torch.equal(indices[:, group], distances.argmin(1))
    expected = [quantizer.union()[indices[:, group], :width] for group, width in enumerate(WIDTHS)]
    assert torch.equal(quantizer.dequantize(indices), torch.cat(expected, 1))
    assert torch.equal(quantizer.quantize(quantizer.dequantize(indices)), indices)


def test_penalties_keep_codes_out() -> None:
    quantizer, z = layer(), rows(50)
    penalty = torch.zeros(50, 28)
    penalty[:, 16:] = 1e6
    assert int(quantizer.quantize(z, [penalty] * 4).max()) < 16
    assert int(quantizer.quantize(z, [penalty[0]] * 4).max()) < 16


def test_learning_moves_the_codewords_to_the_rows() -> None:
    """Where a slice is narrower than a codeword, the entries it lacks stay as they were."""
    quantizer = layer()
    errors = []
    for step in range(300):
        z = rows(seed=step)
        errors.append(float((z - quantizer(z).values).square().mean()))
    assert sum(errors[-5:]) < 0.5 * sum(errors[:5])
    shares = quantizer.counts / quantizer.counts.sum(1, keepdim=True)
    torch.testing.assert_close(quantizer.bits().exp2().reciprocal(), shares, atol=1e-3, rtol=0.01)
    narrow = SharedAdaptiveQuantizer(SIZES, (1, 1))
    before = narrow.union()[:, 1:].clone()
    for step in range(5):
        narrow(rows(seed=step)[:, :2])
    torch.testing.assert_close(narrow.union()[:, 1:], before)


def test_rows_that_are_no_numbers_are_not_learned() -> None:
    """They would stay in the averages for good."""
    for kind in (SharedAdaptiveQuantizer, AttentiveAdaptiveQuantizer):
        quantizer = kind([(8, 1), (4, 2)], (1, 2)).train()
        before = {name: value.clone() for name, value in quantizer.named_buffers() if value.is_floating_point()}
        z = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
        z[3, 1] = torch.nan
        quantizer(z)
        assert all(torch.equal(value, before[name]) for name, value in quantizer.named_buffers() if name in before)
        quantizer(z.nan_to_num())
        assert any(not torch.equal(value, before[name]) for name, value in quantizer.named_buffers() if name in before)


def test_evaluation_learns_nothing_and_passes_the_gradient() -> None:
    quantizer = layer().eval()
    before = copy.deepcopy(quantizer.state_dict())
    z = rows(10).requires_grad_()
    result = quantizer(z)
    assert result.loss.item() > 0  # commitment
    result.values.sum().backward()
    assert z.grad is not None
    assert torch.equal(z.grad, torch.ones_like(z))  # straight-through
    assert all(torch.equal(value, before[name]) for name, value in quantizer.state_dict().items())


def test_another_quantizer_begins_at_the_union() -> None:
    quantizer = layer()
    for step in range(5):
        quantizer(rows(seed=step))
    other = layer()
    other.begin_at(quantizer.union().detach())
    torch.testing.assert_close(other.union(), quantizer.union(), atol=1e-5, rtol=1e-5)
    z = rows(100, seed=7)
    assert torch.equal(other.quantize(z), quantizer.quantize(z))


def test_pairs_count_within_a_codebook() -> None:
    codes = [size for size, _ in SIZES]
    joint = torch.arange(28).view(4, 7)
    pairs = pairs_of(joint, codes)
    assert pairs[:, 0, 0].tolist() == [0, 0]
    assert pairs[:, 2, 1].tolist() == [0, 15]
    assert pairs[:, 2, 2].tolist() == [1, 0]
    assert pairs[:, 3, 6].tolist() == [2, 3]

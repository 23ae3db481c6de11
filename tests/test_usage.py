"""Figures about the use of a codebook."""

import pytest
import torch

from latticecodec.errors import FormatError
from latticecodec.lab.quantizers import collapsed, gradient_gap, quantization_error, usage


def test_even_use() -> None:
    use = usage(torch.arange(8).repeat(3), 8)
    assert (use.share_used, use.dead) == (1.0, 0)
    assert use.perplexity == pytest.approx(8)
    assert not collapsed(use)


def test_uneven_use() -> None:
    use = usage(torch.tensor([[0, 0], [1, 3]]), 8)  # 1.5 bits
    assert (use.share_used, use.dead) == (3 / 8, 5)
    assert use.perplexity == pytest.approx(2**1.5)


def test_a_single_code() -> None:
    use = usage(torch.full((100,), 7), 64)
    assert (use.share_used, use.dead) == (1 / 64, 63)
    assert use.perplexity == pytest.approx(1)
    assert collapsed(use)


def test_a_tenth_of_the_codes_is_no_collapse() -> None:
    assert not collapsed(usage(torch.arange(10), 100))
    assert collapsed(usage(torch.arange(9), 100))


def test_an_index_outside_the_codebook_is_an_error() -> None:
    with pytest.raises(FormatError, match="index 8 is outside"):
        usage(torch.tensor([0, 8]), 8)


def test_quantization_error() -> None:
    assert quantization_error(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 5.0]])) == 4.5


def test_gradient_gap_of_a_square() -> None:
    """Gradients 2 x of |x|^2 differ by twice the quantization error, here of length 3."""
    z, values = torch.tensor([[1.0, 2.0]], requires_grad=True), torch.tensor([[1.0, 5.0]])
    assert gradient_gap(lambda x: x.square().sum(), z, values) == pytest.approx(6)
    assert z.grad is None


def test_no_gap_where_the_loss_is_linear_or_nothing_is_lost() -> None:
    z = torch.tensor([[1.0, 2.0]])
    assert gradient_gap(lambda x: 3 * x.sum(), z, z + 1) == 0
    assert gradient_gap(lambda x: x.pow(4).sum(), z, z) == 0

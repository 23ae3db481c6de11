"""The lattice of LL-VQ-VAE in its own parametrisation."""

import pytest
import torch

from latticecodec.errors import TrainingError
from latticecodec.lab.quantizers.signed import SMALLEST, SignedLattice


def lattice(b: list[float], **options: float) -> SignedLattice:
    result = SignedLattice(len(b), 1.0, **options)
    result.b.data = torch.tensor(b)
    return result


def test_points_are_the_nearest_whatever_the_sign() -> None:
    result = lattice([0.5, -2.0])(torch.tensor([[0.7, -3.1], [-0.7, 0.9]]))
    assert result.coordinates.tolist() == [[1, 2], [-1, 0]]
    assert torch.allclose(result.values, torch.tensor([[0.5, -4.0], [-0.5, 0.0]]))
    assert torch.allclose(lattice([0.5, -2.0]).dequantize(result.coordinates), result.values)


def test_the_loss_is_that_of_the_published_code() -> None:
    z = torch.tensor([[0.7, -3.1]])
    loss = lattice([0.5, -2.0], sparsity=0.1, commitment=0.25)(z).loss
    squared = (0.2**2 + 0.9**2) / 2  # per entry
    assert loss.item() == pytest.approx(1.25 * squared - 0.1 * 2.5)


def test_adam_moves_each_entry_by_its_rate_where_all_is_rounded_to_zero() -> None:
    wide = lattice([9.0, -9.0], sparsity=1.0)
    optimiser = torch.optim.Adam(wide.parameters(), lr=1e-3)
    for _ in range(10):
        optimiser.zero_grad()
        wide(torch.zeros(4, 2)).loss.backward()
        optimiser.step()
    assert torch.allclose(wide.b, torch.tensor([9.01, -9.01]), atol=1e-4)


def test_gradients_pass_straight_through() -> None:
    z = torch.randn(5, 3, requires_grad=True)
    SignedLattice(3, 1.0)(z).values.sum().backward()
    assert torch.equal(z.grad, torch.ones(5, 3))  # type: ignore[arg-type]


def test_an_entry_of_zero_is_no_division_by_zero() -> None:
    result = lattice([0.0])(torch.tensor([[1.0]]))
    assert result.coordinates.item() == round(1 / SMALLEST)
    assert result.values.item() == pytest.approx(1.0)


def test_a_range_of_nothing_is_an_error() -> None:
    with pytest.raises(TrainingError, match="no cells"):
        SignedLattice(4, 0.0)

"""The diagonal lattice, against its definition and the equations of the LL-VQ-VAE paper."""

import itertools

import pytest
import torch

from latticecodec.lab.quantizers import DiagonalLattice
from latticecodec.lab.widths import width_for_codebook_size

AT_ZERO = torch.zeros(1)


def test_babai_rounding_is_the_closest_point() -> None:
    lattice = DiagonalLattice(3)
    lattice.log_basis.data = torch.tensor([0.5, 1.0, 3.0]).log()
    basis = lattice.basis(AT_ZERO)[0]
    y = torch.randn(3, 10, 10, generator=torch.Generator().manual_seed(0)) * 2
    rounded = lattice.dequantize(lattice.quantize(y, basis), basis)
    error = (rounded - y).square().sum(0)  # [10, 10]
    for offset in itertools.product((-1, 0, 1), repeat=3):
        neighbour = rounded + (torch.tensor(offset) * basis)[:, None, None]
        assert bool((error <= (neighbour - y).square().sum(0) + 1e-6).all())


def test_quantize_and_dequantize_are_inverse_on_lattice_points() -> None:
    lattice = DiagonalLattice(2, step=0.25)
    basis = lattice.basis(AT_ZERO)[0]
    k = torch.arange(-8, 8, dtype=torch.int32).reshape(2, 2, 4)
    assert torch.equal(lattice.quantize(lattice.dequantize(k, basis), basis), k)


def test_an_octave_halves_the_basis() -> None:
    lattice = DiagonalLattice(4, step=0.5)
    torch.testing.assert_close(lattice.basis(torch.tensor([0.0, -1.0])), torch.tensor([[0.5] * 4, [0.25] * 4]))


def test_initial_width_of_equation_6() -> None:
    """Table 3 of the paper: K = 512, D = 64 gives U(-9.766, 9.766), to a fraction of its own rounding."""
    assert width_for_codebook_size(512, 64) == pytest.approx(9.766, rel=2e-4)
    assert (1 / width_for_codebook_size(512, 64) + 1) ** 64 == pytest.approx(512)  # appendix A.1: points from 0 to 1
    torch.manual_seed(0)
    basis = DiagonalLattice(64, codebook_size=512).basis(AT_ZERO).detach()
    assert 0 < float(basis.min()) < float(basis.max()) <= 9.768


@pytest.mark.parametrize(("sparsity", "direction"), [(1.0, 1), (-1.0, -1)])
def test_size_loss_of_equation_7(sparsity: float, direction: int) -> None:
    """A positive coefficient widens the cells (sparse), a negative one narrows them (dense)."""
    lattice = DiagonalLattice(4, step=0.5, sparsity=sparsity)
    result = lattice(torch.zeros(1, 4, 1, 1), AT_ZERO)
    assert float(result.loss.detach()) == pytest.approx(-sparsity * 4 * 0.5)
    result.loss.backward()
    assert bool((torch.sign(-lattice.log_basis.grad) == direction).all())


def test_commitment_and_embedding_loss() -> None:
    lattice = DiagonalLattice(1, step=1.0, commitment=0.25)
    y = torch.full((1, 1, 1, 1), 2.4, requires_grad=True)
    loss = lattice(y, AT_ZERO).loss
    assert float(loss.detach()) == pytest.approx(1.25 * 0.4**2)
    loss.backward()
    assert float(y.grad) == pytest.approx(0.25 * 2 * 0.4)  # commitment: towards the point at 2
    assert float(lattice.log_basis.grad) == pytest.approx(2 * (2 - 2.4) * 2)  # embedding: the point 2 b towards y


def test_options_are_off_by_default() -> None:
    assert float(DiagonalLattice(4)(torch.randn(1, 4, 2, 2), AT_ZERO).loss) == 0


def test_gradients_pass_straight_through() -> None:
    lattice = DiagonalLattice(2)
    y = torch.randn(1, 2, 3, 3, requires_grad=True)
    lattice(y, AT_ZERO).values.sum().backward()
    torch.testing.assert_close(y.grad, torch.ones_like(y))

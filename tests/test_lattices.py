"""Lattices as they are in the books: cells, closest points, bases; and what a lattice may do in training only."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from latticecodec import ModelError, TrainingError
from latticecodec.lab.quantizers import (
    DiagonalLattice,
    FullLattice,
    closest_point,
    soft_round,
)

AT_ZERO = torch.zeros(1)
SKEWED = torch.tensor([[1.0, 0.4, -0.6, 0.3], [0.1, 0.9, 0.5, -0.8], [0.0, 0.2, 0.7, 0.6], [0.3, 0.0, 0.1, 0.8]])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def full(basis: Tensor, **options: object) -> FullLattice:
    lattice = FullLattice(len(basis), **options)  # type: ignore[arg-type]
    lattice.columns.data = basis.clone()
    return lattice


# any basis


def test_the_search_finds_the_closest_point() -> None:
    """Against all k in a box. It is large enough: the best B k is no farther from y than 0 is, so |B k| <= 2 |y|."""
    basis = torch.tensor([[1.0, 0.7, 0.2], [0.0, 0.6, 0.7], [0.1, 0.0, 0.5]]).double()
    side = 15
    y = torch.rand(20, 3, generator=seeded()).double() * 3 - 1.5
    assert float(torch.linalg.inv(basis).norm(dim=1).max() * 2 * y.norm(dim=1).max()) < side + 1
    k = torch.cartesian_prod(*[torch.arange(-side, side + 1)] * 3)  # [31^3, 3]
    points = k.double() @ basis.T  # [31^3, 3]
    for vector in y:
        best = k[(points - vector).square().sum(-1).argmin()]
        assert closest_point(basis, vector).tolist() == best.tolist()


@pytest.mark.parametrize("rounding", ["babai", "nearest-plane"])
def test_on_a_diagonal_basis_babai_is_exact(rounding: str) -> None:
    basis = torch.tensor([0.5, 1.0, 3.0]).diag()
    lattice = full(basis, rounding=rounding)
    y = torch.randn(10_000, 3, generator=seeded()) * 4
    k = lattice.quantize(y, basis)
    nearest = basis.diagonal() * torch.tensor(list(itertools.product((-1, 0, 1), repeat=3)))  # [27, 3]
    error = y - lattice.dequantize(k, basis)  # [10000, 3]
    around = (error[:, None] - nearest).square().sum(-1).min(-1).values  # [10000]
    torch.testing.assert_close(error.square().sum(-1), around)
    assert torch.equal(k, DiagonalLattice.quantize(y.T[:, :, None], basis.diagonal())[..., 0].T)


def test_nearest_plane_is_between_babai_rounding_and_the_closest_point() -> None:
    y = torch.randn(150, 4, generator=seeded()) * 3

    def errors(k: Tensor) -> Tensor:
        return (y - FullLattice.dequantize(k, SKEWED)).square().sum(-1)  # [150]

    rounding = errors(full(SKEWED, rounding="babai").quantize(y, SKEWED))
    plane = errors(full(SKEWED, rounding="nearest-plane").quantize(y, SKEWED))
    closest = errors(torch.stack([closest_point(SKEWED, vector) for vector in y]))
    assert bool((closest <= torch.minimum(rounding, plane) + 1e-5).all())
    assert float(closest.mean()) < float(plane.mean()) < float(rounding.mean())


@pytest.mark.parametrize("rounding", ["babai", "nearest-plane"])
def test_index_to_point_to_index(rounding: str) -> None:
    k = torch.randint(-50, 50, (1000, 4), generator=seeded(), dtype=torch.int32)
    lattice = full(SKEWED, rounding=rounding)
    assert torch.equal(lattice.quantize(lattice.dequantize(k, SKEWED), SKEWED), k)


@pytest.mark.parametrize("rounding", ["babai", "nearest-plane"])
def test_training_sees_the_points_that_are_coded(rounding: str) -> None:
    lattice = full(SKEWED, rounding=rounding)
    octaves = torch.tensor([0.0, -1.5])
    y = torch.randn(2, 4, 3, 5, generator=seeded(), requires_grad=True)
    result = lattice(y, octaves)
    for i, basis in enumerate(lattice.basis(octaves)):
        k = lattice.quantize(y[i].movedim(0, -1), basis)  # [3, 5, 4]
        torch.testing.assert_close(result.coordinates[i].movedim(0, -1), k.float(), atol=1e-5, rtol=0)
        torch.testing.assert_close(result.values[i].movedim(0, -1), lattice.dequantize(k, basis), atol=1e-5, rtol=0)
    (gradient,) = torch.autograd.grad(result.values.sum(), y)
    torch.testing.assert_close(gradient, torch.ones_like(y))
    assert float(result.loss.detach()) == 0


def test_the_embedding_loss_moves_the_basis_towards_the_data() -> None:
    lattice = FullLattice(2, step=1.0, commitment=0.25)
    y = torch.tensor([2.4, 0.3]).reshape(1, 2, 1, 1).requires_grad_()
    loss = lattice(y, AT_ZERO).loss
    assert float(loss.detach()) == pytest.approx(1.25 * (0.4**2 + 0.3**2) / 2)
    loss.backward()
    torch.testing.assert_close(y.grad, 0.25 * torch.tensor([0.4, 0.3]).reshape(1, 2, 1, 1))
    torch.testing.assert_close(lattice.columns.grad, torch.tensor([[2 * -0.4, 0.0], [2 * -0.3, 0.0]]))  # k is (2, 0)


def test_orthogonality_penalty() -> None:
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=seeded())).Q
    stretched = rotation * torch.tensor([0.5, 1.0, 2.0, 3.0])  # orthogonal columns of any length cost nothing
    assert float(full(stretched).skewness().detach()) == pytest.approx(0, abs=1e-10)
    assert float(FullLattice(4).skewness().detach()) == 0

    lattice = full(SKEWED, orthogonality=1.0)
    optimiser = torch.optim.SGD([lattice.columns], lr=0.1)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = lattice(torch.zeros(1, 4, 1, 1), AT_ZERO).loss
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[0] == pytest.approx(float(full(SKEWED).skewness().detach()))
    assert losses[0] > 1
    assert losses[-1] < 0.01 * losses[0]


@pytest.mark.parametrize("rounding", ["babai", "nearest-plane"])
@pytest.mark.parametrize("basis", [[[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 1.0]], [[math.nan, 0.0], [0.0, 1.0]]])
def test_a_singular_basis_is_one_clear_error(rounding: str, basis: list[list[float]]) -> None:
    lattice = full(torch.tensor(basis), rounding=rounding)
    with pytest.raises(ModelError, match="the lattice basis is singular"):
        lattice(torch.zeros(1, 2, 1, 1), AT_ZERO)
    with pytest.raises(ModelError, match="the lattice basis is singular"):
        lattice.quantize(torch.zeros(1, 2), torch.tensor(basis))


def test_an_unknown_rounding_is_an_error() -> None:
    with pytest.raises(TrainingError, match="rounding 'exact' is not one of babai, nearest-plane"):
        FullLattice(4, rounding="exact")


def test_autocast_changes_no_index() -> None:
    y = torch.randn(1000, 8, generator=seeded()) * 20
    basis = torch.linalg.qr(torch.randn(8, 8, generator=seeded(1))).Q + 0.2
    latents = y[:10].T.reshape(1, 8, 2, 5)

    def indices() -> list[Tensor]:
        return [
            full(basis, rounding="babai").quantize(y, basis),
            full(basis, rounding="nearest-plane").quantize(y, basis),
            full(basis)(latents, AT_ZERO).values.detach(),
            DiagonalLattice(8).quantize(latents[0], torch.full((8,), 0.1)),
            DiagonalLattice(8)(latents, AT_ZERO).values.detach(),
        ]

    plain = indices()
    with torch.autocast("cpu", torch.bfloat16):
        for one, other in zip(plain, indices(), strict=True):
            assert torch.equal(one, other)


# the diagonal lattice in training


@pytest.mark.parametrize("codebook_size", [None, 2, 512, 1e9])
def test_the_parameters_of_a_diagonal_lattice_are_its_basis(codebook_size: float | None) -> None:
    lattice = DiagonalLattice(64, codebook_size=codebook_size)
    assert sum(parameter.numel() for parameter in lattice.parameters()) == 64


@pytest.mark.parametrize("y", [0.0, 0.15, 0.25, -3.1])
def test_with_dither_the_error_is_uniform_in_the_cell_whatever_y_is(y: float) -> None:
    torch.manual_seed(0)
    lattice = DiagonalLattice(1, step=0.5, dither=True)
    values = lattice(torch.full((1, 1, 100, 100), y), AT_ZERO).values.detach()
    error = (values - y).flatten().sort().values  # [10000]
    uniform = torch.linspace(-0.25, 0.25, 10_000)
    torch.testing.assert_close(error, uniform, atol=0.01, rtol=0)  # Kolmogorov's distance is below 0.02


@pytest.mark.parametrize("options", [{"dither": True}, {"softness": 3.0}, {"dither": True, "softness": 3.0}])
def test_dither_and_softness_are_for_the_values_in_training_only(options: dict[str, float]) -> None:
    torch.manual_seed(0)
    y = torch.randn(1, 4, 8, 8)
    plain = DiagonalLattice(4)(y, AT_ZERO)
    lattice = DiagonalLattice(4, **options)  # type: ignore[arg-type]
    training = lattice(y, AT_ZERO)
    assert not torch.equal(training.values, plain.values)
    assert torch.equal(training.coordinates, plain.coordinates)
    assert torch.equal(lattice.eval()(y, AT_ZERO).values, plain.values)


def test_dither_passes_the_gradient_straight_through() -> None:
    y = torch.randn(1, 2, 3, 3, requires_grad=True)
    DiagonalLattice(2, dither=True)(y, AT_ZERO).values.sum().backward()
    torch.testing.assert_close(y.grad, torch.ones_like(y))


def test_softness_gives_the_gradient_of_soft_rounding() -> None:
    y = torch.tensor([0.0, 0.25]).reshape(1, 1, 1, 2).requires_grad_()  # an integer and a half-integer in steps of 0.5
    DiagonalLattice(1, step=0.5, softness=5.0)(y, AT_ZERO).values.sum().backward()
    steep = 5.0 / (2 * math.tanh(2.5))  # s'(x) = alpha sech^2(alpha r) / (2 tanh(alpha / 2)), r = -1/2 and 0
    torch.testing.assert_close(y.grad.flatten(), torch.tensor([steep / math.cosh(2.5) ** 2, steep]))


def test_softness_has_to_be_positive() -> None:
    with pytest.raises(TrainingError, match="softness 0"):
        DiagonalLattice(1, softness=0)


def test_soft_rounding_goes_from_the_identity_to_rounding() -> None:
    x = torch.linspace(-3.3, 3.3, 1000)  # no half-integers
    torch.testing.assert_close(soft_round(x, 1e-2), x, atol=1e-5, rtol=0)
    torch.testing.assert_close(soft_round(x, 1e5), x.round())
    for alpha in (0.5, 2.0, 8.0):
        assert bool((soft_round(x, alpha).diff() > 0).all())


@pytest.mark.parametrize("alpha", [0.1, 1.0, 10.0])
def test_soft_rounding_leaves_integers_and_half_integers(alpha: float) -> None:
    x = torch.arange(-8, 9) / 2
    torch.testing.assert_close(soft_round(x, alpha), x)

"""SOAP, stacked by shape, against its definition."""

import copy

import pytest
import torch

from latticecodec.lab.training.soap import SIDE_MAX, Soap, _by_cholesky

pytestmark = pytest.mark.usefixtures("one_thread")


def ill_conditioned(seed: int, *shape: int) -> torch.Tensor:
    """Gradients whose directions differ widely in size."""
    generator = torch.Generator().manual_seed(seed)
    left = torch.linalg.qr(torch.randn(shape[0], shape[0], generator=torch.Generator().manual_seed(99)))[0]
    return left @ torch.diag(3.0 ** -torch.arange(shape[0]).float()) @ torch.randn(*shape, generator=generator)


def test_the_step_is_that_of_adam_in_the_eigenbasis() -> None:
    """One matrix by hand: with a fixed basis, Adam on Q_L^T G Q_R, turned back."""
    weight = torch.nn.Parameter(torch.zeros(4, 6))
    optimiser = Soap([{"params": [weight]}], lr=0.1, refresh=1000)
    weight.grad = ill_conditioned(0, 4, 6)
    optimiser.step()
    assert torch.equal(weight, torch.zeros(4, 6))  # the first step looks
    state = optimiser.state[weight]
    left, right = (
        torch.linalg.eigh(g.double())[1].flip(1).float()
        for g in (weight.grad @ weight.grad.T, weight.grad.T @ weight.grad)
    )
    torch.testing.assert_close(state["left_basis"][0].abs(), left.abs(), atol=1e-3, rtol=0)
    left, right = state["left_basis"][0].clone(), state["right_basis"][0].clone()
    weight.grad = ill_conditioned(1, 4, 6)
    turned = left.T @ weight.grad @ right
    optimiser.step()
    torch.testing.assert_close(weight.detach(), -0.1 * (left @ turned.sign() @ right.T), atol=1e-4, rtol=1e-3)


def test_matrices_of_one_shape_step_as_they_would_alone() -> None:
    def run(together: bool) -> list[torch.Tensor]:
        weights = [torch.nn.Parameter(torch.ones(5, 3)) for _ in range(2)] + [torch.nn.Parameter(torch.ones(5))]
        groups = [weights] if together else [[weight] for weight in weights]
        optimisers = [Soap([{"params": group}], lr=0.01, refresh=4) for group in groups]
        for step in range(9):
            for number, weight in enumerate(weights):
                weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(10 * step + number))
            for optimiser in optimisers:
                optimiser.step()
        return [weight.detach() for weight in weights]

    for stacked, alone in zip(run(True), run(False), strict=True):
        torch.testing.assert_close(stacked, alone)


def test_a_gradient_that_is_no_number_ends_no_training() -> None:
    """At the first look at it; the guard of a training takes it back."""
    parameter = torch.nn.Parameter(torch.zeros(16, 9))
    optimiser = Soap([{"params": [parameter]}], lr=1e-3)
    parameter.grad = torch.full((16, 9), torch.nan)
    optimiser.step()
    optimiser.step()
    assert parameter.isnan().all()
    optimiser.state.clear()
    parameter.data.zero_()
    parameter.grad = torch.ones(16, 9)
    for _ in range(3):
        optimiser.step()
    assert parameter.isfinite().all()


def test_the_basis_follows_the_gradients() -> None:
    """After some refreshes the preconditioner's average is nearly diagonal in its basis, largest first."""
    weight = torch.nn.Parameter(torch.zeros(6, 330))
    optimiser = Soap([{"params": [weight]}], lr=1e-3)
    for step in range(60):
        weight.grad = ill_conditioned(step, 6, 330)
        optimiser.step()
    state = optimiser.state[weight]
    assert "right" not in state  # longer than SIDE_MAX
    assert weight.shape[1] > SIDE_MAX
    basis = state["left_basis"][0]
    inside = basis.T @ state["left"][0] @ basis
    scale = inside.diagonal().sqrt()
    assert torch.equal(scale.argsort(descending=True), torch.arange(6))
    correlation = inside / scale[:, None] / scale
    assert float((correlation - torch.eye(6)).abs().max()) < 0.2


def test_orthonormal_columns_by_cholesky_factors() -> None:
    x = torch.stack([ill_conditioned(2, 6, 6), torch.eye(6), torch.zeros(6, 6)])
    q = _by_cholesky(x, otherwise=2 * torch.eye(6).expand(3, 6, 6))
    reference = torch.linalg.qr(x[0].double())[0].float()
    torch.testing.assert_close(q[0].abs(), reference.abs(), atol=1e-4, rtol=0)
    assert torch.equal(q[1], torch.eye(6))
    assert torch.equal(q[2], 2 * torch.eye(6))  # singular: the other is kept


def test_going_on_from_a_saved_state_is_the_same() -> None:
    def gradients(weights: list[torch.nn.Parameter], step: int) -> None:
        for number, weight in enumerate(weights):
            weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(7 * step + number))

    def new() -> tuple[list[torch.nn.Parameter], Soap]:
        weights = [
            torch.nn.Parameter(torch.ones(4, 4)),
            torch.nn.Parameter(torch.ones(4, 4)),
            torch.nn.Parameter(torch.ones(3)),
        ]
        return weights, Soap([{"params": weights}], lr=0.01, refresh=3)

    weights, optimiser = new()
    for step in range(5):
        gradients(weights, step)
        optimiser.step()
    others, resumed = new()
    for other, weight in zip(others, weights, strict=True):
        other.data.copy_(weight)
    resumed.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    for step in range(5, 9):
        for which, one in ((weights, optimiser), (others, resumed)):
            gradients(which, step)
            one.step()
    for other, weight in zip(others, weights, strict=True):
        assert torch.equal(other, weight)


def test_a_table_moves_as_a_vector_does() -> None:
    """Values over the rate that all have to fall: each moves by a step of its own, where those of a layer share one."""
    table, vector, layer = (torch.nn.Parameter(torch.zeros(shape)) for shape in ((9, 64), (576,), (16, 36)))
    optimiser = Soap([{"params": [table, vector, layer]}], lr=0.01)
    generator = torch.Generator().manual_seed(0)
    for _ in range(41):
        gradient = 1 + 0.5 * torch.randn(576, generator=generator)
        for weight in (table, vector, layer):
            weight.grad = gradient.view_as(weight)
        optimiser.step()
    assert torch.equal(table.flatten(), vector)
    assert float(table.mean()) == pytest.approx(-0.4 / 1.25**0.5, abs=0.01)
    assert float(layer.mean()) > -0.1

"""The rotation trick against the matrix of the paper (Fifty et al. 2024)."""

import math

import pytest
import torch
from torch import Tensor

from latticecodec.lab.quantizers import RotationQuantizer, VectorQuantizer, rotate


def rows(count: int, dimensions: int, seed: int = 0) -> Tensor:
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))


def matrix(e: Tensor, q: Tensor) -> Tensor:
    """(|q| / |e|) R of one row, in double precision."""
    e, q = e.double(), q.double()
    e_unit, q_unit = e / e.norm(), q / q.norm()
    r = (e_unit + q_unit) / (e_unit + q_unit).norm()
    return q.norm() / e.norm() * (torch.eye(len(e)) - 2 * torch.outer(r, r) + 2 * torch.outer(q_unit, e_unit))


def gradient(e: Tensor, q: Tensor, weights: Tensor) -> Tensor:
    """Gradient of sum(weights * rotate(e, q)) with respect to e."""
    e = e.clone().requires_grad_()
    (rotate(e, q) * weights).sum().backward()
    return e.grad


def test_forward_is_the_codeword_bit_for_bit() -> None:
    e, q = 3 * rows(200, 7), rows(200, 7, seed=1)
    q[0] = -0.0
    q[1] = 1e-30
    value = rotate(e.requires_grad_(), q)
    assert torch.equal(value.detach().view(torch.int32), q.view(torch.int32))


def test_the_matrix_turns_e_onto_q() -> None:
    e, q = rows(1, 5)[0], rows(1, 5, seed=1)[0]
    torch.testing.assert_close(matrix(e, q) @ e.double(), q.double())
    rotation = matrix(e, q) * e.double().norm() / q.double().norm()
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(5).double(), atol=1e-6, rtol=0)


def test_gradient_is_that_of_the_matrix() -> None:
    e, q, weights = rows(50, 6), rows(50, 6, seed=1), rows(50, 6, seed=2)
    expected = torch.stack([matrix(a, b).T @ w.double() for a, b, w in zip(e, q, weights, strict=True)]).float()
    torch.testing.assert_close(gradient(e, q, weights), expected, rtol=1e-5, atol=1e-5)


def test_parallel_vectors_only_scale() -> None:
    e, weights = rows(4, 3), rows(4, 3, seed=1)
    torch.testing.assert_close(gradient(e, 2.5 * e, weights), 2.5 * weights)


def test_the_angle_to_the_gradient_is_kept() -> None:
    """What the trick is for: the gradient makes the same angle with e as it made with q."""
    e, q, weights = rows(20, 4), rows(20, 4, seed=1), rows(20, 4, seed=2)
    after = torch.cosine_similarity(gradient(e, q, weights), e)
    torch.testing.assert_close(after, torch.cosine_similarity(weights, q), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("e", "q"),
    [
        ([0.0, 0.0], [1.0, 2.0]),
        ([1e-9, 0.0], [1.0, 2.0]),
        ([1.0, 2.0], [0.0, 0.0]),
        ([1.0, 2.0], [-2.0, -4.0]),
        ([1.0, 2.0], [-1.0, -2.0 - 1e-6]),
    ],
    ids=["zero", "nearly zero", "codeword zero", "opposite", "nearly opposite"],
)
def test_straight_through_where_there_is_no_rotation(e: list[float], q: list[float]) -> None:
    weights = torch.tensor([[0.3, -0.7]])
    assert torch.equal(gradient(torch.tensor([e]), torch.tensor([q]), weights), weights)


def test_one_entry_has_no_direction_to_turn() -> None:
    weights = torch.tensor([[0.3], [-0.7]])
    assert torch.equal(gradient(torch.tensor([[2.0], [2.0]]), torch.tensor([[0.5], [-0.5]]), weights), weights)


def test_short_codewords_pass_the_gradient_straight_through() -> None:
    """Below a least ratio of the lengths; at it and above they turn it."""
    e, q = torch.tensor([[2.0, 0.0], [2.0, 0.0]]).requires_grad_(), torch.tensor([[0.0, 0.4], [0.0, 0.6]])
    (rotate(e, q, least_ratio=0.25) * torch.tensor([1.0, 0.0])).sum().backward()
    torch.testing.assert_close(e.grad, torch.tensor([[1.0, 0.0], [0.0, -0.3]]))


def test_nothing_reaches_the_codeword() -> None:
    e, q = rows(3, 2).requires_grad_(), rows(3, 2, seed=1).requires_grad_()
    rotate(e, q).sum().backward()
    assert e.grad is not None
    assert q.grad is None


def test_float32_under_autocast() -> None:
    e, q, weights = rows(50, 6), rows(50, 6, seed=1), rows(50, 6, seed=2)
    plain = gradient(e, q, weights)
    with torch.autocast("cpu", torch.bfloat16):
        assert rotate(e.bfloat16(), q).dtype == torch.float32
        assert torch.equal(gradient(e, q, weights), plain)


@pytest.mark.parametrize("cosine", [False, True])
def test_the_layer_has_the_forward_of_vector_quantization(cosine: bool) -> None:
    plain, rotated = (kind(16, 4, cosine=cosine) for kind in (VectorQuantizer, RotationQuantizer))
    for step in range(3):
        z = rows(100, 4, seed=step).requires_grad_()
        a, b = plain(z), rotated(z)
        assert torch.equal(a.values, b.values)
        assert torch.equal(a.indices, b.indices)
        assert torch.equal(a.loss, b.loss)
    assert torch.equal(plain.codebook, rotated.codebook)
    gradients = [torch.autograd.grad(result.values.square().sum(), z)[0] for result in (a, b)]
    assert not torch.allclose(*gradients)
    if not cosine:  # the gradient of |q|^2 by q is along q: rotated, it is along e
        torch.testing.assert_close(torch.cosine_similarity(gradients[1], z.detach()), torch.ones(100))


def test_the_gradient_grows_near_the_origin() -> None:
    """|q| / |e| scales it: rows that are too short for their codeword move the most."""
    short, long = (gradient(torch.tensor([[s, 0.0]]), torch.tensor([[0.0, 1.0]]), torch.ones(1, 2)) for s in (0.1, 10))
    assert float(short.norm() / long.norm()) == pytest.approx(100)
    assert float(short.norm()) == pytest.approx(10 * math.sqrt(2))

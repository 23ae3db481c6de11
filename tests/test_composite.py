"""Products and residuals of vector quantizers."""

import pytest
import torch
from vector_examples import EXAMPLES, rows

from latticecodec.errors import FormatError, TargetError
from latticecodec.lab.quantizers import ProductQuantizer, VectorQuantizer


def test_a_product_codes_slices() -> None:
    layer, z = EXAMPLES["product"]().eval(), rows(20, 4)
    indices = layer.quantize(z)
    assert torch.equal(indices[:, 0], layer.quantizers[0].quantize(z[:, :1]))
    assert torch.equal(indices[:, 1], layer.quantizers[1].quantize(z[:, 1:]))
    assert torch.equal(layer.dequantize(indices)[:, 1:], layer.quantizers[1].dequantize(indices[:, 1]))


def test_a_product_of_given_codebooks() -> None:
    layer = ProductQuantizer([VectorQuantizer(2, 1), VectorQuantizer(3, 2)])
    for part, codebook in zip(layer.quantizers, ([[1.0], [2.0]], [[1.0, 1.0], [5.0, 5.0], [9.0, 9.0]]), strict=True):
        part.begin_at(torch.tensor(codebook))
    assert layer.quantize(torch.tensor([[1.9, 8.0, 9.0]])).tolist() == [[1, 2]]
    assert layer.dequantize(torch.tensor([[0, 1]])).tolist() == [[1.0, 5.0, 5.0]]
    assert [part.shape for part in layer.slices(rows(7, 3))] == [(7, 1), (7, 2)]


def test_a_residual_codes_what_is_left() -> None:
    layer, z = EXAMPLES["residual"]().eval(), rows(20, 4)
    left = z
    for stage, column in zip(layer.quantizers, layer.quantize(z).unbind(1), strict=True):
        assert torch.equal(column, stage.quantize(left))
        left = left - stage.dequantize(column)
    torch.testing.assert_close(z - left, layer.dequantize(layer.quantize(z)))


def test_every_residual_stage_has_a_commitment_gradient() -> None:
    layer, z = EXAMPLES["residual"](), rows(64, 4)
    losses = []
    for groups in (1, 2, 3):
        leaf = z.clone().requires_grad_()
        layer.eval()(leaf, groups).loss.backward()
        losses.append(leaf.grad)
    assert not torch.allclose(losses[0], 2 * losses[1])
    assert not torch.allclose(2 * losses[1], 3 * losses[2])


@pytest.mark.parametrize("kind", ["product", "residual"])
def test_fewer_groups_are_a_lower_rate_of_the_same_model(kind: str) -> None:
    layer, z = EXAMPLES[kind](), rows(400, 4)
    for _ in range(3):
        layer(z)
    layer.eval()
    every = layer.quantize(z)
    errors = []
    for groups in range(1, every.shape[1] + 1):
        result = layer(z, groups)
        assert torch.equal(result.indices, every[:, :groups])
        assert torch.equal(layer.quantize(z, groups), every[:, :groups])
        assert torch.equal(layer.dequantize(every[:, :groups]), result.values)
        errors.append(float((z - result.values).square().mean()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.7 * errors[0]


def test_group_counts_out_of_range() -> None:
    layer = EXAMPLES["residual"]()
    for groups in (0, 4):
        with pytest.raises(TargetError, match=f"{groups} groups asked of a quantizer with 1 to 3"):
            layer.quantize(rows(2, 4), groups)
    with pytest.raises(FormatError, match=r"shape \(2, 4\)"):
        layer.dequantize(torch.zeros(2, 4, dtype=torch.int64))


@pytest.mark.parametrize("of_rows", [True, False])
def test_a_product_has_a_penalty_for_each_slice(of_rows: bool) -> None:
    layer, z = EXAMPLES["product"]().eval(), rows(20, 4)
    penalties = [3 * rows(20, codes, seed=codes) for codes in (8, 6)]
    penalties = penalties if of_rows else [penalty[0] for penalty in penalties]
    indices = layer.quantize(z, penalties=penalties)
    parts = zip(layer.quantizers, (z[:, :1], z[:, 1:]), penalties, strict=True)
    assert torch.equal(indices, torch.stack([vq.quantize(part, penalty) for vq, part, penalty in parts], 1))
    assert torch.equal(layer(z, penalties=penalties).indices, indices)
    assert torch.equal(layer.quantize(z, 1, penalties), indices[:, :1])
    assert not torch.equal(layer.quantize(z), indices)

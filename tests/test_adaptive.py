"""Adaptive multi-codebook quantization (Chen et al. 2024): choice of codebook, learning, rate."""

import copy

import pytest
import torch
from torch import Tensor

from latticecodec.errors import FormatError, TrainingError
from latticecodec.lab.quantizers import AdaptiveQuantizer, temperature_exponential, temperature_linear, usage
from latticecodec.lab.quantizers.adaptive import all_values

SIZES = ((8, 4), (16, 2), (32, 1))  # 32 numbers each
HIDDEN = 6


def rows(count: int = 200, seed: int = 0) -> Tensor:
    return torch.randn(count, HIDDEN, generator=torch.Generator().manual_seed(seed))


def layer(sizes: tuple[tuple[int, int], ...] = SIZES) -> AdaptiveQuantizer:
    torch.manual_seed(0)
    return AdaptiveQuantizer(sizes, HIDDEN)


def trained() -> AdaptiveQuantizer:
    quantizer = layer()
    for step in range(3):
        quantizer(rows(seed=step))
    return quantizer.eval()


def test_codebooks_of_different_capacity_are_an_error() -> None:
    with pytest.raises(TrainingError, match="codewords x dimensions must be the same"):
        AdaptiveQuantizer([(8, 4), (16, 3)], HIDDEN)
    with pytest.raises(TrainingError, match="must be the same"):
        AdaptiveQuantizer([], HIDDEN)
    with pytest.raises(TrainingError, match="7 hidden dimensions"):
        AdaptiveQuantizer(SIZES, 7)


def test_scores_are_an_attention_of_two_heads() -> None:
    """Each head weighs its half of the values with a softmax of its own."""
    quantizer, z = layer(), rows(5)
    attention, query = quantizer.attention, quantizer.project_query(z)
    key, value = attention.project_key(attention.keys), attention.project_value(attention.values)
    heads = []
    for half in (slice(0, 3), slice(3, 6)):
        weights = (query[:, half] @ key[:, half].T / 3**0.5).softmax(1)  # [5, m]
        heads.append(weights @ value[:, half])
    torch.testing.assert_close(quantizer.scores(z), attention.project_scores(torch.cat(heads, 1)))


def test_eval_takes_the_codebook_of_the_largest_logit() -> None:
    quantizer, z = trained(), rows()
    result = quantizer(z)
    assert torch.equal(result.pairs[:, 0], quantizer.scores(z).argmax(1))
    assert torch.equal(quantizer(z).pairs, result.pairs)
    assert torch.equal(quantizer.quantize(z), result.pairs)
    torch.testing.assert_close(quantizer.dequantize(result.pairs), result.values)
    for i in range(len(SIZES)):
        mine = result.pairs[:, 0] == i
        expected = quantizer.codebooks[i].quantize(quantizer.down[i](z))
        assert torch.equal(result.pairs[mine, 1], expected[mine])


def test_training_samples_the_codebook_whatever_the_temperature() -> None:
    quantizer, z = layer(), rows(2000)
    scores = quantizer.scores(z)
    cold, warm = (quantizer._choice(scores, temperature).argmax(1) for temperature in (1e-3, 1.0))
    assert not torch.equal(cold, scores.argmax(1))
    assert not torch.equal(cold, warm)  # new noise in every step
    shares = torch.bincount(cold, minlength=3) / len(z)
    torch.testing.assert_close(shares, scores.softmax(1).mean(0), atol=0.04, rtol=0)
    quantizer.steps.zero_()
    assert torch.equal(quantizer._choice(scores, 100.0).argmax(1), cold)  # the same noise


def test_the_choice_is_one_hot_forward_and_soft_backward() -> None:
    quantizer = layer()
    logits = rows(2000)[:, :3].requires_grad_()
    choice = quantizer._choice(logits, 2.0)
    assert sorted(choice.detach().unique().tolist()) == [0.0, 1.0]  # exactly
    assert torch.equal(choice.detach().sum(1), torch.ones(2000))
    gradient = torch.autograd.grad((choice * torch.tensor([1.0, 2.0, 3.0])).sum(), logits)[0]
    assert bool((gradient.abs().sum(1) > 0).all())


def test_every_part_that_is_not_a_codebook_gets_a_gradient() -> None:
    quantizer, z = layer(), rows().requires_grad_()
    result = quantizer(z, temperature=2.0)
    (result.values.square().mean() + result.loss).backward()
    assert z.grad is not None
    assert all(bool((parameter.grad != 0).any()) for parameter in quantizer.parameters())


def test_loss_averages_the_codebooks_over_all_rows() -> None:
    quantizer, z = trained(), rows()
    expected = 0.0
    for book, down in zip(quantizer.codebooks, quantizer.down, strict=True):
        short = down(z).detach()
        expected += 0.25 * float((short - book.dequantize(book.quantize(short))).square().mean())
    assert float(quantizer(z).loss.detach()) == pytest.approx(expected / 3)
    quantizer.beta = 0.2
    assert float(quantizer(z).loss.detach()) == pytest.approx(0.2 * expected / 3)


def test_temperatures() -> None:
    assert [temperature_linear(m, 5) for m in range(5)] == [5, 4, 3, 2, 1]  # T = (iterations - m) + 1
    assert temperature_linear(0, 1) == 1
    assert temperature_exponential(0, 101) == 5
    assert temperature_exponential(50, 101) == pytest.approx((5 * 0.5) ** 0.5)
    assert temperature_exponential(100, 101) == pytest.approx(0.5)


def test_without_rate_the_nearest_value_of_all_codebooks_is_taken() -> None:
    quantizer, z = trained(), rows()
    values = [all_values(book, up).detach() for book, up in zip(quantizer.codebooks, quantizer.up, strict=True)]
    distances = (z[:, None].double() - torch.cat(values).double()).square().sum(2)
    starts = torch.tensor([0, 8, 24])
    pairs = quantizer.quantize_rate(z, 0.0, torch.ones(3), [torch.ones(n) for n, _ in SIZES])
    assert torch.equal(starts[pairs[:, 0]] + pairs[:, 1], distances.argmin(1))
    assert len(pairs[:, 0].unique()) > 1


def test_a_dear_bit_buys_the_cheapest_pair() -> None:
    quantizer = trained()
    bits = [torch.full((n,), 5.0) for n, _ in SIZES]
    bits[1][11] = 2.0
    bits[2][3] = 1.5
    pairs = quantizer.quantize_rate(rows(), 1e6, torch.tensor([1.0, 1.0, 2.0]), bits)
    assert pairs.unique(dim=0).tolist() == [[1, 11]]


def test_rate_and_distortion_trade_off() -> None:
    quantizer, z = trained(), rows()
    bits_of_id, bits = torch.ones(3), [torch.arange(1.0, n + 1) for n, _ in SIZES]
    rates, distortions = [], []
    for lam in (0.0, 0.01, 0.1, 1.0):
        pairs = quantizer.quantize_rate(z, lam, bits_of_id, bits)
        rates.append(sum(float(bits[i][k]) for i, k in pairs.tolist()))
        distortions.append(float((z - quantizer.dequantize(pairs)).square().sum()))
    assert rates == sorted(rates, reverse=True)
    assert distortions == sorted(distortions)


def test_pair_value_pair_is_the_identity_of_the_nearest_pair() -> None:
    quantizer = trained()
    pairs = torch.cat([torch.stack([torch.full((n,), i), torch.arange(n)], 1) for i, (n, _) in enumerate(SIZES)])
    values = quantizer.dequantize(pairs)
    found = quantizer.quantize_rate(values, 0.0, torch.ones(3), [torch.ones(n) for n, _ in SIZES])
    assert torch.equal(found, pairs)
    assert torch.equal(quantizer.dequantize(pairs[5:6]), values[5:6])  # whatever the other pairs are


@pytest.mark.parametrize(("pair", "message"), [((3, 0), "codewords 0 to 2"), ((1, 16), "0 to 15"), ((0, -1), "0 to 7")])
def test_a_pair_outside_the_alphabet_is_an_error(pair: tuple[int, int], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        layer().dequantize(torch.tensor([[2, 31], pair]))


def test_autocast_changes_no_pair() -> None:
    plain, mixed = layer(), layer()
    bits = torch.ones(3), [torch.ones(n) for n, _ in SIZES]
    for step in range(3):
        z = rows(seed=step)
        expected = plain(z)
        with torch.autocast("cpu", torch.bfloat16):
            result = mixed(z)
            assert torch.equal(result.pairs, expected.pairs)
            assert torch.equal(result.values, expected.values)
            pairs = mixed.quantize(z), mixed.quantize_rate(z, 0.1, *bits)
        assert torch.equal(pairs[0], plain.quantize(z))
        assert torch.equal(pairs[1], plain.quantize_rate(z, 0.1, *bits))


def test_eval_changes_nothing() -> None:
    quantizer = trained()
    before = copy.deepcopy(quantizer.state_dict())
    quantizer(rows(seed=9))
    assert all(torch.equal(value, before[name]) for name, value in quantizer.state_dict().items())


def test_a_checkpoint_continues_to_the_same_result() -> None:
    straight = trained().train()
    resumed = layer()
    resumed.load_state_dict(copy.deepcopy(straight.state_dict()))
    for step in range(3, 6):
        torch.manual_seed(step)  # of no concern to the layer: its noise is seeded with its own counter
        a = straight(rows(20, seed=step))
        b = resumed(rows(20, seed=step))
        assert torch.equal(a.pairs, b.pairs)
        assert torch.equal(a.values, b.values)


def test_all_codebooks_stay_in_use() -> None:
    quantizer, z = trained(), rows()
    for (n, _), book, down in zip(SIZES, quantizer.codebooks, quantizer.down, strict=True):
        assert usage(book.quantize(down(z)), n).share_used > 0.9


def test_learnable_numbers() -> None:
    """Three hidden x hidden projections, m keys and values, m scores, a linear layer into and out of every codebook."""
    linear = sum(HIDDEN * d + d + d * HIDDEN + HIDDEN for _, d in SIZES)
    scores = 3 * HIDDEN + 3
    assert sum(p.numel() for p in layer().parameters()) == 3 * HIDDEN**2 + 2 * 3 * HIDDEN + scores + linear
    assert sum(book.codebook.numel() for book in layer().codebooks) == 3 * 32

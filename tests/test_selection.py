"""The choice of a codebook by attention: scores, the gradient of a choice, slices, and eq. 4 over shared codebooks."""

import copy

import pytest
import torch
from torch import Tensor

from latticecodec.lab.quantizers import AttentiveAdaptiveQuantizer, SharedAdaptiveQuantizer
from latticecodec.lab.quantizers.selection import SliceAttention, gumbel_choice, largest

SIZES = ((16, 1), (8, 2), (4, 4))  # 16 numbers each, 28 codewords in all
FIRST = (0, 16, 24, 28)  # where each codebook begins in the union
WIDTHS = (1, 2, 4, 3)


def layer(**settings: object) -> AttentiveAdaptiveQuantizer:
    """With an attention that tells slices apart, as if trained."""
    torch.manual_seed(0)
    quantizer = AttentiveAdaptiveQuantizer(SIZES, WIDTHS, **settings)  # type: ignore[arg-type]
    with torch.no_grad():
        quantizer.selection.query.mul_(3)
        quantizer.selection.attention.values.sub_(quantizer.selection.attention.values.mean(0))
    return quantizer


def rows(count: int = 200, seed: int = 0) -> Tensor:
    return torch.randn(count, sum(WIDTHS), generator=torch.Generator().manual_seed(seed))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_a_temperature_changes_the_gradient_and_not_the_choice() -> None:
    scores = torch.randn(500, 3, generator=generator()).requires_grad_()
    hot, cold = (gumbel_choice(scores, temperature, generator()) for temperature in (50.0, 0.5))
    assert torch.equal(hot, cold)
    assert hot.detach().unique().tolist() == [0.0, 1.0]  # exactly
    flat, steep = (torch.autograd.grad(choice[:, 0].sum(), scores)[0].abs().mean() for choice in (hot, cold))
    assert 0 < flat < 0.1 * steep


def test_choices_are_drawn_as_often_as_their_softmax_says() -> None:
    shares = torch.tensor([0.5, 0.25, 0.15, 0.1])
    choice = gumbel_choice(shares.log().expand(20_000, 4), 1.0, generator())
    torch.testing.assert_close(choice.mean(0), shares, atol=0.015, rtol=0)  # four standard deviations


def test_without_noise_the_largest_score_is_chosen() -> None:
    scores = torch.tensor([[0.0, 2.0, 1.0]])
    assert largest(scores).tolist() == [[0.0, 1.0, 0.0]]


def test_every_slice_asks_in_its_own_way() -> None:
    torch.manual_seed(0)
    attention = SliceAttention((2, 2), 3)
    part = torch.randn(50, 2, generator=generator())
    scores = attention((part, part))
    assert scores.shape == (50, 2, 3)
    assert not torch.allclose(scores[:, 0], scores[:, 1])
    torch.testing.assert_close(attention((part[:1], part[:1])), scores[:1])


def test_the_codeword_is_the_best_of_the_codebook_with_the_largest_score() -> None:
    quantizer, z = layer().eval(), rows()
    result = quantizer(z)
    chosen = quantizer.selection(quantizer.slices(z)).argmax(2)  # [N, G]
    assert len(chosen.unique()) > 1
    for group, (part, codewords) in enumerate(zip(quantizer.slices(z), quantizer.candidates(), strict=True)):
        for book in range(3):
            mine, at = chosen[:, group] == book, slice(FIRST[book], FIRST[book + 1])
            expected = FIRST[book] + torch.cdist(part[mine], codewords[at]).argmin(1)
            assert torch.equal(result.indices[mine, group], expected)
    assert torch.equal(quantizer.quantize(z), result.indices)
    assert torch.equal(quantizer.dequantize(result.indices), result.values)


def test_penalties_count_within_the_codebook() -> None:
    quantizer, z = layer().eval(), rows(50)
    penalty = torch.full((28,), 1e6)
    penalty[list(FIRST[:3])] = 0.0  # the first codeword of each codebook
    assert set(quantizer.quantize(z, [penalty] * 4).flatten().tolist()) <= set(FIRST[:3])
    assert torch.equal(quantizer.quantize(z, [penalty.expand(50, -1)] * 4), quantizer.quantize(z, [penalty] * 4))


def test_the_loss_is_the_mean_over_all_codebooks() -> None:
    quantizer, z = layer(commitment=0.5).eval(), rows()
    squares = [
        (z - quantizer.dequantize(indices)).square().mean()
        for indices in quantizer(z).inside.unbind(2)  # each codebook's own best
    ]
    torch.testing.assert_close(quantizer(z).loss, 0.5 * torch.stack(squares).mean())


def test_reconstruction_and_bits_teach_the_attention() -> None:
    quantizer, z = layer(), rows().requires_grad_()
    result = quantizer(z)
    selection = list(quantizer.selection.parameters())
    gradients = torch.autograd.grad((result.values - z.detach()).square().mean(), [z, *selection], retain_graph=True)
    assert all(bool((gradient != 0).any()) for gradient in gradients)
    logits = torch.randn(4, 200, 28, generator=generator())
    bits = result.rate_gradient(logits)
    assert bits.shape == (4, 200)
    assert torch.equal(bits.detach(), torch.zeros(4, 200))
    assert all(bool((gradient != 0).any()) for gradient in torch.autograd.grad(bits.sum(), selection))


def test_a_step_towards_fewer_bits_prefers_the_cheap_codebook() -> None:
    quantizer, z = layer(), rows()
    logits = torch.zeros(4, 200, 28)
    logits[:, :, 16:24] = 5.0  # those of codebook 1 cost least
    optimiser = torch.optim.Adam(quantizer.selection.parameters(), lr=0.02)
    for _ in range(20):
        optimiser.zero_grad()
        quantizer(z).rate_gradient(logits).sum().backward()
        optimiser.step()
    assert float((quantizer.eval()(z).choice[:, :, 1] == 1).float().mean()) > 0.9


def test_all_codebooks_learn_from_all_slices() -> None:
    quantizer = layer()
    before = [book.codebook.clone() for book in quantizer.books()]
    with torch.no_grad():  # an attention that always chooses codebook 0
        quantizer.selection.attention.project_scores.bias.copy_(torch.tensor([100.0, 0.0, 0.0]))
    assert int(quantizer(rows()).indices.max()) < 16
    assert all(not torch.equal(book.codebook, old) for book, old in zip(quantizer.books(), before, strict=True))
    assert float(quantizer.counts[:, 16:].max()) < 1  # but only what was chosen counts as bits


def test_the_temperature_falls_over_the_steps_of_the_training() -> None:
    seen: list[float] = []
    quantizer = layer(temperature="exponential")
    quantizer.iterations = 3
    schedule = quantizer.schedule
    quantizer.schedule = lambda step, steps: seen.append(schedule(step, steps)) or seen[-1]  # type: ignore[func-returns-value]
    for step in range(3):
        quantizer(rows(seed=step))
    assert seen == pytest.approx([5.0, 2.5**0.5, 0.5])


def test_a_checkpoint_continues_to_the_same_result() -> None:
    straight, resumed = layer(), layer()
    straight(rows())
    resumed.load_state_dict(copy.deepcopy(straight.state_dict()))
    assert torch.equal(straight(rows(seed=1)).indices, resumed(rows(seed=1)).indices)


def test_evaluation_learns_nothing_and_draws_nothing() -> None:
    quantizer = layer().eval()
    before = copy.deepcopy(quantizer.state_dict())
    assert torch.equal(quantizer(rows()).indices, quantizer(rows()).indices)
    assert all(torch.equal(value, before[name]) for name, value in quantizer.state_dict().items())


def test_autocast_changes_no_choice() -> None:
    plain, mixed = layer(), layer()
    for step in range(2):
        expected = plain(rows(seed=step))
        with torch.autocast("cpu", torch.bfloat16):
            result = mixed(rows(seed=step))
            assert torch.equal(mixed.quantize(rows()), plain.quantize(rows()))
        assert torch.equal(result.indices, expected.indices)
        assert torch.equal(result.values, expected.values)


def test_the_union_is_that_of_costs() -> None:
    """Both choices write the same codewords."""
    quantizer, other = layer(), SharedAdaptiveQuantizer(SIZES, WIDTHS)
    other.begin_at(quantizer.union())
    torch.testing.assert_close(other.union(), quantizer.union(), atol=1e-5, rtol=1e-5)

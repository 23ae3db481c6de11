"""The beginnings of the papers' codebooks, the two variants of the rotation, and the adaptive temperature."""

from dataclasses import replace

import pytest
import torch

from latticecodec.papers import presets_balance, presets_rotation
from latticecodec.papers.bottleneck import KINDS, Adaptive, begin
from latticecodec.papers.variants import ReflectedQuantizer
from latticecodec.quantizers import RescaledQuantizer, RotationQuantizer, VectorQuantizer


def begun(start: str, update: str = "ema") -> VectorQuantizer:
    quantizer = VectorQuantizer(64, 8, update=update, revive_below=0.0)  # type: ignore[arg-type]
    begin(quantizer, start, torch.Generator().manual_seed(0))
    return quantizer


def test_uniform_codewords_are_within_one_over_k_and_unused_ones_fall_to_zero() -> None:
    quantizer = begun("uniform")
    assert 0 < quantizer.codebook.abs().max() <= 1 / 64
    quantizer(torch.ones(32, 8))
    unused = quantizer.counts == 0
    assert 0 < unused.sum() < 64
    assert quantizer.codebook[unused].abs().max() == 0


def test_the_examples_codewords_without_a_row_are_far_away_after_a_step_and_come_back() -> None:
    quantizer = begun("example")
    quantizer(torch.zeros(32, 8))
    unused = quantizer.counts < 1e-3
    assert unused.sum() == 63  # rows that are all alike go to one code
    far = quantizer.codebook[unused].norm(dim=1).min()
    assert far > 1e4
    for _ in range(700):
        quantizer(torch.zeros(32, 8))
    assert quantizer.codebook[unused].norm(dim=1).min() < 10
    assert float(quantizer.counts[unused].max()) == pytest.approx(1e-5 / (1 - 0.99), rel=0.01)


def test_the_examples_moving_averages_are_those_of_its_formulas() -> None:
    """Laplace smoothing of the counts is kept: c <- (c + e) n / (n + K e) after c <- 0.99 c + 0.01 sizes."""
    generator = torch.Generator().manual_seed(0)
    quantizer = begun("example")
    counts, sums = torch.zeros(64), quantizer.sums.clone()
    for _ in range(3):
        z = torch.randn(32, 8, generator=generator)
        rows = torch.nn.functional.one_hot(quantizer(z).indices, 64).float()  # [32, 64]
        counts = 0.99 * counts + 0.01 * rows.sum(0)
        total = counts.sum()
        counts = (counts + 1e-5) / (total + 64 * 1e-5) * total
        sums = 0.99 * sums + 0.01 * rows.T @ z
        assert torch.allclose(quantizer.codebook, sums / counts[:, None], rtol=1e-4)
    before = quantizer.counts.clone()
    quantizer.eval()(z)
    assert torch.equal(quantizer.counts, before)


def test_a_codebook_that_learns_by_gradient_begins_where_it_is_told() -> None:
    quantizer = begun("uniform", "gradient")
    before = quantizer.codebook.detach().clone()
    quantizer(torch.ones(32, 8))
    assert torch.equal(quantizer.codebook, before)


def gradient(kind: type[VectorQuantizer], z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Values of z [N, D] and the gradient that z gets from their sum, with one codeword (3, 4)."""
    quantizer = kind(1, 2, revive_below=0.0)
    quantizer.begin_at(torch.tensor([[3.0, 4.0]]))
    quantizer.eval()
    rows = z.clone().requires_grad_()
    values = quantizer(rows).values
    values.sum().backward()
    assert rows.grad is not None
    return values.detach(), rows.grad


def test_rescaling_divides_the_turned_gradient_by_one_plus_the_distance() -> None:
    z = torch.tensor([[3.0, 3.0], [0.0, 4.0]])  # 1 and 3 away
    values, turned = gradient(RotationQuantizer, z)
    rescaled, scaled = gradient(RescaledQuantizer, z)
    assert torch.equal(rescaled, values)
    assert torch.allclose(scaled, turned / torch.tensor([[2.0], [4.0]]))


def test_the_published_code_gives_the_decoder_the_length_of_the_row() -> None:
    z = torch.tensor([[0.0, 10.0]])
    values, straight = gradient(ReflectedQuantizer, z)
    assert torch.allclose(values, torch.tensor([[6.0, 8.0]]))
    assert torch.equal(straight, torch.ones(1, 2))


@pytest.mark.parametrize(("temperature", "first", "last"), [("linear", 100.0, 1.0), ("exponential", 5.0, 0.5)])
def test_temperatures(temperature: str, first: float, last: float) -> None:
    experiment = replace(presets_balance.ADAPTIVE, sizes=((4, 2), (8, 1)), temperature=temperature)
    bottleneck = KINDS["adaptive"](experiment, 8, 100, 0)
    assert isinstance(bottleneck, Adaptive)
    assert [bottleneck.schedule(step / 100) for step in (0, 99)] == pytest.approx([first, last])  # of 100 steps
    assert bottleneck.schedule(1.0) == pytest.approx(last)  # after the last one


def test_all_kinds_give_values_that_their_symbols_give_again() -> None:
    z = torch.randn(40, 8)
    for name, kind in KINDS.items():
        experiment = replace(presets_rotation.ROTATION, codes=16, dimensions=8, sizes=((4, 2), (8, 1)), quantizer=name)
        bottleneck = kind(experiment, 8, 10, 0).eval()
        passed = bottleneck(z, 0.5)
        assert passed.values.shape == z.shape
        if name != "rotation-as-coded":
            assert torch.allclose(bottleneck.dequantize(passed.symbols), passed.values, atol=1e-5), name

"""The beginnings of the papers' codebooks, the two variants of the rotation, and the adaptive temperature."""

from dataclasses import replace

import pytest
import torch
from paper_rows import KINDS as ROWS

from latticecodec.lab.papers.bottleneck import KINDS, Adaptive, Passed, Projected, begin
from latticecodec.lab.papers.looks import gap_at_encoder
from latticecodec.lab.papers.loop import objective
from latticecodec.lab.papers.model import PaperModel
from latticecodec.lab.papers.tables import balance, rotation
from latticecodec.lab.papers.variants import ReflectedQuantizer
from latticecodec.lab.quantizers import RescaledQuantizer, RotationQuantizer, VectorQuantizer


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
    experiment = replace(balance.ADAPTIVE, sizes=((4, 2), (8, 1)), temperature=temperature)
    bottleneck = KINDS["adaptive"](experiment, 8, 100, 0)
    assert isinstance(bottleneck, Adaptive)
    assert [bottleneck.schedule(step / 100) for step in (0, 99)] == pytest.approx([first, last])  # of 100 steps
    assert bottleneck.schedule(1.0) == pytest.approx(last)  # after the last one


def test_all_kinds_give_values_that_their_symbols_give_again() -> None:
    z = torch.randn(40, 8)
    for name, kind in KINDS.items():
        experiment = replace(rotation.ROTATION, codes=16, dimensions=8, sizes=((4, 2), (8, 1)), quantizer=name)
        bottleneck = kind(experiment, 8, 10, 0).eval()
        passed = bottleneck(z, 0.5)
        assert passed.values.shape == z.shape
        if name != "rotation-as-coded":
            assert torch.allclose(bottleneck.dequantize(passed.symbols), passed.values, atol=1e-5), name


def test_a_fixed_codebook_is_the_adaptive_quantizer_with_one_codebook() -> None:
    """Both have projections to D and back around the search, so that Table 2 compares codebooks alone."""
    e = replace(balance.FIXED, codes=16, dimensions=2, beta=0.5)
    fixed = KINDS["vq-ema-projected"](e, 8, 10, 0)
    adaptive = KINDS["adaptive"](replace(e, quantizer="adaptive", sizes=((16, 2),)), 8, 10, 0)
    assert isinstance(fixed, Projected)
    assert isinstance(adaptive, Adaptive)
    adaptive.quantizer.down[0].load_state_dict(fixed.down.state_dict())
    adaptive.quantizer.up[0].load_state_dict(fixed.up.state_dict())
    adaptive.quantizer.codebooks[0].load_state_dict(fixed.quantizer.state_dict())
    z = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    ours, theirs = fixed(z, 0.5), adaptive(z, 0.5)
    assert torch.allclose(ours.values, theirs.values, atol=1e-5)
    assert torch.equal(ours.symbols[:, 0], theirs.symbols[:, 1])
    assert torch.allclose(ours.loss, theirs.loss)
    assert fixed.losses(z) == pytest.approx(adaptive.losses(z))


def test_networks_of_balance_leave_the_projection_to_the_quantizer() -> None:
    for experiment in (balance.FIXED, balance.ADAPTIVE):
        rows, _ = PaperModel(replace(experiment, codes=16, dimensions=2, sizes=((16, 2),)), 1, 1, 0).encode(
            torch.zeros(1, 1, 8, 8)
        )
        assert rows.shape == (4, 128)


@pytest.mark.parametrize("kind", ["vq", "projected", "adaptive", "lattice"])
def test_the_gradient_gap_is_that_of_the_encoders_output(kind: str) -> None:
    """Eq. 5 of "Balance": gradients with and without the search, both taken through the projections."""
    model = PaperModel(ROWS[kind], 1, 10, 0).eval()
    x = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    with torch.no_grad():
        rows, shape = model.encode(x)
        passed = model.bottleneck(rows, 1.0)
    at = rows.clone().requires_grad_()
    found = []
    for values in (model.bottleneck.unquantized(at, passed.symbols), model.bottleneck(at, 1.0).values):
        (gradient,) = torch.autograd.grad((model.decode(values, shape) - x).square().mean(), at, retain_graph=True)
        found.append(gradient)
    gap = gap_at_encoder(model, x, rows, shape, passed)
    assert gap > 0
    if kind != "adaptive":  # whose own gradient has that of the choice in it
        assert gap == pytest.approx(float((found[0] - found[1]).norm()), rel=1e-3)
    chosen = passed.symbols[:1].expand(len(rows), -1)  # projections of another symbol give other values
    assert model.bottleneck.unquantized(rows, chosen).shape == rows.shape


def test_lossless_codebooks_have_no_gap() -> None:
    """Where every row is a codeword, the gradients are the same."""
    model = PaperModel(replace(ROWS["vq"], codes=32), 1, 10, 0).eval()
    x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    with torch.no_grad():
        rows, shape = model.encode(x)  # 16 rows
        model.bottleneck.quantizer.codebook[: len(rows)] = rows  # type: ignore[union-attr, operator, index]
        passed = model.bottleneck(rows, 1.0)
    assert gap_at_encoder(model, x, rows, shape, passed) == pytest.approx(0, abs=1e-7)


def test_the_loss_is_the_plain_squared_error() -> None:
    """Eq. 3 and 4 divide it by nothing: with beta = 1 the terms weigh as they are written."""
    x_hat, x = torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.1)
    passed = Passed(torch.zeros(1, 1), torch.zeros(1, 1, dtype=torch.int64), torch.tensor(0.5))
    assert float(objective(x_hat, x, passed)) == pytest.approx(0.01 + 0.5)

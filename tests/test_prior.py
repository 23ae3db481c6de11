"""The integer prior: exact sums, its float twin, its tables, its order of coding."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from latticecodec import Codec, ModelError
from latticecodec.config import PRESETS
from latticecodec.entropy.coder import PRECISION
from latticecodec.entropy.integer import IntegerPrior
from latticecodec.entropy.layers import Layer, shuffle
from latticecodec.entropy.numbers import LOG_SCALE_MIN, MEAN_MAX, SCALE_BITS, SCALE_COUNT
from latticecodec.entropy.steps import context_steps
from latticecodec.entropy.tables import integer_frequencies, make_table_index
from latticecodec.lab.nets.prior import compand, symbol_inputs
from latticecodec.lab.training.export import trainable
from latticecodec.zoo import find

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def state(tiny_model: Path) -> dict[str, torch.Tensor]:
    tensors = load_file(tiny_model / "model.safetensors")
    return {name.removeprefix("prior."): value for name, value in tensors.items() if name.startswith("prior.")}


def random_symbols(seed: int, *shape: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).standard_normal(shape) * 4).astype(np.int32)


def test_every_symbol_is_coded_once_and_each_step_sees_a_quarter() -> None:
    steps = context_steps(8, 5, 7)
    for step in range(4):
        assert int((context_steps(8, 4, 4) == step).sum()) == 8 * 4 * 4 // 4
    assert set(steps.unique().tolist()) == {0, 1, 2, 3}
    cell = context_steps(4, 2, 2)
    assert sorted(cell[0].flatten().tolist()) == [0, 1, 2, 3]  # a channel: one position of a cell in each step
    assert sorted(cell[:, 0, 0].tolist()) == [0, 1, 2, 3]  # a position: one channel group in each step
    assert cell[0].tolist() == [[0, 2], [3, 1]]  # a diagonal pair first


def test_decode_mirrors_encode(tiny: Codec) -> None:
    prior = tiny.kind.prior
    k, z = random_symbols(0, 32, 7, 9), random_symbols(1, 8, 2, 3)
    written: list[tuple[np.ndarray, np.ndarray]] = []
    np.testing.assert_array_equal(prior.encode(k + 0.3, z, 20, lambda *symbols: written.append(symbols)), k)
    answers = iter(written)

    def read(ids: np.ndarray) -> np.ndarray:
        residuals, expected = next(answers)
        np.testing.assert_array_equal(ids, expected)
        return residuals

    np.testing.assert_array_equal(prior.decode(read, (32, 7, 9), level=20), k)
    assert len(written) == 5


def test_integer_prior_computes_what_training_computes(tiny: Codec, tiny_model: Path) -> None:
    """The float twin, run in float32, predicts the same means and scales, up to halves rounded the other way."""
    model = trainable(find(tiny_model), tiny.config)
    k, z = random_symbols(2, 32, 8, 8), random_symbols(3, 8, 2, 2)
    with torch.no_grad():
        t = torch.tensor([0.5])
        features = model.prior.hyper(torch.from_numpy(z).float()[None], t)
        mean, scale = model.prior.context(torch.from_numpy(k).float()[None], features)
    ours = tiny.kind.prior.hyper.features(z, 32, 8, 8)  # level 32 is t = 0.508
    assert float((ours.view(1, 32, 8, 8) - features * 32).abs().max()) <= 1
    written: list[np.ndarray] = []
    tiny.kind.prior.encode(k.astype(np.float32), z, 32, lambda residuals, ids: written.append(ids))
    ids = np.concatenate(written[1:])
    index = np.round((scale[0].numpy() - LOG_SCALE_MIN) * 2**SCALE_BITS).clip(0, SCALE_COUNT - 1).astype(np.int32)
    steps = context_steps(32, 8, 8).numpy()
    expected = np.concatenate([index[steps == step] for step in range(4)])
    coded = np.searchsorted(tiny.kind.prior.index.first, ids, side="right") - 1  # table id -> scale index
    assert (coded == expected).mean() > 0.97
    assert np.abs(coded - expected).max() <= 1
    assert float(mean.abs().max()) < MEAN_MAX / 64


def test_self_test_is_the_one_in_the_config(tiny: Codec) -> None:
    assert tiny.kind.prior.fingerprint() == tiny.config.prior_sha256


def test_sums_that_could_be_inexact_are_refused(state: dict[str, torch.Tensor]) -> None:
    name = "context.leave"
    huge = {
        f"{name}.weight": torch.full((1, 600), 127, dtype=torch.int8),
        f"{name}.bias": torch.zeros(1, dtype=torch.int32),
        f"{name}.exponent": torch.ones(1, dtype=torch.int8),
    }
    with pytest.raises(ModelError, match=r"context\.leave.*2\^24"):
        Layer(name, huge, CPU)


def test_layer_arithmetic_by_hand() -> None:
    state = {
        "a.weight": torch.tensor([[3, -2], [127, 127]], dtype=torch.int8),
        "a.bias": torch.tensor([5, -7], dtype=torch.int32),
        "a.exponent": torch.tensor([3, 4], dtype=torch.int8),
    }
    layer = Layer("a", state, CPU)
    sums = layer.pointwise(torch.tensor([[10], [255]], dtype=torch.int32))
    assert sums.flatten().tolist() == [3 * 10 - 2 * 255 + 5, 127 * 265 - 7]
    assert layer.activate(sums).flatten().tolist() == [0, 255]
    assert layer.rescale(torch.tensor([[12], [24]], dtype=torch.int32), 5).flatten().tolist() == [2, 2]  # halves up


def test_depthwise_is_a_convolution() -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randint(-127, 128, (4, 9), generator=generator)
    x = torch.randint(0, 256, (4, 5 * 6), generator=generator, dtype=torch.int32)
    state = {"a.weight": weight.to(torch.int8), "a.bias": torch.zeros(4, dtype=torch.int32)}
    state["a.exponent"] = torch.full((4,), 3, dtype=torch.int8)
    expected = torch.nn.functional.conv2d(
        x.double().view(1, 4, 5, 6), weight.double().view(4, 1, 3, 3), padding=1, groups=4
    )
    assert torch.equal(Layer("a", state, CPU).depthwise(x, 5, 6).double(), expected.view(4, -1))


def test_shuffle_is_pixel_shuffle() -> None:
    x = torch.arange(8 * 3 * 5)
    expected = torch.nn.functional.pixel_shuffle(x.view(1, 8, 3, 5), 2)[0]
    assert torch.equal(shuffle(x.view(8, 15), 3, 5), expected)


def test_companding_look_up_is_the_training_function(state: dict[str, torch.Tensor]) -> None:
    k = torch.arange(0, 1200)
    assert torch.equal(state["compand"][k].float() / 32, symbol_inputs(k))
    assert float(compand(torch.tensor(1.0))) == pytest.approx(0.4407, abs=1e-4)


def test_tables_follow_the_distribution() -> None:
    index = make_table_index()
    scale = 24  # sigma = exp(-2.25 + 3) = 2.117
    ids, base = index.look_up(np.array([0], dtype=np.int32), np.array([scale], dtype=np.int32))
    row = index.tables.frequencies[index.tables.offsets[ids[0]] : index.tables.offsets[ids[0] + 1]]
    assert base.tolist() == [0]
    assert row.sum() == 1 << PRECISION
    residual = np.arange(len(row) - 1) - (len(row) - 2) // 2
    variance = (row[:-1] * residual**2).sum() / row.sum()
    sigma2 = np.exp(2 * (LOG_SCALE_MIN + scale / 8))
    assert variance == pytest.approx(sigma2 * (0.95 + 0.05 * 9) + 1 / 12, rel=0.01)


def test_base_and_fraction_stand_for_the_mean() -> None:
    """The table's centre plus the base is the mean, to the resolution of the scale."""
    index = make_table_index()
    mean = np.arange(-MEAN_MAX, MEAN_MAX + 1, dtype=np.int32)
    for scale in (0, 20, 27, 40, 63):
        ids, base = index.look_up(mean, np.full(len(mean), scale, dtype=np.int32))
        step = 1 << index.shifts[scale]
        fraction = (ids - index.first[scale]) * step + 8 % step
        centre = base + (fraction - 8) / 16
        assert np.abs(centre - np.sinh(mean / 64)).max() <= (step + 1) / 32 + 1e-9


def test_integer_frequencies_sum_exactly() -> None:
    frequencies = integer_frequencies(np.array([0.5, 0.3, 0.2, 0.0]))
    assert frequencies.sum() == 1 << PRECISION
    assert frequencies[3] == 1


def test_training_presets_fit_the_24_bit_bound() -> None:
    for config in PRESETS.values():
        worst = config.latents * 127 * 127 + config.features * 127 * 255
        assert worst < 2**24


def test_level_matters(tiny: Codec) -> None:
    """The quality level reaches the prior through the hyper-decoder's bias and the prior of z."""
    prior: IntegerPrior = tiny.kind.prior
    assert prior.hyper._z.shape == (2, 64, 8)
    assert prior.hyper._enter.bias.shape == (64, 128, 1)

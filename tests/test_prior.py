"""The integer prior: exact sums, its float twin, its tables, its order of coding."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from short_runs import trainable

from latticecodec import Codec, ModelError
from latticecodec.backends.prior import OnnxPrior
from latticecodec.backends.session import Session
from latticecodec.config import CONTEXT_STEPS, PRESETS
from latticecodec.entropy.coder import PRECISION
from latticecodec.entropy.hyper import IntegerHyper
from latticecodec.entropy.integer import LARGE, Context, IntegerPrior, Networks, NumpyNetworks
from latticecodec.entropy.layers import Layer, State, activate, shuffle
from latticecodec.entropy.numbers import LOG_SCALE_MIN, MEAN_MAX, SCALE_BITS, SCALE_COUNT
from latticecodec.entropy.steps import context_steps
from latticecodec.entropy.stream import Reader, Writer
from latticecodec.lab.nets import steps as lab_steps
from latticecodec.lab.nets.prior import FloatPrior, compand, symbol_inputs
from latticecodec.lab.nets.tables import integer_frequencies, make_table_index
from latticecodec.zoo import find


@pytest.fixture(scope="module")
def state(tiny_model: Path) -> State:
    tensors = load_file(tiny_model / "model.safetensors")
    return {name.removeprefix("prior."): value for name, value in tensors.items() if name.startswith("prior.")}


def random_symbols(seed: int, *shape: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).standard_normal(shape) * 4).astype(np.int32)


def test_every_symbol_is_coded_once_and_each_step_sees_a_quarter() -> None:
    steps = context_steps(8, 5, 7)
    for step in range(4):
        assert int((context_steps(8, 4, 4) == step).sum()) == 8 * 4 * 4 // 4
    assert set(steps.ravel().tolist()) == {0, 1, 2, 3}
    cell = context_steps(4, 2, 2)
    assert sorted(cell[0].flatten().tolist()) == [0, 1, 2, 3]  # a channel: one position of a cell in each step
    assert sorted(cell[:, 0, 0].tolist()) == [0, 1, 2, 3]  # a position: one channel group in each step
    assert cell[0].tolist() == [[0, 2], [3, 1]]  # a diagonal pair first
    np.testing.assert_array_equal(lab_steps.context_steps(8, 5, 7).numpy(), steps)


@pytest.mark.parametrize(("height", "width"), [(7, 9), (1, 1), (1, 4), (8, 2)])
def test_decode_mirrors_encode(tiny: Codec, height: int, width: int) -> None:
    prior = tiny.kind.prior
    k = random_symbols(0, 32, height, width)
    z = random_symbols(1, *prior.hyper.shape(height, width))
    writer = Writer(prior.tables)
    prior.hyper.write(z, 20, writer)
    view = prior.view(z, k.shape, 20)
    for step in view.steps:
        mean, scale = view.predict(step)
        chosen = prior.points.choose((k + np.float32(0.3))[view.own(step)], mean, scale)
        prior.points.write(chosen, mean, scale, writer)
        view.know(step, chosen)
    np.testing.assert_array_equal(view.known, k)
    reader = Reader(writer.finish(), prior.tables)
    np.testing.assert_array_equal(prior.hyper.read(height, width, 20, reader), z)
    mirror = prior.view(z, k.shape, 20)
    for step in mirror.steps:
        mirror.know(step, prior.points.read(*mirror.predict(step), reader))
    np.testing.assert_array_equal(mirror.known, k)
    assert mirror.known.dtype == np.int32


def test_integer_prior_computes_what_training_computes(tiny: Codec, tiny_model: Path) -> None:
    """The float twin, run in float32, predicts the same means and scales, up to halves rounded the other way."""
    model = trainable(find(tiny_model))
    k, z = random_symbols(2, 32, 8, 8), random_symbols(3, 8, 2, 2)
    with torch.no_grad():
        t = torch.tensor([0.5])
        features = model.prior.hyper(torch.from_numpy(z).float()[None], t)
        mean, scale = model.prior.context(torch.from_numpy(k).float()[None], features)
    prior = tiny.kind.prior
    ours = prior.hyper.features(z, 32, 8, 8)  # level 32 is t = 0.508
    assert np.abs(ours - features[0].numpy() * 32).max() <= 1
    view = prior.view(z, k.shape, 32)
    coded = np.empty_like(k)
    for step in view.steps:
        coded[view.own(step)] = view.predict(step)[1]
        view.know(step, k[view.own(step)])
    expected = np.round((scale[0].numpy() - LOG_SCALE_MIN) * 2**SCALE_BITS).clip(0, SCALE_COUNT - 1)
    assert (coded == expected).mean() > 0.97
    assert np.abs(coded - expected).max() <= 1
    assert float(mean.abs().max()) < MEAN_MAX / 64


def test_self_test_is_the_one_in_the_config(tiny: Codec) -> None:
    assert tiny.kind.prior.fingerprint() == tiny.config.prior_sha256


def layer_state(weight: np.ndarray, bias: np.ndarray, exponent: list[int]) -> State:
    tensors = {"weight": weight.astype(np.int8), "bias": bias.astype(np.int32), "exponent": np.array(exponent, np.int8)}
    return {f"a.{name}": value for name, value in tensors.items()}


def test_sums_that_could_be_inexact_are_refused() -> None:
    with pytest.raises(ModelError, match=r"prior layer a: .*2\^24"):
        Layer("a", layer_state(np.full((1, 600), 127), np.zeros(1), [3]))


def test_layer_arithmetic_by_hand() -> None:
    state = layer_state(np.array([[3, -2], [127, 127]]), np.array([5, -7]), [3, 4])
    sums = [3 * 10 - 2 * 255 + 5, 127 * 265 - 7]
    x = np.array([[10], [255]], dtype=np.float32)
    assert Layer("a", state).pointwise(x).ravel().tolist() == [(sums[0] + 4) >> 3, (sums[1] + 8) >> 4]
    finer = Layer("a", state, np.array([6, 3]))
    assert finer.pointwise(x).ravel().tolist() == [(sums[0] + 2) >> 2, (sums[1] + 32) >> 6]
    assert finer.rows(x.T).tolist() == finer.pointwise(x).T.tolist()
    assert activate(Layer("a", state).pointwise(x)).ravel().tolist() == [0, 255]
    halves = Layer("a", layer_state(np.array([[4], [4]]), np.zeros(2), [3, 3]))
    assert halves.pointwise(np.array([[3, -3]], dtype=np.float32))[0].tolist() == [2, -1]  # 1.5 and -1.5, halves up


def test_the_largest_sums_are_exact() -> None:
    """Sums next to 2^24 of weights that a layer just takes, in any unit: against 64-bit integers."""
    random = np.random.default_rng(0)
    weight = random.choice([-127, 127], (4, 480))
    bias = np.array([0, 1, 150_000, -150_000])
    x = random.integers(250, 256, (480, 5))
    weight[0] = 127
    for exponent in (3, 14):
        layer = Layer("a", layer_state(weight, bias, [exponent] * 4))
        expected = (weight @ x + bias[:, None] + (1 << exponent >> 1)) >> exponent
        assert layer.pointwise(x.astype(np.float32)).tolist() == expected.tolist()


@pytest.mark.parametrize(("channels", "height", "width"), [(4, 5, 6), (300, 10, 12), (3, 1, 1), (2, 200, 190)])
def test_depthwise_is_a_convolution(channels: int, height: int, width: int) -> None:
    random = np.random.default_rng(0)
    weight = random.integers(-127, 128, (channels, 9))
    bias = random.integers(-5000, 5000, channels)
    x = random.integers(0, 256, (channels, height, width))
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    taps = [padded[:, tap // 3 :, tap % 3 :][:, :height, :width] * weight[:, tap, None, None] for tap in range(9)]
    expected = (sum(taps) + bias[:, None, None] + 4) >> 3
    layer = Layer("a", layer_state(weight, bias, [3] * channels))
    out = layer.depthwise(x.reshape(channels, -1).astype(np.float32), height, width)
    np.testing.assert_array_equal(out, expected.reshape(channels, -1))


def test_shuffle_is_pixel_shuffle() -> None:
    x = torch.arange(8 * 3 * 5, dtype=torch.float32)
    expected = torch.nn.functional.pixel_shuffle(x.view(1, 8, 3, 5), 2)[0]
    np.testing.assert_array_equal(shuffle(x.view(8, 15).numpy(), 3, 5), expected.numpy())


def test_companding_look_up_is_the_training_function(state: State) -> None:
    k = torch.arange(0, 1200)
    np.testing.assert_array_equal(state["compand"][:1200], (symbol_inputs(k) * 32).numpy())
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


def test_a_look_up_is_what_the_means_say() -> None:
    """Ids and bases of all pairs, kept in a table, are those of the mean in sixteenths."""
    index = make_table_index()
    mean = np.arange(-MEAN_MAX, MEAN_MAX + 1, 3, dtype=np.int32)
    for scale in range(SCALE_COUNT):
        scales = np.full(len(mean), scale, dtype=np.int32)
        np.testing.assert_array_equal(index.look_up(mean, scales), index.locate(index.means[mean + MEAN_MAX], scales))


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


def test_a_new_hyper_decoder_learns_from_hyper_latents_that_say_nothing() -> None:
    """At zero everywhere a rectified unit has no gradient, and would never leave it."""
    hyper = FloatPrior(PRESETS["lc-test"]).hyper
    features = hyper(torch.zeros(1, PRESETS["lc-test"].hyper_latents, 2, 2), torch.tensor([0.5]))  # [1, F, 8, 8]
    (features * torch.randn(features.shape, generator=torch.Generator().manual_seed(0))).sum().backward()
    assert (hyper.enter.bias.grad != 0).all()
    assert all(value.grad.any() for name, value in hyper.named_parameters() if name != "enter.weight")


def test_level_matters(tiny: Codec) -> None:
    """The quality level reaches the prior through the hyper-decoder's bias and the prior of z."""
    prior: IntegerPrior = tiny.kind.prior
    assert prior.hyper._z.shape == (2, 64, 8)
    assert prior.hyper.enter.bias.shape == (64, 128, 1)


@pytest.mark.parametrize(("height", "width"), [(2, 2), (2, 5), (7, 9), (24, 31)])
def test_the_engine_adds_the_same_integers(tiny: Codec, height: int, width: int) -> None:
    hyper, context = tiny.kind.prior.hyper, tiny.kind.prior._context
    engine, known = OnnxPrior("tiny", hyper, context), context.adaptors[0].weight.shape[1]
    inputs = np.random.default_rng(height).integers(-127, 256, (known, height, width)).astype(np.float32)
    for step in range(CONTEXT_STEPS):
        for ours, numpys in zip(engine.leaving(inputs, step), context.leaving(inputs, step), strict=True):
            np.testing.assert_array_equal(ours, numpys)
    symbols = hyper.inputs(random_symbols(4, *hyper.shape(height, width)))
    for level in (0, 20, 63):
        np.testing.assert_array_equal(engine.features(symbols, level), hyper.decoded(symbols, level))


def test_large_pictures_go_to_the_engine(tiny: Codec, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """From LARGE positions on, unless one side is a single position; and to one of them, whoever comes first.

    Numpy has no part in their products: its threads would go on to spin while those of the engine work.
    """
    started = []

    def engine(hyper: IntegerHyper, context: Context) -> Networks:
        started.append(context)
        return NumpyNetworks(hyper, context)

    prior = IntegerPrior(tiny.config, state, engine)
    for height, width, starts in [(22, 23, 0), (1, LARGE, 0), (16, 32, 1), (23, 23, 1)]:
        view = prior.view(random_symbols(1, *prior.hyper.shape(height, width)), (32, height, width), 20)
        view.predict(0)
        assert len(started) == starts
    prior, shape = tiny.kind.prior, (32, 23, 23)
    z = random_symbols(1, *prior.hyper.shape(23, 23))
    prior.view(z, shape, 20)  # the engine's start compares with numpy
    monkeypatch.setattr("latticecodec.entropy.layers.product", None)
    prior.view(z, shape, 20).predict(0)


@pytest.mark.parametrize(("network", "outputs"), [("hyper-decoder", 1), ("context network", 4)])
def test_an_engine_that_adds_wrongly_is_noticed(
    tiny: Codec, monkeypatch: pytest.MonkeyPatch, network: str, outputs: int
) -> None:
    run = Session.__call__

    def wrong(self: Session, **inputs: np.ndarray) -> list[np.ndarray]:
        found = run(self, **inputs)
        return [out + (out > 9) for out in found] if len(found) == outputs else found

    monkeypatch.setattr(Session, "__call__", wrong)
    with pytest.raises(ModelError, match=f"model tiny: the self-test of its {network} fails on this processor"):
        OnnxPrior("tiny", tiny.kind.prior.hyper, tiny.kind.prior._context)

"""The integer prior of categorical indices: mirrored, exact, its float twin, and worth its context."""

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from latticecodec import FormatError, ModelError
from latticecodec.coder import PRECISION, Decoder, Encoder, Int32, row_bits
from latticecodec.config import PRESETS
from latticecodec.prior.categorical import IntegerCategorical, coding_pass, frequencies
from latticecodec.prior.categorical_network import CategoricalPrior, index_bits
from latticecodec.prior.categorical_state import LIMIT, categorical_state
from latticecodec.prior.state import float_tensors

CPU = torch.device("cpu")
CONFIG = dataclasses.replace(PRESETS["lc-test"], hyper_width=8, features=16, context_width=16)
STAGES, CODES, LEVEL = 4, 12, 20
PINNED = "5342cb90e7a9367d1000884fea49dbedd86814a9e5f26e1c521cab96aa2c8999"


def recovered(state: dict[str, torch.Tensor]) -> CategoricalPrior:
    """The float prior that the integers of `state` came from."""
    prior = CategoricalPrior(CONFIG, STAGES, CODES)
    prior.load_state_dict(float_tensors(prior, state, {}))
    return prior


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """In networks this small, threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def drawn(seed: int, low: int, high: int, shape: tuple[int, ...]) -> Int32:
    """Integers low..high from PCG64's raw words, which no version of numpy changes."""
    raw = np.random.PCG64(seed).random_raw(int(np.prod(shape)))
    return (raw % np.uint64(high - low + 1)).astype(np.int32).reshape(shape) + np.int32(low)


def drawn_state() -> dict[str, Tensor]:
    """Integer weights that no training made; they do not depend on the quality level."""
    state = categorical_state(CategoricalPrior(CONFIG, STAGES, CODES))
    for seed, name in enumerate(sorted(state)):
        shape = tuple(state[name].shape)
        if name.endswith(".weight"):
            weight = drawn(seed, -64, 64, shape)
            weight[:, 0] = 64  # what makes the exponent follow from the weights
            state[name] = torch.from_numpy(weight).to(torch.int8)
        elif name.endswith(".exponent"):
            state[name] = torch.from_numpy(drawn(seed, 6, 7, shape)).to(torch.int8)
        elif name.endswith(".bias"):
            own = (1, shape[1]) if name == "hyper.enter.bias" else shape
            state[name] = torch.from_numpy(drawn(seed, -2000, 2000, own)).expand(shape).contiguous()
    return state


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return drawn_state()


@pytest.fixture(scope="module")
def prior(state: dict[str, Tensor]) -> IntegerCategorical:
    return IntegerCategorical(CONFIG, STAGES, CODES, state, CPU)


def drawn_symbols(prior: IntegerCategorical, used: int, height: int, width: int) -> tuple[Int32, Int32]:
    """Indices [used, height, width] and hyper-latents."""
    indices = drawn(100, 0, prior.codes - 1, (used, height, width))
    return indices, drawn(101, -3, 3, prior.hyper.shape(height, width))


def encoded(prior: IntegerCategorical, indices: Int32, z: Int32) -> bytes:
    encoder = Encoder()
    prior.encode(indices, z, LEVEL, lambda *symbols: encoder.put(*symbols, prior.tables), encoder.put_rows)
    return encoder.finish()


def decoded(prior: IntegerCategorical, data: bytes, used: int, height: int, width: int) -> Int32:
    decoder = Decoder(data)
    return prior.decode(lambda ids: decoder.get(ids, prior.tables), decoder.get_rows, used, height, width, LEVEL)


def stage_rows(prior: IntegerCategorical, indices: Int32, z: Int32) -> list[tuple[Int32, Int32]]:
    """The calls of `put_rows`: one for each stage of each pass."""
    calls: list[tuple[Int32, Int32]] = []
    prior.encode(indices, z, LEVEL, lambda *_: None, lambda *rows: calls.append(rows))
    return calls


# ---- coding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("used", [1, 3, STAGES])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 6), (5, 7), (8, 8)])
def test_decode_mirrors_encode(prior: IntegerCategorical, used: int, height: int, width: int) -> None:
    indices, z = drawn_symbols(prior, used, height, width)
    result = decoded(prior, encoded(prior, indices, z), used, height, width)
    np.testing.assert_array_equal(result, indices)
    assert result.dtype == np.int32


def test_order_of_coding(prior: IntegerCategorical, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even positions of every stage, then odd ones; how many are computed at once changes nothing."""
    indices, z = drawn_symbols(prior, 2, 3, 3)
    calls = stage_rows(prior, indices, z)
    even = coding_pass(3, 3) == 0
    assert even.ravel().tolist() == [True, False] * 4 + [True]
    for (symbols, _), expected in zip(calls, [*indices[:, even], *indices[:, ~even]], strict=True):
        np.testing.assert_array_equal(symbols, expected)
    data = encoded(prior, indices, z)
    monkeypatch.setattr("latticecodec.prior.categorical.ROWS", 2)
    assert encoded(prior, indices, z) == data
    np.testing.assert_array_equal(decoded(prior, data, 2, 3, 3), indices)


def test_bytes_are_pinned(prior: IntegerCategorical) -> None:
    """Frozen: a change of these bytes is a new major version of the format."""
    indices, z = drawn_symbols(prior, STAGES, 7, 9)
    encoder = Encoder()
    prior.encode(indices, z, LEVEL, lambda *_: None, encoder.put_rows)
    assert hashlib.sha256(encoder.finish()).hexdigest() == PINNED


def test_truncated_streams_are_harmless(prior: IntegerCategorical) -> None:
    indices, z = drawn_symbols(prior, STAGES, 5, 6)
    data = encoded(prior, indices, z)
    for length in range(0, len(data) - 1, 5):
        with contextlib.suppress(FormatError):
            result = decoded(prior, data[:length], STAGES, 5, 6)
            assert not np.array_equal(result, indices)
            assert result.min() >= 0
            assert result.max() < CODES


@pytest.mark.parametrize("used", [0, STAGES + 1])
def test_impossible_stage_counts_are_refused(prior: IntegerCategorical, used: int) -> None:
    with pytest.raises(FormatError, match="stages"):
        decoded(prior, b"", used, 4, 4)


def test_fingerprint_knows_every_tensor(prior: IntegerCategorical, state: dict[str, Tensor]) -> None:
    own = prior.fingerprint()
    assert own == prior.fingerprint()
    for name in ("hyper.leave.bias", "embedding.known.bias", "embedding.stages.bias", "context.leave.3.bias"):
        other = state | {name: state[name] + 500}
        assert IntegerCategorical(CONFIG, STAGES, CODES, other, CPU).fingerprint() != own, name


# ---- frequencies ----------------------------------------------------------------------------------------------------


def test_frequencies_sum_to_the_precision(state: dict[str, Tensor]) -> None:
    for codes in (2, 3, 1000):
        for spread in (1, 100, 1 << 19):
            logits = torch.from_numpy(drawn(codes, -spread, spread, (codes, 20)))
            rows = frequencies(logits, state["powers"].long())
            assert rows.shape == (20, codes)
            assert rows.flags.c_contiguous
            assert rows.min() >= 1
            assert (rows.sum(1, dtype=np.int64) == 1 << PRECISION).all()
            assert (np.take_along_axis(rows, logits.T.argmax(1, keepdim=True).numpy(), 1)[:, 0] == rows.max(1)).all()


def test_frequencies_by_hand(state: dict[str, Tensor]) -> None:
    powers = state["powers"].long()
    assert powers[[0, 1, 16, LIMIT - 1, LIMIT]].tolist() == [1 << 20, 1004120, 1 << 19, 1, 0]
    logits = torch.tensor([[7, 0], [7, 16], [7, 0], [-(10**6), 16]], dtype=torch.int32)
    third, sixth = ((1 << 24) - 4) // 3, ((1 << 24) - 4) // 6
    assert frequencies(logits, powers).tolist() == [
        [third + 1 + (1 << 24) - (3 * third + 4), third + 1, third + 1, 1],  # the first of equals takes the remainder
        [sixth + 1, 2 * sixth + 1 + (1 << 24) - (6 * sixth + 4), sixth + 1, 2 * sixth + 1],
    ]


# ---- the float twin -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("used", [1, STAGES])
def test_integer_prior_codes_what_training_estimates(
    prior: IntegerCategorical, state: dict[str, Tensor], used: int
) -> None:
    indices, z = drawn_symbols(prior, STAGES, 9, 10)
    twin = recovered(state)
    with torch.no_grad():
        features = twin.hyper(torch.from_numpy(z).float()[None], torch.tensor([0.5]))[..., :9, :10]
        estimate = twin.stage_bits(torch.from_numpy(indices).long()[None], torch.tensor([used]), features)[0]  # [G]
    calls = [row_bits(*call) for call in stage_rows(prior, indices[:used], z)]
    for stage in range(used):
        assert float(estimate[stage]) == pytest.approx(calls[stage] + calls[used + stage], rel=0.01)
    assert estimate[used:].abs().sum() == 0
    assert sum(calls) > 1.1 * used * 90 * np.log2(CODES)  # random weights are sure of themselves, and wrong


def test_unused_stages_are_not_seen(state: dict[str, Tensor]) -> None:
    twin = recovered(state)
    indices = torch.from_numpy(drawn(5, 0, CODES - 1, (2, STAGES, 6, 6))).long()
    features = torch.rand(2, CONFIG.features, 6, 6)
    used = torch.tensor([2, STAGES])
    with torch.no_grad():
        before = twin.stage_bits(indices, used, features)
        indices[0, 2:] = 0
        after = twin.stage_bits(indices, used, features)
    assert torch.equal(before, after)
    assert before[0, 2:].tolist() == [0, 0]


def test_index_bits_have_the_gradient_of_cross_entropy() -> None:
    logits = torch.tensor([0.0, 40.0, 0.0])[None, :, None, None].requires_grad_()
    bits = index_bits(logits, torch.zeros(1, 1, 1, dtype=torch.int64))
    assert bits.item() == pytest.approx(24, abs=1e-3)
    bits.sum().backward()
    assert logits.grad is not None
    assert logits.grad.flatten().tolist() == pytest.approx([-1, 1, 0], abs=1e-3)


def correlated(seed: int, batch: int, patches: int) -> Tensor:
    """Indices [batch, 2, h, w] of 8 codes: flat patches of 4x4, and a second stage that the first nearly gives away."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randint(0, 8, (batch, patches, patches), generator=generator)
    first = coarse.repeat_interleave(4, 1).repeat_interleave(4, 2)
    noise = torch.randint(0, 2, first.shape, generator=generator)
    return torch.stack([first, (3 * first + noise) % 8], dim=1)


def test_training_learns_the_context() -> None:
    torch.manual_seed(0)
    twin = CategoricalPrior(CONFIG, stages=2, codes=8)
    optimiser = torch.optim.Adam([*twin.embedding.parameters(), *twin.context.parameters()], lr=0.02)
    used, features = torch.full((8,), 2), torch.zeros(8, CONFIG.features, 8, 8)
    for step in range(80):
        optimiser.zero_grad()
        twin.bits(correlated(step, 8, 2), used, features).sum().backward()
        optimiser.step()
    prior = IntegerCategorical(CONFIG, 2, 8, categorical_state(twin), CPU)
    field = correlated(1000, 1, 6)[0].to(torch.int32).numpy()  # [2, 24, 24]
    z = np.zeros(prior.hyper.shape(24, 24), dtype=np.int32)
    bits = [row_bits(*call) / len(call[0]) for call in stage_rows(prior, field, z)]
    assert bits[0] < 3.3  # without context, 3 bits
    assert bits[2] < 0.8 * 3  # with neighbours
    assert max(bits[1], bits[3]) < 0.5 * 3  # with the stage before, at best 1 bit
    assert 8 * len(encoded(prior, field, z)) < 0.8 * field.size * 3  # z included


# ---- the integers ---------------------------------------------------------------------------------------------------


def test_recovery_is_the_inverse_of_export(state: dict[str, Tensor]) -> None:
    again = categorical_state(recovered(state))
    assert set(again) == set(state)
    for name, value in state.items():
        assert again[name].dtype == value.dtype, name
        assert torch.equal(again[name], value), name


def test_names_and_shapes(state: dict[str, Tensor]) -> None:
    shapes = {name: tuple(value.shape) for name, value in state.items() if name.startswith(("embedding.", "context."))}
    assert shapes["embedding.known.weight"] == shapes["embedding.stages.weight"] == (16, STAGES * CODES)
    assert shapes["embedding.known.bias"] == (16,)
    assert shapes["embedding.stages.bias"] == (STAGES, 16)
    assert shapes["context.adaptors.1.weight"] == (16, 32)
    assert shapes["context.merge.weight"] == (16, 32)
    assert shapes[f"context.leave.{STAGES - 1}.weight"] == (CODES, 16)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("embedding.known.bias", torch.full((16,), 1 << 24), r"embedding\.known.*2\^24"),
        ("embedding.stages.weight", torch.full((16, STAGES * CODES), -128), r"embedding\.stages.*2\^24"),
        ("embedding.known.weight", torch.ones(16, CODES), "columns"),
        ("context.leave.1.bias", torch.full((CODES,), 1 << 24), r"context\.leave\.1.*2\^24"),
        ("powers", torch.tensor([0, 0]), "powers"),
        ("powers", torch.tensor([1 << 21, 0]), "powers"),
        ("powers", torch.tensor([1, -1]), "powers"),
    ],
)
def test_integers_that_could_be_inexact_are_refused(
    state: dict[str, Tensor], name: str, value: Tensor, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        IntegerCategorical(CONFIG, STAGES, CODES, state | {name: value.to(state[name].dtype)}, CPU)

"""The integer prior of categorical indices: mirrored, exact, in the order that FORMAT.md says."""

import contextlib
import dataclasses
import hashlib

import numpy as np
import pytest
import torch
from categorical_example import (
    CODES,
    CODEWORDS,
    CONFIG,
    GROUPS,
    LEVEL,
    PRIOR,
    STATE,
    UNITS,
    decoded,
    drawn,
    drawn_symbols,
    encoded,
    group_rows,
    recovered,
)

from latticecodec import FormatError, ModelError
from latticecodec.entropy.categorical import IntegerCategorical, coding_pass, frequencies
from latticecodec.entropy.coder import PRECISION, Encoder
from latticecodec.entropy.stream import Writer
from latticecodec.lab.nets.categorical_state import LIMIT, categorical_state

PINNED = "1c4af1192f21cc0a8dfd3d95800df924c6889c0d126aa8fbec4d35dd25920e72"


pytestmark = pytest.mark.usefixtures("one_thread")


# ---- coding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 6), (5, 7), (8, 8)])
def test_decode_mirrors_encode(height: int, width: int) -> None:
    indices, z = drawn_symbols(height, width)
    result = decoded(PRIOR, encoded(PRIOR, indices, z), height, width)
    np.testing.assert_array_equal(result, indices)
    assert result.dtype == np.int32


def test_the_choice_sees_the_frequencies_that_code_it() -> None:
    """An encoder that always takes the likeliest code spends little, and what it took is what comes back."""
    _, z = drawn_symbols(5, 7)
    writer = Writer(PRIOR.tables)
    PRIOR.hyper.write(z, LEVEL, writer)
    before = writer.bits
    view = PRIOR.view(z, (GROUPS, 5, 7), LEVEL)
    for step in view.steps:
        for group in view.groups:
            rows = view.predict(step, group)
            likeliest = rows.argmax(1).astype(np.int32)
            writer.put_rows(likeliest, rows)
            view.know(step, group, likeliest)
    np.testing.assert_array_equal(decoded(PRIOR, writer.finish(), 5, 7), view.known)
    assert writer.bits - before < 0.5 * view.known.size * np.log2(CODES)


def test_order_of_coding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even positions block after block, a block group after group; then odd ones. Blocks change no frequency."""
    indices, z = drawn_symbols(3, 3)
    assert coding_pass(3, 3).tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    whole = group_rows(PRIOR, indices, z)
    passes = [0, 2, 4, 6, 8], [1, 3, 5, 7]
    for (symbols, _), (own, group) in zip(whole, [(own, g) for own in passes for g in range(GROUPS)], strict=True):
        np.testing.assert_array_equal(symbols, indices[group].ravel()[own])
    monkeypatch.setattr("latticecodec.entropy.categorical.ROWS", 2)
    blocks = group_rows(PRIOR, indices, z)
    order = [(block, g) for block in ([0, 2], [4, 6], [8], [1, 3], [5, 7]) for g in range(GROUPS)]
    for (symbols, rows), (block, group) in zip(blocks, order, strict=True):
        np.testing.assert_array_equal(symbols, indices[group].ravel()[block])
        own = passes[block[0] % 2]
        np.testing.assert_array_equal(rows, whole[GROUPS * (block[0] % 2) + group][1][np.isin(own, block)])
    np.testing.assert_array_equal(decoded(PRIOR, encoded(PRIOR, indices, z), 3, 3), indices)


def test_bytes_are_pinned() -> None:
    """Frozen: a change of these bytes is a new major version of the format."""
    indices, z = drawn_symbols(7, 9)
    encoder = Encoder()
    for symbols, rows in group_rows(PRIOR, indices, z):
        encoder.put_rows(symbols, rows)
    assert hashlib.sha256(encoder.finish()).hexdigest() == PINNED


def test_truncated_streams_are_harmless() -> None:
    indices, z = drawn_symbols(5, 6)
    data = encoded(PRIOR, indices, z)
    for length in range(0, len(data) - 1, 5):
        with contextlib.suppress(FormatError):
            result = decoded(PRIOR, data[:length], 5, 6)
            assert not np.array_equal(result, indices)
            assert result.min() >= 0
            assert result.max() < CODES


def test_fingerprint_knows_every_tensor() -> None:
    own = PRIOR.fingerprint()
    assert own == PRIOR.fingerprint()
    changed = {name: value + 500 for name, value in STATE.items() if name.endswith(".bias")}
    changed["codewords"] = STATE["codewords"][::-1]
    changed["powers"] = STATE["powers"].clip(max=1 << 19)
    assert {"context.adaptors.0.bias", "context.adaptors.1.bias", "context.merge.bias"} < set(changed)
    for name, value in changed.items():
        assert IntegerCategorical(CONFIG, STATE | {name: value}).fingerprint() != own, name


# ---- frequencies ----------------------------------------------------------------------------------------------------


def test_frequencies_sum_to_the_precision() -> None:
    for codes in (2, 3, 1000):
        for spread in (1, 100, 1 << 19):
            logits = drawn(codes, -spread, spread, (20, codes)).astype(np.float32)
            rows = frequencies(logits, STATE["powers"])
            assert rows.shape == (20, codes)
            assert rows.flags.c_contiguous
            assert rows.min() >= 1
            assert (rows.sum(1, dtype=np.int64) == 1 << PRECISION).all()
            assert (np.take_along_axis(rows, logits.argmax(1, keepdims=True), 1)[:, 0] == rows.max(1)).all()


def test_frequencies_by_hand() -> None:
    powers = STATE["powers"]
    assert powers[[0, 1, 16, LIMIT - 1, LIMIT]].tolist() == [1 << 20, 1004120, 1 << 19, 1, 0]
    logits = np.array([[7, 7, 7, -(10**6)], [0, 16, 0, 16]], dtype=np.float32)
    third, sixth = ((1 << 24) - 4) // 3, ((1 << 24) - 4) // 6
    assert frequencies(logits, powers).tolist() == [
        [third + 1 + (1 << 24) - (3 * third + 4), third + 1, third + 1, 1],  # the first of equals takes the remainder
        [sixth + 1, 2 * sixth + 1 + (1 << 24) - (6 * sixth + 4), sixth + 1, 2 * sixth + 1],
    ]


def test_frequencies_are_exact_for_thousands_of_codes() -> None:
    """Weights near 2^20, of which one is a whole share of their sum: its quotient is an integer, and must stay one."""
    codes, divisor, share = 3007, 2997, (1 << 20) - 36
    free, total = (1 << 24) - codes, divisor * share
    assert free % divisor == 0
    weights = total // codes + np.random.default_rng(4).integers(-1000, 1001, codes)
    weights[:2] = 1 << 20, share
    weights[2:] += (total - weights.sum()) // (codes - 2)
    weights[2 : 2 + total - weights.sum()] += 1
    assert weights.sum() == total
    powers = np.unique(weights)[::-1]
    logits = -np.searchsorted(-powers, -weights).astype(np.float32)
    expected = weights * free // total + 1
    expected[expected.argmax()] += (1 << PRECISION) - expected.sum()
    np.testing.assert_array_equal(frequencies(logits[None], powers)[0], expected)


# ---- the integers ---------------------------------------------------------------------------------------------------


def test_recovery_is_the_inverse_of_export() -> None:
    again = categorical_state(recovered(), CODEWORDS)
    assert set(again) == set(STATE)
    for name, value in STATE.items():
        assert again[name].numpy().dtype == value.dtype, name
        np.testing.assert_array_equal(again[name].numpy(), value, err_msg=name)


def test_names_and_shapes() -> None:
    shapes = {name: tuple(value.shape) for name, value in STATE.items()}
    assert shapes["codewords"] == (CODES, 8)
    assert shapes["context.adaptors.1.weight"] == (24, 8 + 16)
    assert shapes["context.merge.weight"] == (GROUPS * UNITS, 24 + 8)
    assert shapes["context.leave.weight"] == (GROUPS * CODES, UNITS)
    assert STATE["codewords"][:3, 0].tolist() == (16 * torch.asinh(CODEWORDS[:3, 0])).round().tolist()
    unseen = STATE["context.merge.weight"][UNITS : 2 * UNITS, 24 + 1 :]  # group 1 sees the one latent of group 0
    assert not unseen.any()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("context.merge.bias", np.full(GROUPS * UNITS, 1 << 24), r"context\.merge.*2\^24"),
        ("context.leave.weight", np.full((GROUPS * CODES, UNITS), -128), r"context\.leave.*2\^24"),
        ("context.leave.bias", np.full(GROUPS * CODES, 1 << 24), r"context\.leave.*2\^24"),
        ("codewords", np.ones((CODES, 7)), "prior table codewords: .* does not fit the configuration"),
        ("codewords", np.ones((CODES + 1, 8)), "prior table codewords: .* does not fit the configuration"),
        ("powers", np.array([0, 0]), "prior table powers: its entries must be 0 to 2"),
        ("powers", np.array([1 << 21, 0]), "prior table powers: its entries must be 0 to 2"),
        ("powers", np.array([1, -1]), "prior table powers: its entries must be 0 to 2"),
    ],
)
def test_integers_that_could_be_inexact_are_refused(name: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        IntegerCategorical(CONFIG, STATE | {name: value.astype(STATE[name].dtype)})


def test_codewords_beyond_what_sums_count_with_are_refused() -> None:
    with pytest.raises(ModelError, match="prior table codewords: its entries must be -255 to 255"):
        IntegerCategorical(CONFIG, STATE | {"codewords": np.full((CODES, 8), 256, np.int32)})


def test_layers_of_other_groups_are_refused() -> None:
    with pytest.raises(ModelError, match="prior: its layers do not have the 3 groups of the configuration"):
        IntegerCategorical(dataclasses.replace(CONFIG, groups=(1, 4, 3)), STATE)

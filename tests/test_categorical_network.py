"""The float twin of the categorical prior: what it estimates is what is coded, and training makes its context pay."""

import dataclasses

import numpy as np
import pytest
import torch
from categorical_example import (
    CODES,
    CODEWORDS,
    CONFIG,
    GROUPS,
    PRIOR,
    WIDTHS,
    drawn,
    drawn_symbols,
    encoded,
    group_rows,
    recovered,
)
from torch import Tensor

from latticecodec.entropy.categorical import IntegerCategorical, coding_pass
from latticecodec.entropy.coder import Int32, row_bits
from latticecodec.lab.nets.categorical_prior import CategoricalPrior, all_bits, index_bits
from latticecodec.lab.nets.categorical_state import categorical_state

pytestmark = pytest.mark.usefixtures("one_thread")


def as_values(indices: Int32) -> Tensor:
    """Codewords of indices [G, h, w], in units of the basis: [1, M, h, w]."""
    columns = torch.split(CODEWORDS, list(WIDTHS), 1)  # [K, D_i] each
    parts = [own[torch.from_numpy(index).long()] for own, index in zip(columns, indices, strict=True)]
    return torch.cat(parts, -1).permute(2, 0, 1)[None]


@torch.no_grad()
def test_integer_prior_codes_what_training_estimates() -> None:
    indices, z = drawn_symbols(9, 10)
    twin = recovered()
    features = twin.hyper(torch.from_numpy(z).float()[None], torch.tensor([0.5]))[..., :9, :10]
    logits = twin.logits(as_values(indices), features)  # [G, N, K]
    estimate = index_bits(logits, torch.from_numpy(indices).long().flatten(1)).sum(1)  # [G]
    calls = [row_bits(*call) for call in group_rows(PRIOR, indices, z)]
    for group in range(GROUPS):
        assert float(estimate[group]) == pytest.approx(calls[group] + calls[GROUPS + group], rel=0.01)
    assert sum(calls) > 1.1 * GROUPS * 90 * np.log2(CODES)  # random weights are sure of themselves, and wrong


@torch.no_grad()
def test_a_group_sees_earlier_groups_and_the_second_pass_the_first() -> None:
    """Group 2 changes at some positions: whose frequencies change?"""
    torch.manual_seed(0)
    twin = recovered()
    indices, features = drawn(5, 0, CODES - 1, (GROUPS, 5, 5)), torch.rand(1, CONFIG.features, 5, 5)
    before = twin.logits(as_values(indices), features).view(GROUPS, 5, 5, CODES)
    second = coding_pass(5, 5) == 1  # [h, w]

    def noticed(where: object) -> Tensor:
        """bool [G, h, w]"""
        other = indices.copy()
        other[2][where] = (other[2][where] + 1) % CODES
        return (twin.logits(as_values(other), features).view(before.shape) != before).any(-1)

    assert noticed((2, 1)).nonzero().tolist() == [[3, 2, 1]]  # of the second pass: the group after it, there
    changed = noticed((2, 2))  # of the first pass: that, and around it the second pass
    assert changed[:, ~second].nonzero().tolist() == [[3, 6]]  # the seventh position of the first pass is (2, 2)
    assert noticed(~second)[:, second].any(1).all()  # of which all groups see the first


def test_bits_of_every_index_are_those_of_the_index_chosen() -> None:
    torch.manual_seed(0)
    logits, indices = torch.randn(3, 20, CODES), torch.randint(0, CODES, (3, 20))
    taken = all_bits(logits, 0.5).gather(2, indices[..., None])[..., 0]
    torch.testing.assert_close(taken, 0.5 * index_bits(logits, indices), atol=1e-4, rtol=1e-4)


def test_index_bits_have_the_gradient_of_cross_entropy() -> None:
    logits = torch.tensor([0.0, 40.0, 0.0])[None, None].requires_grad_()
    bits = index_bits(logits, torch.zeros(1, 1, dtype=torch.int64))
    assert bits.item() == pytest.approx(24, abs=1e-3)
    (bits.sum() * np.log(2)).backward()
    assert logits.grad is not None
    assert logits.grad.flatten().tolist() == pytest.approx([-1, 1, 0], abs=1e-3)


def correlated(seed: int, batch: int, patches: int) -> Tensor:
    """Indices [batch, 2, h, w] of 8 codes: flat patches of 4x4, and a second group that the first nearly gives away."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randint(0, 8, (batch, patches, patches), generator=generator)
    first = coarse.repeat_interleave(4, 1).repeat_interleave(4, 2)
    noise = torch.randint(0, 2, first.shape, generator=generator)
    return torch.stack([first, (3 * first + noise) % 8], dim=1)


def test_training_learns_the_context() -> None:
    torch.manual_seed(0)
    config = dataclasses.replace(CONFIG, groups=(4, 4), codes=8, context_width=48)
    codewords = 3 * torch.randn(8, 8)
    twin = CategoricalPrior(config)
    optimiser = torch.optim.Adam(twin.context.parameters(), lr=0.02)
    features = torch.zeros(8, CONFIG.features, 8, 8)
    for step in range(150):
        indices = correlated(step, 8, 2)  # [B, 2, h, w]
        values = torch.cat([codewords[indices[:, 0], :4], codewords[indices[:, 1], 4:]], -1).permute(0, 3, 1, 2)
        optimiser.zero_grad()
        index_bits(twin.logits(values, features), indices.transpose(0, 1).flatten(1)).sum().backward()
        optimiser.step()
    state = {name: value.numpy() for name, value in categorical_state(twin, codewords).items()}
    prior = IntegerCategorical(config, state)
    field = correlated(1000, 1, 6)[0].to(torch.int32).numpy()  # [2, 24, 24]
    z = np.zeros(prior.hyper.shape(24, 24), dtype=np.int32)
    bits = [row_bits(*call) / len(call[0]) for call in group_rows(prior, field, z)]
    assert bits[0] < 3.3  # without context, 3 bits
    assert bits[2] < 0.8 * 3  # with neighbours
    assert max(bits[1], bits[3]) < 0.5 * 3  # with the group before, at best 1 bit
    assert 8 * len(encoded(prior, field, z)) < 0.8 * field.size * 3  # z included

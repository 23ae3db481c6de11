"""A small categorical prior whose integers no training made, and indices for it: what the tests of the prior share."""

import dataclasses

import numpy as np
import torch
from torch import Tensor

from latticecodec.config import PRESETS
from latticecodec.entropy.categorical import Choose, IntegerCategorical, units
from latticecodec.entropy.coder import Decoder, Encoder, Int32
from latticecodec.lab.nets.categorical_prior import CategoricalPrior
from latticecodec.lab.nets.categorical_state import categorical_state
from latticecodec.lab.nets.prior_state import float_tensors

CPU = torch.device("cpu")
CODES, LEVEL, WIDTHS, LATENTS = 12, 20, (1, 2, 2, 3), 8
CONFIG = dataclasses.replace(
    PRESETS["lc-test"],
    quantizer="vq",
    latents=LATENTS,
    groups=WIDTHS,
    codes=CODES,
    group=8,
    hyper_width=8,
    features=16,
    context_width=24,
)
GROUPS, UNITS = len(WIDTHS), units(CONFIG)


def drawn(seed: int, low: int, high: int, shape: tuple[int, ...]) -> Int32:
    """Integers low..high from PCG64's raw words, which no version of numpy changes."""
    raw = np.random.PCG64(seed).random_raw(int(np.prod(shape)))
    return (raw % np.uint64(high - low + 1)).astype(np.int32).reshape(shape) + np.int32(low)


CODEWORDS = torch.from_numpy(drawn(99, -9, 9, (CODES, LATENTS))) / 2  # of all groups, side by side


def _drawn_state() -> dict[str, Tensor]:
    """Integer weights that no training made; they do not depend on the quality level."""
    prior = CategoricalPrior(CONFIG)
    state = categorical_state(prior, CODEWORDS)
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
    state["context.merge.weight"] *= prior.context.merge.mask.to(torch.int8)
    return state


STATE = _drawn_state()
PRIOR = IntegerCategorical(CONFIG, STATE, CPU)


def recovered() -> CategoricalPrior:
    """The float prior that the integers of STATE came from."""
    prior = CategoricalPrior(CONFIG)
    prior.load_state_dict(float_tensors(prior, STATE, {}))
    return prior


def drawn_symbols(height: int, width: int) -> tuple[Int32, Int32]:
    """Indices [G, height, width] and hyper-latents."""
    shape = PRIOR.hyper.shape(height, width)
    return drawn(100, 0, CODES - 1, (GROUPS, height, width)), drawn(101, -3, 3, shape)


def always(indices: Int32) -> Choose:
    """A choice that is made already."""
    return lambda group, at, rows: indices[group].ravel()[at]


def encoded(prior: IntegerCategorical, indices: Int32, z: Int32) -> bytes:
    encoder = Encoder()
    prior.encode(
        always(indices), z, *indices.shape[1:], LEVEL, lambda *s: encoder.put(*s, prior.tables), encoder.put_rows
    )
    return encoder.finish()


def decoded(prior: IntegerCategorical, data: bytes, height: int, width: int) -> Int32:
    decoder = Decoder(data)
    return prior.decode(lambda ids: decoder.get(ids, prior.tables), decoder.get_rows, height, width, LEVEL)


def group_rows(prior: IntegerCategorical, indices: Int32, z: Int32) -> list[tuple[Int32, Int32]]:
    """The calls of `put_rows`: one for each group of each pass, where a pass has no more than one block."""
    calls: list[tuple[Int32, Int32]] = []
    prior.encode(always(indices), z, *indices.shape[1:], LEVEL, lambda *_: None, lambda *rows: calls.append(rows))
    return calls

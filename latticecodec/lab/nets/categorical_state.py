"""From a trained categorical prior to the integers that `IntegerCategorical` reads; `state.float_tensors` goes back."""

import torch
from torch import Tensor

from ...entropy.categorical import LOGIT_BITS, POWER_BITS
from ...entropy.numbers import ACTIVATION_BITS
from .categorical_prior import CategoricalPrior
from .prior import symbol_inputs
from .prior_state import integer_tensors

LIMIT = (POWER_BITS + 1) << LOGIT_BITS  # how far below the largest a logit is when its power rounds to 0


def categorical_state(prior: CategoricalPrior, codewords: Tensor) -> dict[str, Tensor]:
    """The prior's tensors as integers: those of `state.integer_tensors`, `powers` and `codewords`.

    `powers` is int32 [LIMIT + 1], `codewords` the symbol inputs of the codewords, int8 [K, M].

    Args:
        prior: as trained.
        codewords: of all groups, side by side, in units of the basis: float32 [K, M].
    """
    below = torch.arange(LIMIT + 1, dtype=torch.float64)
    powers = torch.exp2(POWER_BITS - below / (1 << LOGIT_BITS)).round().to(torch.int32)  # [LIMIT + 1]
    inputs = (symbol_inputs(codewords) * 2**ACTIVATION_BITS).to(torch.int8)  # [K, M]
    return integer_tensors(prior, {}) | {"powers": powers, "codewords": inputs}

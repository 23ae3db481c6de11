"""From a trained categorical prior to the integers that `IntegerCategorical` reads; `state.float_tensors` goes back."""

import torch
from torch import Tensor

from .categorical import LOGIT_BITS, POWER_BITS
from .categorical_network import CategoricalPrior
from .state import integer_tensors

LIMIT = (POWER_BITS + 1) << LOGIT_BITS  # how far below the largest a logit is when its power rounds to 0


def categorical_state(prior: CategoricalPrior) -> dict[str, Tensor]:
    """The prior's tensors as integers: see `state.integer_tensors`, and `powers` int32 [LIMIT + 1]."""
    below = torch.arange(LIMIT + 1, dtype=torch.float64)
    powers = torch.exp2(POWER_BITS - below / (1 << LOGIT_BITS)).round().to(torch.int32)  # [LIMIT + 1]
    return integer_tensors(prior, {}) | {"powers": powers}

"""Where low-rank additions begin: at an installed model, or with those of another model, carried over to it."""

import dataclasses
from typing import TYPE_CHECKING

import torch

from .... import zoo
from ....config import ModelConfig
from ....errors import TrainingError
from ....lowrank import LEFT, RIGHT
from ....zoo import ModelInfo
from ...tensors import as_tensors
from ..quantizer_options import DEFAULTS, QuantizerOptions
from .lowrank import add_low_rank, plain_name

if TYPE_CHECKING:
    from .lattice import LatticeModel


def installed_base(info: ModelInfo) -> ModelInfo:
    """The installed model that additions started from `info` belong to: of the name of its base, else itself."""
    for base in zoo.list_models():
        meant = base.name == info.config.base if info.config.base else base.digest == info.digest
        if meant and base.config.quantizer == "lattice" and not base.config.base:
            return base
    raise TrainingError(f"model {info.name}: low-rank additions need an installed lattice model as their base")


@torch.no_grad()
def start_low_rank(
    kind: "type[LatticeModel]", info: ModelInfo, config: ModelConfig, rank: int, options: QuantizerOptions = DEFAULTS
) -> "LatticeModel":
    """A model with low-rank additions to an installed lattice model.

    It begins at that model where `info` is that model, and with the additions of `info` where it has some: they are
    carried over where they were made for other weights of the base, what trains as a whole by its difference to those.

    Raises TrainingError where the base is not installed or `info` has additions of another rank.
    """
    base = installed_base(info)
    config = dataclasses.replace(config, base=base.name)
    model = kind.of(base, config, options)
    add_low_rank(model, rank)
    if info.config.base:
        _carry_over(model, info)
    return model


def _carry_over(model: "LatticeModel", info: ModelInfo) -> None:
    """Give `model` the additions of `info` and its differences to its own base."""
    plain = dataclasses.replace(info.config, base="")
    before, after = (type(model).of(each, plain).state_dict() for each in (zoo.base_of(info), info))
    factors = as_tensors(zoo.read_low_rank(info))
    for name, value in model.named_parameters():
        stored = plain_name(name)
        if stored.endswith((LEFT, RIGHT)):
            if stored not in factors or factors[stored].shape != value.shape:
                raise TrainingError(f"model {info.name}: {stored} is not of the rank of `rank`; give its own")
            value.copy_(factors[stored].float())
        elif value.requires_grad:
            value.add_(after[stored] - before[stored])

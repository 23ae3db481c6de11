"""Units of the prior that are zero everywhere get a gradient, and the model codes what it coded."""

import torch

from latticecodec.config import PRESETS
from latticecodec.lab.training.data import Crops
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.kinds.revive_units import RATES, revive_units
from latticecodec.lab.training.start import new_model
from latticecodec.lab.training.synthetic import synthetic_picture

DEAD = {
    "hyper.enter": 5,
    "hyper.block.inner": 2,
    "hyper.leave": 7,
    "context.adaptors.0": 3,
    "context.blocks.0.spatial": 1,
}


def model_with_dead_units() -> tuple[LatticeModel, torch.Tensor]:
    """A tiny model with a unit of each kind far below zero, and pictures."""
    crops = Crops([synthetic_picture(seed) for seed in range(4)], size=64, batch=4)
    model = new_model(PRESETS["lc-test"], crops)
    with torch.no_grad():
        model.prior.context.leave.weight.normal_()  # of a model that has learned
        for name, unit in DEAD.items():
            model.prior.get_submodule(name).bias[unit] = -9.0
    return model, crops.batch(0).float() / 255


def bits(model: LatticeModel, pictures: torch.Tensor) -> list[torch.Tensor]:
    return [model(pictures, torch.full((len(pictures),), t)).bpp for t in RATES]


def test_dead_units_get_a_gradient_and_not_a_bit_changes() -> None:
    model, pictures = model_with_dead_units()
    before = bits(model, pictures)
    assert revive_units(model, pictures) >= len(DEAD)
    after = bits(model, pictures)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    sum(after).sum().backward()  # type: ignore[union-attr,no-untyped-call]
    for name, unit in DEAD.items():
        assert model.prior.get_submodule(name).bias.grad[unit] != 0, name
    assert revive_units(model, pictures) == 0


def test_units_that_learn_are_left_alone() -> None:
    model, pictures = model_with_dead_units()
    revive_units(model, pictures)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert revive_units(model, pictures) == 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(value.grad is None for value in model.parameters())

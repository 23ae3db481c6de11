"""Units of the prior that are zero everywhere get a gradient, and what is coded stays the same."""

from pathlib import Path

import pytest
import torch

from latticecodec.config import PRESETS
from latticecodec.entropy.numbers import KNOTS
from latticecodec.lab.training.data import Crops
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.kinds.revive_units import revive_units
from latticecodec.lab.training.options import Asked, TrainOptions
from latticecodec.lab.training.start import new_model, start
from latticecodec.lab.training.synthetic import synthetic_picture

DEAD = {  # a unit of a layer of each kind
    "hyper.enter": 5,
    "hyper.block.inner": 2,
    "hyper.leave": 7,
    "context.adaptors.0": 3,
    "context.blocks.0.spatial": 1,
}


def model_with_dead_units() -> tuple[LatticeModel, torch.Tensor]:
    """A tiny model with units far below zero, and pictures."""
    crops = Crops([synthetic_picture(seed) for seed in range(4)], size=64, batch=4)
    model = new_model(PRESETS["lc-test"], crops)
    assert isinstance(model, LatticeModel)
    with torch.no_grad():
        model.prior.context.leave.weight.normal_()  # of a model that has learned
        for name, unit in DEAD.items():
            model.prior.get_submodule(name).bias[unit] = -9.0
        for adaptor in model.prior.context.adaptors:  # a unit that enters a block as zero, and leaves it so
            adaptor.bias[4] = -9.0
        model.prior.context.blocks[0].outer.bias[4] = -9.0
    return model, crops.batch(0).float() / 255


def bits(model: LatticeModel, pictures: torch.Tensor) -> list[torch.Tensor]:
    return [model(pictures, torch.full((len(pictures),), t)).bpp for t in torch.linspace(0, 1, KNOTS).tolist()]


def test_dead_units_get_a_gradient_and_the_pictures_their_bits() -> None:
    model, pictures = model_with_dead_units()
    before = bits(model, pictures)
    assert revive_units(model, pictures) >= len(DEAD) + 1
    after = bits(model, pictures)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    torch.stack(after).sum().backward()
    for name, unit in (DEAD | {"context.blocks.0.outer": 4}).items():
        assert model.prior.get_submodule(name).bias.grad[unit] != 0, name
    assert revive_units(model, pictures) == 0


def test_units_that_learn_are_left_alone() -> None:
    """Also one that is above zero at a single knot of the rates, and one that takes away what it is added to."""
    model, pictures = model_with_dead_units()
    revive_units(model, pictures)
    with torch.no_grad():
        model.prior.hyper.level_bias[3, 6] = 1.0
        model.prior.hyper.enter.weight[6], model.prior.hyper.enter.bias[6] = 0, -0.5
        for adaptor in model.prior.context.adaptors:
            adaptor.bias[8] = 1.0
        model.prior.context.blocks[0].outer.bias[8] = -99.0
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert revive_units(model, pictures) == 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("resumed", [False, True])
def test_a_warm_start_revives_them_and_a_resumed_run_does_not(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, resumed: bool
) -> None:
    revived = []
    monkeypatch.setattr("latticecodec.lab.training.kinds.lattice.revive_units", lambda *given: revived.append(given))
    crops = Crops([synthetic_picture(seed) for seed in range(4)], size=64, batch=2)
    resume = Path("checkpoint.pt") if resumed else None
    start(Asked("lattice", "x", "lc-test", None, None, Path(), tiny_model, resume), crops, TrainOptions())
    assert len(revived) == (not resumed)

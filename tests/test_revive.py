"""Dead channels of a warm start get new directions; the others stay as they were."""

import torch

from latticecodec.config import PRESETS
from latticecodec.lab.training.data import Crops
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.kinds.revive import revive
from latticecodec.lab.training.start import new_model
from latticecodec.lab.training.synthetic import synthetic_picture

DEAD = torch.tensor([3, 8, 9, 31])


def model_with_dead_channels() -> tuple[LatticeModel, torch.Tensor]:
    """A tiny model four of whose channels have cells far wider than their latents, and pictures."""
    crops = Crops([synthetic_picture(seed) for seed in range(4)], size=64, batch=4)
    model = new_model(PRESETS["lc-test"], crops)
    with torch.no_grad():
        model.quantizer.log_basis[DEAD] = 9.0
    return model, torch.cat([crops.batch(step) for step in range(8)]).float() / 255


@torch.no_grad()
def test_dead_channels_come_back_and_lower_the_error() -> None:
    model, pictures = model_with_dead_channels()
    finest = torch.ones(len(pictures))
    before, coordinates = model(pictures, finest), model.quantizer(model.analysis(pictures), -3.7 * finest).coordinates
    assert revive(model, pictures) == len(DEAD)
    after, revived = model(pictures, finest), model.quantizer(model.analysis(pictures), -3.7 * finest).coordinates
    assert after.mse.mean() < 0.8 * before.mse.mean()
    alive = [channel for channel in range(32) if channel not in DEAD]
    assert torch.equal(revived[:, alive], coordinates[:, alive])
    assert (revived[:, DEAD] != 0).float().mean() > 0.05
    assert revive(model, pictures) == 0


@torch.no_grad()
def test_a_model_without_dead_channels_is_left_alone() -> None:
    crops = Crops([synthetic_picture(0)], size=64, batch=4)
    model = new_model(PRESETS["lc-test"], crops)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert revive(model, crops.batch(0).float() / 255) == 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())

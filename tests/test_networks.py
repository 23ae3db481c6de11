"""Transforms: shapes, and the PCA start that makes them a block transform codec before any training."""

import torch

from latticecodec.config import PRESETS
from latticecodec.lab.nets import Analysis, HyperAnalysis, Synthesis, initialise_from_patches
from latticecodec.lab.training.synthetic import synthetic_picture

TINY = PRESETS["lc-test"]


def test_shapes() -> None:
    x = torch.rand(2, 3, 64, 128)
    y = Analysis(TINY)(x)
    assert y.shape == (2, 32, 4, 8)
    assert HyperAnalysis(TINY)(y).shape == (2, 8, 1, 2)
    assert Synthesis(TINY)(y, torch.tensor([0.0, 1.0])).shape == x.shape


def test_the_pca_start_reconstructs_patches() -> None:
    torch.manual_seed(0)
    picture = synthetic_picture(0, 256, 256).float()[None] / 255  # [1, 3, 256, 256]
    patches = picture.unfold(2, 16, 16).unfold(3, 16, 16).permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, 16, 16)
    analysis, synthesis = Analysis(TINY), Synthesis(TINY)
    t = torch.tensor([0.5])

    @torch.no_grad()
    def error() -> float:
        return float((synthesis(analysis(picture), t) - picture).square().mean())

    before = error()
    initialise_from_patches(analysis, synthesis, patches)
    assert error() < 0.003 < before


@torch.no_grad()
def test_the_shortcut_is_linear_and_starts_at_zero() -> None:
    x, t = torch.rand(1, 3, 32, 32), torch.tensor([0.5])
    analysis, synthesis = Analysis(TINY), Synthesis(TINY)
    assert not analysis.shortcut.weight.any()
    assert not synthesis.shortcut.weight.any()
    y = analysis(x)
    analysis.shortcut.weight.normal_()
    assert torch.allclose(analysis(x), y + analysis.shortcut(torch.nn.functional.pixel_unshuffle(x - 0.5, 16)))
    x_hat = synthesis(y, t)
    synthesis.shortcut.weight[:, 5] = 1.0  # latent 5 shines on all pixels of its patch
    assert torch.allclose(
        synthesis(y, t), x_hat + y[:, 5:6].repeat_interleave(16, 2).repeat_interleave(16, 3), atol=1e-5
    )


def test_synthesis_knows_the_rate_coordinate() -> None:
    synthesis = Synthesis(TINY)
    synthesis.gain16.slope.data.fill_(0.1)
    y = torch.rand(1, 32, 2, 2)
    assert not torch.equal(synthesis(y, torch.tensor([0.0])), synthesis(y, torch.tensor([1.0])))

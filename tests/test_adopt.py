"""A model with codebooks that begins at a lattice: its transforms, latents sorted by their bits, codebooks fitted."""

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from short_runs import HASTY, train, trainable
from torch import Tensor

from latticecodec import TrainingError
from latticecodec.lab.quantizers import usage
from latticecodec.lab.training.kinds.adaptive import AdaptiveModel
from latticecodec.lab.training.kinds.adopt import adopt
from latticecodec.lab.training.kinds.codebook import CodebookModel
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.kinds.vq import VqModel
from latticecodec.lab.training.synthetic import synthetic_picture
from latticecodec.zoo import find

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")

LOW, HIGH = (
    math.log(weight / 0.0009) / math.log(0.15 / 0.0009) for weight in (0.0002, 0.02)
)  # coordinates of the base


@pytest.fixture(scope="module")
def pictures() -> Tensor:
    return torch.stack([synthetic_picture(seed, 64, 64) for seed in range(8)]).float() / 255  # [8, 3, 64, 64]


@pytest.fixture(scope="module")
def base(tiny_model: Path) -> LatticeModel:
    """The tiny lattice, with gains and level biases as if trained."""
    info = find(tiny_model)
    model = trainable(info)
    assert isinstance(model, LatticeModel)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "gain" in name or "shortcut" in name or name.startswith(("prior.z_", "prior.hyper.level_bias")):
                value.add_(0.2 * torch.randn_like(value))
    return model.eval()


@pytest.fixture(scope="module")
def adopted(base: LatticeModel, pictures: Tensor) -> CodebookModel:
    return adopt(base, VqModel, "", pictures).eval()


@pytest.fixture(scope="module")
def order(base: LatticeModel, adopted: CodebookModel, pictures: Tensor) -> Tensor:
    """The base's latent that each latent of the adopted model is [M]."""
    with torch.no_grad():
        theirs, own = (model.analysis(pictures).transpose(0, 1).flatten(1) for model in (base, adopted))  # [M, N]
    return torch.cdist(own, theirs).argmin(1)


@torch.no_grad()
def test_analysis_is_the_bases_with_latents_in_another_order(
    base: LatticeModel, adopted: CodebookModel, order: Tensor, pictures: Tensor
) -> None:
    assert order.sort().values.tolist() == list(range(32))
    torch.testing.assert_close(adopted.analysis(pictures), base.analysis(pictures)[:, order], atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("t", [0.0, 0.3, 1.0])
def test_synthesis_is_the_bases_at_the_coordinate_of_the_same_lambda(
    base: LatticeModel, adopted: CodebookModel, order: Tensor, t: float
) -> None:
    torch.manual_seed(0)
    y_hat = torch.randn(2, 32, 4, 4)
    expected = base.synthesis(y_hat, torch.full((2,), LOW + t * (HIGH - LOW)))
    torch.testing.assert_close(adopted.synthesis(y_hat[:, order], torch.full((2,), t)), expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("t", [0.0, 1.0])
def test_the_basis_is_the_bases_too(base: LatticeModel, adopted: CodebookModel, order: Tensor, t: float) -> None:
    """To the hundredth of an octave that the config keeps."""
    theirs = base.quantizer.log_basis / math.log(2) - base.config.octaves * (LOW + t * (HIGH - LOW))
    own = adopted.log_basis / math.log(2) - adopted.config.octaves * t
    torch.testing.assert_close(own, theirs[order], atol=0.02, rtol=0)


@torch.no_grad()
def test_the_prior_of_hyper_latents_is_the_bases_too(
    base: LatticeModel, adopted: CodebookModel, order: Tensor, pictures: Tensor
) -> None:
    u, z = base.analysis(pictures), torch.randint(-3, 4, (8, 8, 2, 2)).float()
    torch.testing.assert_close(adopted.hyper_analysis(u[:, order]), base.hyper_analysis(u), atol=1e-5, rtol=1e-4)
    for t in (0.0, 1.0):
        own, theirs = torch.full((8,), t), torch.full((8,), LOW + t * (HIGH - LOW))
        torch.testing.assert_close(adopted.prior.z_parameters(own), base.prior.z_parameters(theirs))
        torch.testing.assert_close(adopted.prior.hyper(z, own), base.prior.hyper(z, theirs))


@torch.no_grad()
def test_latents_come_in_order_of_their_bits(adopted: CodebookModel, pictures: Tensor) -> None:
    finest = torch.exp(adopted.log_basis - adopted.config.octaves * math.log(2))[:, None, None]
    rounded = (adopted.analysis(pictures) / finest).round().long().transpose(0, 1).flatten(1)  # [M, N]
    rounded -= rounded.min()
    bits = [math.log2(usage(row, int(rounded.max()) + 1).perplexity) for row in rounded]
    assert bits == pytest.approx(sorted(bits, reverse=True), abs=0.01)
    assert bits[0] > bits[-1] + 1


def test_groups_cover_all_latents_with_narrow_ones_first(adopted: CodebookModel) -> None:
    groups = adopted.config.groups
    assert sum(groups) == 32
    assert len(groups) <= 16
    assert groups[0] <= groups[-1]
    assert [quantizer.dimensions for quantizer in adopted.quantizer.first(None)] == list(groups)


@pytest.mark.parametrize("widths", [(4,) * 64, (4,) * 80, (8,) * 40, (1, 2, 8, 8, 8), (64, 256), (320,)])
def test_an_adaptive_cuts_groups_until_they_fill_a_square(widths: tuple[int, ...]) -> None:
    groups = AdaptiveModel.suited(widths, 320)
    assert math.isqrt(len(groups)) ** 2 == len(groups) >= len(widths)
    assert (sum(groups), max(groups) <= 8, min(groups) >= 1) == (sum(widths), True, True)


@pytest.mark.parametrize("kind", ["vq", "adaptive"])
def test_groups_stay_where_other_crops_would_give_others(
    kind: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = dataclasses.replace(HASTY, steps=2)
    first = find(train(tmp_path / "run", kind, init_from=tiny_model, options=options)).config.groups
    monkeypatch.setattr("latticecodec.lab.training.kinds.adopt.widths_of", lambda *_: (16, 16))
    options = dataclasses.replace(options, crop=128)
    more = train(tmp_path / "more", kind, init_from=tiny_model, options=options, resume=tmp_path / "run" / "stable.pt")
    assert find(more).config.groups == first
    assert len(first) > 2


def test_a_checkpoint_of_other_latents_is_told(tiny_model: Path, tmp_path: Path) -> None:
    options = dataclasses.replace(HASTY, steps=2)
    train(tmp_path / "run", "vq", init_from=tiny_model, options=options)
    with pytest.raises(TrainingError, match=r"stable\.pt: is of another model"):
        train(tmp_path / "more", "vq", init_from="lattice-1", options=options, resume=tmp_path / "run" / "stable.pt")


def test_latents_that_are_alone_are_grouped_anew() -> None:
    """28 groups of one latent cannot be cut to 36."""
    assert AdaptiveModel.suited((1,) * 28, 28) == AdaptiveModel.even(28)


@torch.no_grad()
def test_codebooks_are_fitted(adopted: CodebookModel, pictures: Tensor) -> None:
    """They take most of the energy, and their first frequencies are those of the design."""
    rows, indices, values = adopted.code(pictures, 1.0)
    assert (rows - values).square().sum() < 0.2 * rows.square().sum()
    assert usage(indices, 16).share_used > 0.9
    bits = torch.stack([quantizer.bits() for quantizer in adopted.quantizer.first(None)])  # [G, K]
    torch.testing.assert_close(adopted.prior.context.leave.bias, -bits.flatten())


def test_what_trains_depends_on_whether_the_base_is_installed(base: LatticeModel, pictures: Tensor) -> None:
    alone, beside = (adopt(base, VqModel, name, pictures[:2]) for name in ("", "lattice"))
    trained = [{name for name, value in model.named_parameters() if value.requires_grad} for model in (alone, beside)]
    assert "analysis.enter.weight" in trained[0] - trained[1]
    assert {"analysis.leave.weight", "log_basis", "prior.context.leave.weight"} <= trained[0] & trained[1]
    assert (alone.config.base, beside.config.base) == ("", "lattice")

"""Gradients for encoders without torch: those that autograd finds for the same distortions."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from latticecodec import ImageError
from latticecodec.backends.perceptual import GRADIENTS, gradient
from latticecodec.lab.distortion import DISTORTIONS
from latticecodec.lab.training.synthetic import synthetic_picture

pytestmark = pytest.mark.usefixtures("one_thread")

Picture = NDArray[np.float32]


def pair(height: int, width: int, noise: float = 0.05) -> tuple[Picture, Picture]:
    """A restored picture [3, height, width], partly out of range, partly what it should be, and its original."""
    random = np.random.default_rng(0)
    grain = random.normal(0, 0.02, (3, height, width))
    x = np.clip(synthetic_picture(0, height, width).numpy() / 255 + grain, 0, 1)
    error = random.normal(0, noise, x.shape)
    error[:, :, : width // 4] = 0
    return (x + error).astype(np.float32), x.astype(np.float32)


def by_autograd(tune: str, x_hat: Picture, x: Picture, weight: float) -> Picture:
    here = torch.from_numpy(x_hat)[None].requires_grad_(True)
    (found,) = torch.autograd.grad(DISTORTIONS[tune](here, torch.from_numpy(x)[None], weight), here)
    return found[0].numpy()


def assert_alike(found: Picture, expected: Picture) -> None:
    """To a thousandth of their length; where the metric has a kink, rounding decides single values."""
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected)


@pytest.mark.parametrize(
    ("tune", "sizes"),
    [
        ("psnr", [(1, 1), (5, 9)]),
        ("ms-ssim", [(161, 162), (187, 172)]),
        ("ssimulacra2", [(1, 1), (7, 30), (8, 8), (8, 9), (15, 40), (47, 33), (225, 227)]),
    ],
)
def test_they_are_those_of_autograd(tune: str, sizes: list[tuple[int, int]]) -> None:
    """At even and odd sizes, with all scales of the metric and with fewer."""
    for size in sizes:
        x_hat, x = pair(*size)
        assert_alike(gradient(tune, x_hat, x, 0.02), by_autograd(tune, x_hat, x, 0.02))


def test_where_nothing_is_lost_there_is_nothing_to_go_down() -> None:
    x = pair(161, 163)[1]
    for tune in GRADIENTS:
        assert not gradient(tune, x, x, 0.02).any()


def test_without_any_structure_in_common_there_is_no_direction() -> None:
    """A negative of noise: contrast, of which MS-SSIM takes powers, is negative; in one channel, the others go on."""
    x = np.random.default_rng(0).random((3, 161, 161), dtype=np.float32)
    for find in (gradient, by_autograd):
        assert not find("ms-ssim", 1 - x, x, 0.02).any()
        some = find("ms-ssim", np.stack([1 - x[0], x[1] / 2, x[2] / 2]), x, 0.02)
        assert [bool(channel.any()) for channel in some] == [False, True, True]
        assert np.isfinite(some).all()


def test_what_is_too_small_for_ms_ssim_is_refused() -> None:
    x_hat, x = pair(160, 170)
    with pytest.raises(ImageError, match="a picture of 170x160 pixels is too small for MS-SSIM, which needs 161"):
        gradient("ms-ssim", x_hat, x, 0.02)


def test_every_tune_has_one() -> None:
    assert GRADIENTS.keys() == DISTORTIONS.keys()

"""Whoever computes the networks of a model: the same numbers."""

from pathlib import Path

import numpy as np
import pytest

from latticecodec import ImageError
from latticecodec.backends.backend import Backend
from latticecodec.backends.onnx import OnnxBackend
from latticecodec.backends.torch import TorchBackend
from latticecodec.config import TUNES
from latticecodec.entropy.coder import Float32
from latticecodec.lab.training.synthetic import synthetic_picture
from latticecodec.zoo import find, read_weights


@pytest.fixture(scope="module")
def backends(tiny_model: Path) -> tuple[Backend, Backend]:
    """Both, with the tiny model."""
    info = find(tiny_model)
    tensors = read_weights(info)
    return OnnxBackend(info.config, tensors), TorchBackend(info.config, tensors)


@pytest.fixture(scope="module")
def x() -> Float32:
    """A picture of 162 x 171 pixels, in part cut off from whole latent positions: [3, H, W] in [0, 1]."""
    return synthetic_picture(3, height=162, width=171).numpy().astype(np.float32) / 255


@pytest.mark.parametrize("tune", TUNES)
def test_the_step_down_a_distortion(backends: tuple[Backend, Backend], x: Float32, tune: str) -> None:
    ours, autograd = backends
    padded = np.pad(x, ((0, 0), (0, 14), (0, 5)), mode="edge")
    y_hat = np.rint(4 * autograd.analysis(padded)) / np.float32(4)  # [M, 11, 11]
    found, expected = (backend.distortion_step(y_hat, 0.7, x, tune) for backend in (ours, autograd))
    assert found.shape == expected.shape == y_hat.shape
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


def test_pictures_too_small_for_ms_ssim(backends: tuple[Backend, Backend], x: Float32) -> None:
    for backend in backends:
        with pytest.raises(ImageError, match="too small for MS-SSIM"):
            backend.distortion_step(np.zeros((32, 10, 10), np.float32), 0.5, x[:, :160, :160], "ms-ssim")


def test_nothing_that_is_given_is_changed_or_kept(backends: tuple[Backend, Backend], x: Float32) -> None:
    y_hat = np.ones((32, 11, 11), np.float32)
    before = y_hat.copy(), x.copy()
    for backend in backends:
        first = backend.synthesis(y_hat, 0.5)
        kept = first.copy()
        backend.distortion_step(y_hat, 0.5, x, "psnr")
        backend.synthesis(2 * y_hat, 0.5)
        np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(y_hat, before[0])
    np.testing.assert_array_equal(x, before[1])

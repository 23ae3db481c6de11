"""The tests of an installation without torch: numpy, Pillow and ONNX Runtime. `make light` runs them in one."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latticecodec

os.environ.pop("LCODEC_MODELS", None)  # models of whoever runs the tests
latticecodec.models_path[1:] = []


@pytest.fixture(scope="session")
def picture() -> Image.Image:
    """192 x 176 pixels of the sample, RGB: the least that MS-SSIM takes, and a little more."""
    with Image.open(Path(__file__).parents[2] / "samples" / "landscape.png") as sample:
        return sample.convert("RGB").crop((300, 250, 492, 426))


@pytest.fixture
def here(tmp_path: Path, picture: Image.Image, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with photo.png, and the process in it."""
    picture.save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    """PSNR of two arrays of samples of one depth."""
    peak = np.iinfo(a.dtype).max
    return float(10 * np.log10(peak**2 / np.square(a.astype(float) - b).mean()))

"""Peak memory of a codec, measured in a process of its own."""

import sys
from pathlib import Path

import pytest
from eval_runs import astronaut

from latticecodec.lab.evaluation.memory import peak_memory

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of 64x64 pixels."""
    file = tmp_path / "picture.png"
    astronaut(64).save(file)
    return file


def test_a_peer_does_not_carry_the_memory_of_this_process(picture: Path) -> None:
    """This process has torch, more than 200 MiB; one that writes a JPEG has not."""
    peak = peak_memory("jpeg", None, 50, picture, "cpu")
    assert peak is not None
    assert 10 < peak / 2**20 < 150


def test_memory_grows_with_the_picture(picture: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    astronaut(64).resize((3000, 3000)).save(large)  # 26 MiB of pixels, held at least twice
    small_peak, large_peak = (peak_memory("jpeg", None, 50, file, "cpu") for file in (picture, large))
    assert large_peak - small_peak > 2 * 26 * 2**20


def test_a_model(picture: Path, tiny_model: Path) -> None:
    peak = peak_memory(str(tiny_model), 1, 50, picture, "cpu")
    assert peak is not None
    assert 40 < peak / 2**20 < 500  # some 90: the interpreter, numpy, ONNX Runtime; no torch


def test_a_process_that_fails_has_no_peak(picture: Path) -> None:
    assert peak_memory("jpeg", None, 50, picture.with_name("gone.png"), "cpu") is None

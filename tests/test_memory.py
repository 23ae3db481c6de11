"""Peak memory of a codec, measured in a process of its own."""

import sys
from pathlib import Path

import pytest
from eval_runs import astronaut

from latticecodec import zoo
from latticecodec.lab.evaluation.contenders import Contender, contenders
from latticecodec.lab.evaluation.memory import peak_memory

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell")


def jpeg() -> Contender:
    """JPEG as the evaluation uses it."""
    return contenders([], ["jpeg"], "cpu", [])[0]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of 64x64 pixels."""
    file = tmp_path / "picture.png"
    astronaut(64).save(file)
    return file


def test_a_peer_does_not_carry_the_memory_of_this_process(picture: Path) -> None:
    """This process has torch, more than 200 MiB; one that writes a JPEG has not."""
    peak = peak_memory(jpeg(), 50, picture, "cpu")
    assert peak is not None
    assert 10 < peak / 2**20 < 150


def test_memory_grows_with_the_picture(picture: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    astronaut(64).resize((3000, 3000)).save(large)  # 26 MiB of pixels, held at least twice
    small_peak, large_peak = (peak_memory(jpeg(), 50, file, "cpu") for file in (picture, large))
    assert large_peak - small_peak > 2 * 26 * 2**20


def test_a_model(picture: Path, tiny_model: Path) -> None:
    (codec,) = contenders([tiny_model], [], "cpu", [50])
    peak = peak_memory(codec, 50, picture, "cpu")
    assert peak is not None
    assert 40 < peak / 2**20 < 500  # some 90: the interpreter, numpy, ONNX Runtime; no torch


def test_a_model_encodes_for_what_it_is_measured_for(picture: Path, tiny_model: Path) -> None:
    """Tuned for MS-SSIM, which needs 161 pixels a side, the process fails; there is no peak of another tune."""
    (codec,) = contenders([tiny_model], [], "cpu", [50], tunes=["ms-ssim"])
    assert peak_memory(codec, 50, picture, "cpu") is None


def test_the_weights_are_those_that_encode() -> None:
    """For PSNR `lattice-msssim` encodes with the model that it adds to, which is not what `lattice` means today."""
    (codec,) = contenders(["lattice-msssim"], [], "cpu", [50], tunes=["psnr"])
    weights = zoo.find(Path(codec.source)).config.weights_sha256
    assert weights == zoo.find("lattice-1").config.weights_sha256
    assert codec.build.startswith(f"weights {weights[:16]}, ")


def test_a_process_that_fails_has_no_peak(picture: Path) -> None:
    assert peak_memory(jpeg(), 50, picture.with_name("gone.png"), "cpu") is None

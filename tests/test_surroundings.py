"""A call gives the same whatever the program around it has set up, and leaves all of it as it was.

Whatever torch has been told, inside of it and after it: the same bytes, the same indices, the same pixels.
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from latticecodec import LcqError, load
from latticecodec.config import PRESETS
from latticecodec.lab.arithmetic import convolve, exact_arithmetic, multiply
from latticecodec.lab.training.data import Crops
from latticecodec.lab.training.loop import train
from latticecodec.lab.training.options import TrainOptions
from latticecodec.lab.training.start import new_model
from latticecodec.lab.training.synthetic import synthetic_picture

MODELS = Path(__file__).parent / "conformance" / "models"

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")


@contextlib.contextmanager
def float64_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def another_device_by_default() -> Iterator[None]:
    """One whose tensors hold no numbers, so that any that lands there is found."""
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


SURROUNDINGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "float64 by default": float64_by_default,
    "another device by default": another_device_by_default,
}


def work(folder: Path, photo: Image.Image) -> list[bytes]:
    """Files of two kinds of model, with and without refinement, the indices and pixels they decode to."""
    small, results = photo.crop((100, 0, 140, 24)), []
    for model, effort in (("lattice-e8", 0), ("lattice-e8", 2), ("adaptive", 0)):
        codec = load(folder / model, "cpu")
        data = codec.encode(small, quality=30, effort=effort)
        results += [data, codec.decode_indices(data).tobytes(), codec.decode(data).tobytes()]
    return results


@pytest.fixture(scope="module")
def expected(photo: Image.Image) -> list[bytes]:
    """What comes out in a plain program."""
    return work(MODELS, photo)


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_inside_and_after(name: str, expected: list[bytes], photo: Image.Image, tmp_path: Path) -> None:
    copies = shutil.copytree(MODELS, tmp_path / "models")  # loaded for the first time, and kept, inside
    with SURROUNDINGS[name]():
        assert work(MODELS, photo) == expected
        assert work(copies, photo) == expected
    assert work(copies, photo) == expected


def allow_bfloat16() -> None:
    """Let float32 be rounded in matrix products and in convolutions, as some CPUs then do."""
    torch.set_float32_matmul_precision("medium")
    torch.backends.mkldnn.conv.fp32_precision = "bf16"


def precisions() -> list[str]:
    """What the process allows, one by one."""
    backends = torch.backends
    of = (backends, backends.mkldnn, backends.mkldnn.matmul, backends.mkldnn.conv, backends.cuda.matmul, backends.cudnn)
    return [part.fp32_precision for part in of]


@pytest.fixture
def restored() -> Iterator[None]:
    """Whatever a test allows float32 to become is taken back."""
    yield
    torch.backends.mkldnn.conv.fp32_precision = "none"
    torch.set_float32_matmul_precision("highest")


def test_precision_is_left_alone_and_does_not_matter(
    restored: None, expected: list[bytes], photo: Image.Image, tmp_path: Path
) -> None:
    """Four threads at work where the program lets float32 be rounded."""
    copies = shutil.copytree(MODELS, tmp_path / "models")
    plain = [np.frombuffer(pixels, np.uint8).astype(int) for pixels in expected[2::3]]
    allow_bfloat16()
    allowed = precisions()

    def decode(number: int) -> bool:
        data, indices, _ = expected[3 * number : 3 * number + 3]
        codec = load(copies / ("adaptive" if number == 2 else "lattice-e8"), "cpu")
        assert codec.decode_indices(data).tobytes() == indices
        off = np.asarray(codec.decode(data)).astype(int).ravel() - plain[number]
        assert np.abs(off).max() <= 1
        return precisions() == allowed

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(decode, [0, 1, 2, 0, 1, 2]))
        written = list(threads.map(lambda _: load(copies / "lattice-e8").encode(photo.crop((0, 0, 40, 24))), range(2)))
    assert precisions() == allowed
    assert written[0] == written[1]
    assert load(MODELS / "lattice-e8", "cpu").decode(written[0]).size == (40, 24)


def test_products_are_exact_whatever_is_allowed(restored: None) -> None:
    """What the program allows is not made use of."""
    generator = torch.Generator().manual_seed(0)
    weight, x = torch.randn(64, 32, 3, 3, generator=generator), torch.randn(1, 64, 20, 20, generator=generator)
    a, b = weight.reshape(64, 288), torch.randn(288, 500, generator=generator)
    bias = torch.zeros(64)
    product, convolved = multiply(a, b), convolve(x, weight, bias, padding=1, groups=2)
    allow_bfloat16()
    torch.testing.assert_close(multiply(a, b), product, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(convolve(x, weight, bias, padding=1, groups=2), convolved, rtol=1e-5, atol=1e-4)


def test_training_leaves_random_numbers_and_denormals_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    crops = Crops([synthetic_picture(0)], size=64, batch=2)
    model = new_model(PRESETS["lc-test"], crops)
    train(model, crops, [synthetic_picture(1)], tmp_path, TrainOptions(steps=1, batch=2, crop=64), torch.device("cpu"))
    assert torch.equal(torch.rand(3), expected)
    assert float(torch.full((1,), 1e-40) * 1) > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_goes_on(expected: list[bytes], photo: Image.Image) -> None:
    """With one thread; with several torch itself hangs there, as README says."""
    child = os.fork()
    if not child:
        signal.alarm(20)  # ends a child that hangs
        status = 1
        try:
            status = int(work(MODELS, photo) != expected)
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError(), RuntimeError("can't allocate memory: 9 bytes")]
)
def test_memory_that_there_is_not_is_one_line(error: Exception) -> None:
    words = "not enough memory on cpu for a picture of this size"
    with pytest.raises(LcqError, match=words), exact_arithmetic(torch.device("cpu")):
        raise error

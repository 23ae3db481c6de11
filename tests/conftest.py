"""What the tests share: photographs from scikit-image, folders of pictures, and a small untrained model."""

import importlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from command_line import lcodec
from eval_runs import astronaut
from PIL import Image

from latticecodec import Codec, load, zoo
from latticecodec.codec import EncodeOptions
from latticecodec.config import PRESETS
from latticecodec.lab.training.data import Crops
from latticecodec.lab.training.export import export
from latticecodec.lab.training.kinds.lattice_e8 import make_e8
from latticecodec.lab.training.start import new_model
from latticecodec.lab.training.synthetic import synthetic_picture
from latticecodec.zoo import find

if TYPE_CHECKING:
    from latticecodec.bulk import Task

collect_ignore = ["light"]  # what runs without torch; `make light` does, in an environment of its own
os.environ.pop("LCODEC_MODELS", None)  # models of whoever runs the tests
zoo.models_path[1:] = []
if "OMP_NUM_THREADS" not in os.environ:
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder: the smallest preset, initialised from patches and not trained."""
    crops = Crops([synthetic_picture(seed) for seed in range(4)], size=64, batch=4)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    export(new_model(PRESETS["lc-test"], crops), folder, "# tiny\n")
    return folder


@pytest.fixture(scope="session")
def tiny_e8(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The E8 twin of a copy of `tiny_model`, beside that copy; blocks from scale index 8 up."""
    folder = tmp_path_factory.mktemp("e8")
    shutil.copytree(tiny_model, folder / "lattice")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    make_e8(find(folder / "lattice"), [noise], folder / "lattice-e8", thresholds=[8])
    return folder / "lattice-e8"


@pytest.fixture(scope="session")
def tiny(tiny_model: Path) -> Codec:
    """The codec of `tiny_model`."""
    return load(tiny_model, device="cpu")


@pytest.fixture(scope="session")
def lattice() -> Codec:
    """The codec of the first photo model, the quickest of those that ship."""
    return load("lattice-1", device="cpu")


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """A photograph of 320x208 pixels, RGB: the astronaut of scikit-image, reduced."""
    from skimage.data import astronaut

    return Image.fromarray(astronaut()).resize((320, 320), Image.Resampling.LANCZOS).crop((0, 0, 320, 208))


@pytest.fixture(scope="session")
def small_fashion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small fashion-mnist.npz: bright squares on black."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    parts = {"x_train": np.zeros((24, 28, 28), np.uint8), "x_test": np.zeros((8, 28, 28), np.uint8)}
    for pictures in parts.values():
        for picture in pictures:
            top, left = generator.integers(2, 14, 2)
            picture[top : top + 12, left : left + 10] = generator.integers(100, 255)
    np.savez(folder / "fashion-mnist.npz", **parts)
    return folder


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """For modules whose networks are so small that threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def small_validation() -> Iterator[None]:
    """Trainings validate on 64 x 64 pixels of every picture."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("latticecodec.lab.training.validation.VALIDATION_SIZE", 64)
        yield


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without peak memory, which is measured in new processes and takes seconds; tests/test_memory.py has it."""
    module = importlib.import_module("latticecodec.lab.evaluation.evaluate")
    monkeypatch.setattr(module, "peak_memory", lambda *_: None)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with a colour picture, a grey one in a folder below, and a text file."""
    folder = tmp_path / "pictures"
    (folder / "below").mkdir(parents=True)
    astronaut(64).save(folder / "colour.png")
    astronaut(48).convert("L").save(folder / "below" / "grey.png")
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.fixture
def here(tmp_path: Path, photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with photo.png, and the process in it."""
    photo.save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def packed(here: Path, tiny_model: Path) -> Path:
    """photo.png compressed with the tiny model."""
    assert lcodec("compress", "photo.png", "--model", tiny_model).exit_code == 0
    return here / "photo.lcq"


@pytest.fixture
def one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs over collections use one worker in this process, and no Ray."""
    from bulk_runs import alone

    alone(monkeypatch)


@pytest.fixture
def task(tiny_model: Path) -> "Task":
    """What is done in a collection: effort 0 with the tiny model."""
    from latticecodec.bulk import Task

    return Task("compress", EncodeOptions(effort=0), str(tiny_model), device="cpu")


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    """The same seven pictures as files, tars and Parquet."""
    from bulk_runs import FILES, loose, parquet, tar

    loose(tmp_path / "files", FILES)
    tar(tmp_path / "tars" / "a.tar", FILES[:4])
    tar(tmp_path / "tars" / "more" / "b.tar", FILES[4:], 4)
    parquet(tmp_path / "parquet" / "train.parquet", FILES, group=4)
    return {name: tmp_path / name for name in ("files", "tars", "parquet")}


def psnr(a: Image.Image, b: Image.Image) -> float:
    """PSNR in dB of two pictures of the same size and mode."""
    assert a.size == b.size
    assert a.mode == b.mode
    error = np.square(np.asarray(a, dtype=float) - np.asarray(b, dtype=float)).mean()
    return float(10 * np.log10(255**2 / error))

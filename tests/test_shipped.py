"""Files that shipped models wrote when they were new: they go on decoding, to the same indices and pixels.

A file's own CRC-32 holds the indices. `shipped/<model>.lcq` and the PNG of what it decoded to came with the model
(CONTRIBUTING.md), and are never written again.
"""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest

import latticecodec

FOLDER = Path(__file__).parent / "shipped"
FROZEN = {"adaptive", "lattice", "lattice-e8", "lattice-msssim", "rotation", "vq"}  # with format 1.1
MODELS = sorted(model.folder.name for model in latticecodec.list_models())


def test_every_shipped_model_has_a_file() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.lcq")) == MODELS
    assert sorted(path.stem for path in FOLDER.glob("*.png")) == MODELS
    assert set(MODELS) >= FROZEN


@pytest.mark.parametrize("name", MODELS)
def test_a_file_finds_its_model_and_decodes_as_it_did(name: str) -> None:
    data = (FOLDER / f"{name}.lcq").read_bytes()
    (writer,) = [model for model in latticecodec.list_models() if model.folder.name == name]
    assert latticecodec.read_header(data).model == writer.digest
    found = latticecodec.decode(data, as_array=True, device="cpu")  # [H, W, 3]
    expected = imagecodecs.png_decode((FOLDER / f"{name}.png").read_bytes())  # [H, W, 3]
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1


def test_a_file_of_weights_before_the_freeze_names_what_is_missing() -> None:
    """Written by an early version; the weights have changed since, the format has not."""
    data = (FOLDER / "withdrawn" / "lattice-before-the-freeze.lcq").read_bytes()
    header = latticecodec.read_header(data)
    assert (header.width, header.height, header.version) == (192, 176, (1, 0))
    with pytest.raises(latticecodec.ModelError, match="written with model 9716c46e3308f18e, which is not installed"):
        latticecodec.decode(data)

"""Every model, tune, kind of picture and target, without torch."""

from pathlib import Path

import numpy as np
import pytest
from conftest import decibels
from PIL import Image

import latticecodec
from latticecodec import Damage, LcqError, load, read_header

SHIPPED = Path(__file__).parents[1] / "shipped"
MODELS = [info.name for info in latticecodec.list_models()]


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str, picture: Image.Image) -> None:
    """What was coded comes back: the same indices, and a picture that is near."""
    codec = load(name)
    small = picture.crop((0, 0, 80, 64)) if codec.config.groups else picture  # codebooks take their time
    data = codec.encode(small, quality=60)
    assert (codec.decode_indices(data) == codec.to_indices(small, quality=60)).all()
    assert decibels(np.asarray(codec.decode(data)), np.asarray(small)) > 24


@pytest.mark.parametrize("tune", ["psnr", "ms-ssim", "ssimulacra2"])
@pytest.mark.parametrize("name", ["lattice", "lattice-e8", "lattice-msssim"])
def test_tunes(name: str, tune: str, picture: Image.Image) -> None:
    """An effort of 1 has an aim of its own, and changes the file."""
    codec = load(name)
    data = codec.encode(picture, effort=1, tune=tune)
    assert read_header(data).tune == tune
    assert decibels(np.asarray(codec.decode(data)), np.asarray(picture)) > 24
    if tune == codec.config.tune:
        plain = codec.encode(picture, effort=0, tune=tune)
        assert plain != data
        assert decibels(np.asarray(codec.decode(plain)), np.asarray(picture)) > 24


def test_more_effort_needs_torch_after_plain_steps(picture: Image.Image) -> None:
    one, three = (load("lattice-1").encode(picture, effort=effort) for effort in (1, 3))
    assert one != three
    with pytest.raises(LcqError, match=r"effort 4 needs torch; pip install 'latticecodec\[torch\]'"):
        load("lattice-1").encode(picture, effort=4)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_kinds_of_pictures(channels: int, dtype: type, picture: Image.Image) -> None:
    """Grey and RGB, with alpha and without, of 8 and 16 bits; alpha comes back without loss."""
    rgba = np.dstack([np.asarray(picture), np.asarray(picture.convert("L"))])[:96, :90]  # [96, 90, 4]
    array = rgba[:, :, -channels:].astype(dtype) * (257 if dtype is np.uint16 else 1)  # [96, 90, C]
    back = latticecodec.decode(latticecodec.encode(array, quality=90), as_array=True).reshape(array.shape)
    assert back.dtype == dtype
    assert decibels(back, array) > 30
    if channels in (2, 4):
        assert (back[:, :, -1] == array[:, :, -1]).all()


def test_tiles_regions_and_damage(picture: Image.Image) -> None:
    codec = load("lattice-1")
    data = codec.encode(picture, tile=64)
    whole = np.asarray(codec.decode(data))
    region = np.asarray(codec.decode(data, region=(70, 40, 60, 50)))
    assert np.abs(region.astype(int) - whole[40:90, 70:130]).max() <= 1
    broken, found = bytearray(data), list[Damage]()
    broken[-5] ^= 255  # of the last tile
    with pytest.raises(LcqError):
        codec.decode(bytes(broken))
    rescued = np.asarray(codec.decode(bytes(broken), on_damage=found.append))
    assert len(found) == 1
    assert np.abs(rescued[:48, :64].astype(int) - whole[:48, :64]).max() <= 1


def test_targets(picture: Image.Image) -> None:
    codec, pixels = load("lattice-1"), picture.width * picture.height
    assert 0.97 * 3000 <= len(codec.encode(picture, size=3000)) <= 3000
    assert 8 * len(codec.encode(picture, bpp=0.5)) / pixels == pytest.approx(0.5, rel=0.02)
    back = np.asarray(codec.decode(codec.encode(picture, psnr=36)))
    assert decibels(back, np.asarray(picture)) == pytest.approx(36, abs=0.1)


@pytest.mark.parametrize("name", MODELS)
def test_files_of_the_past(name: str) -> None:
    """They decode to the same indices, whose checksum is in the file, and to the same pixels but for one code value."""
    found = latticecodec.decode(SHIPPED / f"{name}.lcq", as_array=True)  # [H, W, 3]
    with Image.open(SHIPPED / f"{name}.png") as expected:
        assert np.abs(found.astype(int) - np.asarray(expected, int)).max() <= 1

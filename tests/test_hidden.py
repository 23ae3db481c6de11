"""What stands where alpha is 0: black where it is stored, a smooth continuation where networks see it."""

import numpy as np
import pytest
from picture_examples import samples
from PIL import Image

from latticecodec import Codec
from latticecodec.codec.squares.hidden import black, continued
from latticecodec.picture import Pixels, Samples, psnr

pytestmark = pytest.mark.usefixtures("one_thread")


def disc(height: int, width: int, depth: int = 8) -> Samples:
    """Alpha [H, W]: a disc with a soft edge, 0 around it."""
    y, x = np.mgrid[:height, :width]
    distance = np.hypot((y - height / 2) / height, (x - width / 2) / width)
    peak = (1 << depth) - 1
    return (peak * (20 * (0.4 - distance)).clip(0, 1)).astype(np.uint8 if depth == 8 else np.uint16)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (37, 64)])
def test_what_is_seen_stays(size: tuple[int, int], channels: int, depth: int) -> None:
    colour = samples(*size, channels, depth, "noise").reshape(*size, channels)
    alpha = disc(*size, depth)
    alpha[0, 0] = 1
    pixels = Pixels(colour, alpha)
    for shown in (black(pixels), continued(pixels)):
        assert shown.dtype == colour.dtype
        np.testing.assert_array_equal(shown[alpha > 0], colour[alpha > 0])
    assert not black(pixels)[alpha == 0].any()


def test_one_colour_goes_on_and_two_meet() -> None:
    colour, alpha = np.zeros((32, 64, 3), np.uint8), np.zeros((32, 64), np.uint8)
    colour[:, :8], colour[:, 56:] = 40, 200
    alpha[:, :8] = 255
    assert (continued(Pixels(colour, alpha)) == 40).all()
    alpha[:, 56:] = 255
    row = continued(Pixels(colour, alpha))[16, :, 0].astype(int)
    assert (np.diff(row) >= 0).all()
    assert np.diff(row).max() < 40


def test_nothing_hidden_and_all_hidden() -> None:
    colour = samples(9, 7, 3, 8, "noise")
    assert continued(Pixels(colour)) is colour
    assert continued(Pixels(colour, np.ones((9, 7), np.uint8))) is colour
    assert not continued(Pixels(colour, np.zeros((9, 7), np.uint8))).any()


def test_a_photograph_that_is_cut_out_takes_fewer_bytes(lattice: Codec, photo: Image.Image) -> None:
    """Whatever is left around it, a background or black."""
    colour = np.asarray(photo)
    alpha = disc(*colour.shape[:2])
    seen = alpha > 0
    data = lattice.encode(Pixels(colour, alpha))  # type: ignore[arg-type]
    assert data == lattice.encode(Pixels(colour * seen[:, :, None], alpha))  # type: ignore[arg-type]
    assert len(data) < 0.9 * len(lattice.encode(Pixels(colour, np.maximum(alpha, 1))))  # type: ignore[arg-type]
    back = lattice.decode(data, as_array=True)
    np.testing.assert_array_equal(back[:, :, 3], alpha)
    assert psnr(back[seen, :3], colour[seen]) > 27

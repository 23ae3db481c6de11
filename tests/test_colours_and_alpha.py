"""Alpha beside exact colours or with them in one stream, and colours that alpha hides."""

import io
import itertools
import zlib
from dataclasses import replace

import numpy as np
import plain_exact
import pytest
from lcq_parts import parts
from picture_examples import samples
from PIL import Image
from test_choice import most
from twelve_pages import page

import latticecodec
from latticecodec import Codec, FormatError, container
from latticecodec.codec import EncodeOptions
from latticecodec.picture import Samples, alpha, exact, psnr

pytestmark = pytest.mark.usefixtures("one_thread")


def letters(width: int = 192, height: int = 128) -> Samples:
    """A page of text on nothing: alpha is how dark the ink is; uint8 [H, W, 4]."""
    image = page("text", width, height)
    return np.dstack([np.asarray(image), 255 - np.asarray(image.convert("L"))])


def with_hole(array: Samples) -> Samples:
    """With a part that is not seen; uint8 [H, W, 4]."""
    plane = np.full(array.shape[:2], 255, np.uint8)
    plane[20:90, 30:150] = 0
    return np.dstack([array, plane])


def alpha_of_second_reader(data: bytes) -> Samples:
    """The alpha channel [H, W] of a file of one tile whose exact colours have it, by section 2.6 of FORMAT.md."""
    file, (found,) = plain_exact.read(data)
    plane = np.zeros((file.height, file.width), np.uint16)
    files = iter(plain_exact.webp_files(file.tiles[0], found, file.bit_depth // 8))
    for top, left in itertools.product(range(0, file.height, 2048), range(0, file.width, 2048)):
        square = plane[top : top + 2048, left : left + 2048]
        for webp_file in itertools.islice(files, file.bit_depth // 8):
            rgba = np.asarray(Image.open(io.BytesIO(webp_file)).convert("RGBA"))  # [h, w, 4]
            square[:] = 256 * square + (rgba[:, :, 3] if plain_exact.has_alpha(webp_file) else 255)
    return plane


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [2, 4])
def test_squares_that_are_opaque_beside_one_that_is_not(channels: int, depth: int) -> None:
    """Of several in one tile; a second reader, and one of a region, see the same."""
    array = samples(5, 2 * 2048 + 30, channels, depth, "few")
    peak = np.iinfo(array.dtype).max
    array[:, :, -1] = peak
    array[:, 2048:2200, -1] = peak - array[:, 2048:2200, 0] // 3
    header, _ = container.read(latticecodec.encode(array, lossless=True, tile=0))
    joint = exact.encode(array[:, :, :-1], array[:, :, -1])
    data = container.write(header, [container.Tile(b"", zlib.crc32(b""), exact=joint)])
    np.testing.assert_array_equal(latticecodec.decode(data, as_array=True), array)
    np.testing.assert_array_equal(alpha_of_second_reader(data), array[:, :, -1])
    part = latticecodec.decode(data, region=(2000, 1, 100, 3), as_array=True)
    np.testing.assert_array_equal(part, array[1:4, 2000:2100])


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [2, 4])
def test_colours_and_alpha_share_a_stream_where_that_is_shorter(channels: int, depth: int) -> None:
    """Where alpha follows them; where they repeat from left to right and alpha from top to bottom it has its own."""
    together = samples(64, 128, channels, depth, "few")
    together[:, :, -1] = np.iinfo(together.dtype).max - together[:, :, 0] // 3
    apart = samples(64, 128, channels, depth, "noise")
    apart[:, :, :-1] = apart[:, np.arange(128) % 16, :-1]
    apart[:, :, -1] = apart[np.arange(64) % 16, :, -1]
    for array, joint in ((together, True), (apart, False)):
        for side in (0, 64):
            data = latticecodec.encode(array, lossless=True, tile=side)
            _, tiles = container.read(data)
            assert {tile.alpha == b"" for tile in tiles} == {joint}
            np.testing.assert_array_equal(latticecodec.decode(data, as_array=True), array)
            part = latticecodec.decode(data, region=(50, 3, 40, 60), as_array=True)
            np.testing.assert_array_equal(part, array[3:63, 50:90])


def test_of_16_bits_one_byte_may_be_opaque() -> None:
    """Its WebP file then has no alpha, which stands for 255."""
    array = samples(20, 30, 4, 16, "few")
    for byte in (array[:, :, 0] & 0xFF | 0xFF00, array[:, :, 0] | 0xFF):
        array[:, :, 3] = byte
        data = latticecodec.encode(array, lossless=True)
        np.testing.assert_array_equal(latticecodec.decode(data, as_array=True), array)


def test_alpha_is_there_once() -> None:
    """Not beside colours that have it."""
    data = latticecodec.encode(letters(64, 64), lossless=True)
    header, (tile,) = container.read(data)
    twice = container.write(header, [replace(tile, alpha=alpha.encode(letters(64, 64)[:, :, 3]))])
    with pytest.raises(FormatError, match="exact colours: has alpha of its own"):
        latticecodec.decode(twice)


def test_alpha_of_exact_colours_is_that_of_neural_squares_too(tiny: Codec) -> None:
    array = letters(128, 64)
    header, (tile,) = container.read(tiny.encode_detailed(array, EncodeOptions(exact=False)).data)
    joint = container.read(latticecodec.encode(array, lossless=True))[1][0].exact
    mixed = container.write(replace(header, exact=b"\x80"), [replace(tile, alpha=b"", exact=joint)])
    back = tiny.decode(mixed, as_array=True)
    np.testing.assert_array_equal(back[:, :64], array[:, :64])
    np.testing.assert_array_equal(back[:, 64:, 3], array[:, 64:, 3])
    assert parts(mixed).get("minor") == 2


@pytest.mark.parametrize("name", ["text", "map", "photograph"])
def test_the_promise_with_alpha(lattice: Codec, photo: Image.Image, name: str) -> None:
    """Colours that are not seen cost nothing; without loss they are kept, as Pillow's option `exact` keeps them."""
    array = np.asarray(page(name, 192, 128, photo))
    for drawn in (letters(), with_hole(array)):
        for quality in (0, 50, 100):
            data = lattice.encode(drawn, quality=quality)
            assert len(data) <= most(drawn, data)
            np.testing.assert_array_equal(lattice.decode(data, as_array=True)[:, :, 3], drawn[:, :, 3])
        data = lattice.encode(drawn, lossless=True)
        assert len(data) <= most(drawn, data, exact=True)
        np.testing.assert_array_equal(lattice.decode(data, as_array=True), drawn)


def test_what_alpha_hides_is_no_error(lattice: Codec) -> None:
    """Noise under a hole: the page around it is stored, and its PSNR is of what is seen."""
    array = with_hole(np.asarray(page("chart", 192, 128)))
    seen = array[:, :, 3] > 0
    noisy = array.copy()
    noisy[~seen, :3] = samples(192, 128, 3, 8, "noise").reshape(-1, 3)[: (~seen).sum()]
    data = lattice.encode(noisy, psnr=45.0)
    back = lattice.decode(data, as_array=True)
    assert len(data) <= len(lattice.encode(array, quality=100))
    assert psnr(back[seen], array[seen]) >= 45

"""What is stored and what is neural: the cheaper of both, never more than lossless WebP."""

import io
import itertools

import numpy as np
import pytest
from picture_examples import samples
from PIL import Image
from twelve_pages import PAGES, page

import latticecodec
from latticecodec import Codec
from latticecodec.codec import EncodeOptions
from latticecodec.codec.squares.repeats import repeated
from latticecodec.codec.squares.statistics import has_few_colours
from latticecodec.codec.tiling import WHOLE_MAX
from latticecodec.container import Box
from latticecodec.picture import Samples, psnr

pytestmark = pytest.mark.usefixtures("one_thread")


def most(array: Samples, data: bytes, **options: bool) -> float:
    """Bytes that a file may have: 1.02 of Pillow's lossless WebP, header, mask, metadata and 64."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, format="WEBP", lossless=True, **options)
    header_bytes = int.from_bytes(data[10:14], "little") + 4
    return 1.02 * len(file.getvalue()) + header_bytes + 64


def assert_promise(codec: Codec, array: Samples, qualities: tuple[int, ...]) -> None:
    """No file is larger than lossless WebP, and PSNR does not fall as quality rises."""
    reached = []
    for quality in qualities:
        data = codec.encode(array, quality=quality)
        assert len(data) <= most(array, data)
        reached.append(psnr(codec.decode(data, as_array=True), array))
    assert all(high >= low - 0.05 for low, high in itertools.pairwise(reached)), reached


@pytest.mark.parametrize("name", PAGES)
def test_the_promise_for_drawn_pages(lattice: Codec, photo: Image.Image, name: str) -> None:
    assert_promise(lattice, np.asarray(page(name, 192, 128, photo)), (0, 100))


@pytest.mark.parametrize("kind", ["noise", "flat", "few"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_promise_for_what_nobody_drew(lattice: Codec, kind: str, channels: int) -> None:
    for number, size in enumerate(((1, 1), (9, 70), (66, 65))):
        assert_promise(lattice, samples(*size, channels, 8, kind, number), (0, 25, 50, 75, 100))


def test_the_promise_for_a_texture_that_repeats(lattice: Codec) -> None:
    """No square of it shows that."""
    texture = samples(40, 50, 3, 8, "noise")
    array = np.tile(texture, (4, 4, 1))
    assert repeated(texture) == 0
    assert repeated(array) == pytest.approx(15 / 16, abs=0.02)
    assert_promise(lattice, array, (0, 50, 100))
    assert (repeated(array[:9, :3]), repeated(np.zeros((5, 70, 1), np.uint16))) == (0, 0)


def test_the_promise_above_four_megapixels() -> None:
    """Where streams end at tiles, so that 5 % more may be taken."""
    array = np.asarray(page("table", 1050, 1010).resize((2100, 2020), Image.Resampling.BICUBIC))
    assert array[:, :, 0].size > WHOLE_MAX
    data = latticecodec.encode(array, lossless=True)
    assert len(data) <= 1.05 / 1.02 * most(array, data)


@pytest.mark.parametrize("name", ["text", "table"])
def test_the_promise_where_nothing_is_asked_for(name: str) -> None:
    """By the model and for what a call takes by itself."""
    array = np.asarray(page(name, 96, 64))
    data = latticecodec.encode(array)
    assert len(data) <= most(array, data)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_promise_for_a_dithered_photograph(lattice: Codec, channels: int) -> None:
    """Few colours, none of which its neighbours foretell: as GIF and PNG with a palette have them."""
    rows, columns = np.mgrid[0:64, 0:64] * 4
    soft = np.dstack([rows, columns, (rows + columns) // 2])[:, :, :channels]  # [64, 64, C]
    noisy = np.clip(soft + np.random.default_rng(0).normal(0, 8, soft.shape), 0, 255).astype(np.uint8)
    image = Image.fromarray(noisy if channels == 3 else noisy[:, :, 0])
    array = np.asarray(image.convert("P").convert("RGB") if channels == 3 else image.quantize(16).convert("L"))
    assert has_few_colours(array.reshape(64, 64, channels))
    assert not has_few_colours(noisy)
    assert_promise(lattice, array, (0, 50, 95, 100))
    assert latticecodec.read_header(lattice.encode(array, quality=95)).squares.share == 1


def test_photographs_stay_as_they_were(lattice: Codec, photo: Image.Image) -> None:
    for quality in (0, 50, 100):
        assert_promise(lattice, np.asarray(photo), (quality,))
        before = lattice.encode_detailed(photo, EncodeOptions(quality=quality, exact=False)).data
        assert lattice.encode(photo, quality=quality) == before


@pytest.mark.parametrize(("quality", "least"), [(50, 40.0), (100, 100.0)])
def test_a_photograph_on_a_page_is_neural_and_its_text_stored(
    lattice: Codec, photo: Image.Image, quality: int, least: float
) -> None:
    """Text exactly at quality 100, in fewer colours below it."""
    image = page("photograph", 512, 384, photo)
    data = lattice.encode(image, quality=quality)
    header = latticecodec.read_header(data)
    assert 0.4 < header.squares.share < 0.95
    original, array = np.asarray(image), lattice.decode(data, as_array=True)
    neural = lattice.encode_detailed(image, EncodeOptions(quality=quality, exact=False)).data
    without = lattice.decode(neural, as_array=True)
    whole = Box(0, 0, header.width, header.height)
    is_exact = np.zeros(array.shape[:2], bool)
    for box in header.squares.within(whole, True):
        is_exact[box.top : box.bottom, box.left : box.right] = True
    near = np.zeros_like(is_exact)
    for box in header.squares.within(whole, True):
        wide = box.grown(32, header.width, header.height)
        near[wide.top : wide.bottom, wide.left : wide.right] = True
    assert psnr(array[is_exact], original[is_exact]) >= least
    border = near & ~is_exact
    assert psnr(array[border], original[border]) >= psnr(without[border], original[border]) - 0.5


def test_letters_are_stored_in_fewer_colours_below_quality_100(lattice: Codec) -> None:
    """The worse, the fewer; drawings of few colours stay as they are."""
    letters, diagram = (np.asarray(page(name, 192, 128)) for name in ("text", "chart"))
    whole = len(lattice.encode(letters, quality=100))
    for quality, part, least in ((0, 0.7, 30.0), (25, 0.8, 35.0), (50, 0.85, 40.0), (100, 1.0, 100.0)):
        data = lattice.encode(letters, quality=quality)
        assert len(data) <= part * whole
        assert least <= psnr(lattice.decode(data, as_array=True), letters) < least + 10
        np.testing.assert_array_equal(lattice.decode(lattice.encode(diagram, quality=quality), as_array=True), diagram)


def test_a_searched_psnr_is_that_of_the_colours_that_are_stored(lattice: Codec) -> None:
    array = np.asarray(page("text", 192, 128))
    encoding = lattice.encode_detailed(array, EncodeOptions(psnr=42.0, effort=0))
    assert encoding.quality < 100
    assert 41.9 <= psnr(lattice.decode(encoding.data, as_array=True), array) < 45


def test_targets_know_of_exact_squares(lattice: Codec) -> None:
    array = np.asarray(page("text", 192, 128))
    assert len(lattice.encode(array, size=30_000)) < 10_000
    assert psnr(lattice.decode(lattice.encode(array, psnr=40.0), as_array=True), array) >= 39.9


def test_index_tensors_are_those_of_the_networks(tiny: Codec) -> None:
    """Also of pages, whose files have none."""
    array = np.asarray(page("text", 96, 64))
    assert tiny.to_indices(array).shape == (tiny.config.latents, 4, 6)


@pytest.mark.parametrize(("name", "qualities"), [("map", (50, 75)), ("screen", (0, 25))])
def test_a_page_is_no_worse_at_a_higher_quality(lattice: Codec, name: str, qualities: tuple[int, ...]) -> None:
    """Exact at the lower one and in fewer colours at the higher: as long as the lower did not look at as many."""
    assert_promise(lattice, np.asarray(page(name, 1200, 900)), qualities)

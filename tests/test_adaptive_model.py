"""Models with adaptive codebooks: pairs in the index tensor, files, and where training starts from."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from latticecodec.cli import main
from PIL import Image
from plain_reader import PlainReader
from short_runs import FROZEN, train, trainable

from latticecodec import Codec, ImageError, ModelError, load, read_header
from latticecodec.codec import EncodeOptions
from latticecodec.config import PRESETS, ModelConfig
from latticecodec.kinds import check
from latticecodec.lab.training.kinds import MODELS
from latticecodec.zoo import find, read_weights

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")

BOOKS = (16, 8, 4)  # codewords, with 1, 2 and 4 entries


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("run") / "adaptive", "adaptive")


@pytest.fixture(scope="module")
def codec(model: Path) -> Codec:
    return load(model, device="cpu")


def test_a_pair_for_every_group_of_a_position(codec: Codec, photo: Image.Image) -> None:
    """16 groups of 2 latents: a square of 4 x 4 pairs stands for 16 x 16 pixels."""
    assert (codec.config.groups, codec.config.books) == ((2,) * 16, BOOKS)
    for quality in (0, 60, 100):
        encoding = codec.encode_detailed(photo, EncodeOptions(quality=quality))
        header = read_header(encoding.data)
        assert (header.quantizer, header.family) == (3, 1)
        assert encoding.indices.shape == (2, 4 * 13, 4 * 20)
        book, index = encoding.indices
        assert 0 <= book.min() <= book.max() < 3
        assert (index < np.array(BOOKS)[book]).all()
        np.testing.assert_array_equal(codec.decode_indices(encoding.data), encoding.indices)
        redrawn = codec.from_indices(encoding.indices, quality, photo.width, photo.height)
        np.testing.assert_array_equal(np.asarray(redrawn), np.asarray(codec.decode(encoding.data)))


def test_the_document_is_enough_to_decode(codec: Codec, model: Path, photo: Image.Image) -> None:
    data = codec.encode(photo.resize((90, 70)), quality=60)
    np.testing.assert_array_equal(PlainReader(data, model).indices(), codec.decode_indices(data))


@pytest.mark.parametrize(
    ("pair", "shape", "message"),
    [
        ((3, 0), (8, 8), "index 3 is outside"),
        ((1, 8), (8, 8), "index 8 is outside"),
        ((0, -1), (8, 8), "index -1 is outside"),
        ((0, 0), (8, 6), r"expected integers \[2, 4 h, 4 w\]"),
    ],
)
def test_pairs_that_no_file_has(codec: Codec, pair: tuple[int, int], shape: tuple[int, int], message: str) -> None:
    indices = np.broadcast_to(np.array(pair)[:, None, None], (2, *shape))
    with pytest.raises(ImageError, match=message):
        codec.from_indices(indices)


def test_verify_tells_how_often_each_codebook_was_used(
    codec: Codec, model: Path, photo: Image.Image, tmp_path: Path
) -> None:
    file = tmp_path / "photo.lcq"
    file.write_bytes(codec.encode(photo, quality=80))
    ids = codec.decode_indices(file.read_bytes())[0]
    result = CliRunner().invoke(main, ["verify", str(file), "--model", str(model), "--json"])
    shares = json.loads(result.stdout)["codebook_shares"]
    assert shares == pytest.approx([float((ids == book).mean()) for book in range(3)], abs=1e-5)
    lines = CliRunner().invoke(main, ["verify", str(file), "--model", str(model)]).stdout.splitlines()
    assert lines[2:] == [
        f"codebook of {codes} codewords with {entries}: {100 * share:.1f} % of positions"
        for codes, entries, share in zip(BOOKS, ("1 entry", "2 entries", "4 entries"), shares, strict=True)
    ]


def test_the_log_counts_codes_by_codebook(model: Path) -> None:
    header, *_, last = (model.parent / "log.csv").read_text().splitlines()
    row = dict(zip(header.split(","), last.split(","), strict=True))
    assert 0 < float(row["share_used"]) <= 1
    assert 0 <= int(row["dead"]) < sum(BOOKS)


def test_codebooks_are_exchanged_and_the_rest_is_kept(tmp_path: Path) -> None:
    """From vq to adaptive: the same transforms and groups of latents."""
    source = train(tmp_path / "vq", "vq")
    folder = train(tmp_path / "run", "adaptive", init_from=source, options=FROZEN)
    before, after = read_weights(find(source)), read_weights(find(folder))
    assert find(source).config.groups == (4,) * 8
    assert find(folder).config.groups == (2, 2, *(4,) * 7)  # a square number of them
    assert after["quantizer.codebooks"].shape == (sum(BOOKS), 4)
    kept = [name for name in before if name.startswith(("analysis.", "synthesis.", "quantizer.log_basis"))]
    assert all(np.array_equal(before[name], after[name]) for name in kept)


@torch.no_grad()
def test_a_warm_start_has_the_same_codewords(model: Path) -> None:
    info = find(model)
    again = trainable(info)
    stored = torch.from_numpy(read_weights(info)["quantizer.codebooks"]).float()
    torch.testing.assert_close(again.coded_tensors()["quantizer.codebooks"].float(), stored, atol=2e-3, rtol=2e-3)


def test_books_that_do_not_fit_are_refused() -> None:
    config = MODELS["adaptive"].configured(PRESETS["lc-test"]).__dict__
    for change in ({"books": ()}, {"books": (16, 8, 5)}, {"codes": 27}, {"groups": (4,) * 8}, {"groups": (8,) * 4}):
        with pytest.raises(ModelError, match="config"):
            check(ModelConfig(**(config | change)))

"""Where people train: WebDataset and `datasets` give pictures and index tensors of .lcq members."""

import io
import pickle
import runpy
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from container_files import wholly_exact
from PIL import Image

import latticecodec
from latticecodec import ChecksumError, Codec, FormatError, LimitError, webdataset
from latticecodec.container import reader_of
from latticecodec.webdataset import Indices, Pictures

wds = pytest.importorskip("webdataset")
SIZES = ((48, 32), (33, 40), (64, 64))


@pytest.fixture
def packed(tiny: Codec) -> list[bytes]:
    """Three small files."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (height, width, 3), np.uint8) for width, height in SIZES]
    return [tiny.encode(picture, effort=0) for picture in pictures]


@pytest.fixture
def shard(packed: list[bytes], tmp_path: Path) -> str:
    """A tar of them, each with a class beside it."""
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        for number, data in enumerate(packed):
            for suffix, content in (("lcq", data), ("cls", str(number).encode())):
                member = tarfile.TarInfo(f"{number:04d}.{suffix}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return str(tmp_path / "shard.tar")


def test_webdataset_gives_pictures(shard: str, packed: list[bytes], tiny: Codec, tiny_model: Path) -> None:
    found = list(wds.WebDataset(shard, shardshuffle=False).decode(Pictures(tiny_model, "cpu")).to_tuple("lcq", "cls"))
    assert [label for _, label in found] == [0, 1, 2]
    assert [picture.size for picture, _ in found] == list(SIZES)
    for (picture, _), data in zip(found, packed, strict=True):
        assert np.array_equal(picture, tiny.decode(data))
    arrays = wds.WebDataset(shard, shardshuffle=False).decode(Pictures(tiny_model, "cpu", as_array=True))
    assert [sample["lcq"].shape for sample in arrays] == [(height, width, 3) for width, height in SIZES]


def test_webdataset_gives_index_tensors(shard: str, packed: list[bytes], tiny: Codec, tiny_model: Path) -> None:
    """Also in the processes of a DataLoader, to which the handler is sent."""
    handler = pickle.loads(pickle.dumps(Indices(tiny_model, "cpu")))
    found = [sample["lcq"] for sample in wds.WebDataset(shard, shardshuffle=False).decode(handler)]
    assert [indices.shape for indices in found] == [(32, 2, 3), (32, 3, 3), (32, 4, 4)]
    for indices, data in zip(found, packed, strict=True):
        assert np.array_equal(indices, tiny.decode_indices(data))


def test_files_that_take_no_model_are_read(tiny_model: Path) -> None:
    """Of such a file all is exact, and its index tensor has no channels."""
    picture = Image.new("RGB", (40, 33), (1, 2, 3))
    data = latticecodec.encode(picture, lossless=True)
    assert np.array_equal(Pictures(tiny_model, "cpu").read(data), picture)
    assert np.array_equal(Pictures(as_array=True).read(data), picture)
    assert Indices(tiny_model, "cpu").read(data).shape == (0, 3, 3)


def test_the_limit_on_pixels_is_the_callers(tiny_model: Path, packed: list[bytes]) -> None:
    """Also above the one that there is without it; of a file that is large, and wholly exact."""
    data = wholly_exact(20_000)
    for reader in (Indices(tiny_model, "cpu"), Indices(tiny_model, "cpu", max_pixels=20_000**2 - 1)):
        with pytest.raises(LimitError, match="20000x20000 pixels is over the limit of"):
            reader.read(data)
    assert Indices(tiny_model, "cpu", max_pixels=20_000**2).read(data).shape == (0, 1250, 1250)
    with pytest.raises(LimitError, match="48x32 pixels is over the limit of 1,535"):
        Indices(tiny_model, "cpu", max_pixels=48 * 32 - 1).read(packed[0])


def test_pictures_have_that_limit_too(tiny_model: Path, packed: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Passed on to what the picture is decoded from, where it could be above the one that there is without it."""
    limits: list[int] = []
    monkeypatch.setattr(webdataset, "reader_of", lambda *given: limits.append(given[-1]) or reader_of(*given))
    Pictures(tiny_model, "cpu", max_pixels=20_000**2).read(packed[0])
    assert limits == [20_000**2]
    with pytest.raises(LimitError, match="48x32 pixels is over the limit of 1,535"):
        Pictures(tiny_model, "cpu", max_pixels=48 * 32 - 1).read(packed[0])


def test_a_damaged_member_is_an_error_that_a_pipeline_can_pass_over(
    shard: str, packed: list[bytes], tiny_model: Path
) -> None:
    data = Path(shard).read_bytes()
    at = data.index(packed[1]) + len(packed[1]) - 2
    Path(shard).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    handler = Indices(tiny_model, "cpu")
    with pytest.raises(wds.autodecode.DecodingError) as caught:
        list(wds.WebDataset(shard, shardshuffle=False).decode(handler))
    assert isinstance(caught.value.__cause__, ChecksumError)
    passed = wds.WebDataset(shard, shardshuffle=False).decode(handler, handler=wds.ignore_and_continue)
    assert [sample["cls"] for sample in passed] == [0, 2]


@pytest.mark.parametrize("streaming", [False, True])
def test_datasets_give_what_a_column_holds(packed: list[bytes], tiny: Codec, tiny_model: Path, streaming: bool) -> None:
    """As bytes, and as Parquet files of Hugging Face have pictures."""
    datasets = pytest.importorskip("datasets")
    columns: dict[str, list[Any]] = {"lcq": packed, "cell": [{"bytes": data, "path": None} for data in packed]}
    dataset = datasets.Dataset.from_dict(columns)
    if streaming:
        found = list(dataset.to_iterable_dataset().map(Indices(tiny_model, "cpu").column("lcq")))
    else:
        decoded = dataset.with_transform(Indices(tiny_model, "cpu").column("lcq"))
        found = [decoded[number] for number in range(len(packed))]
        assert decoded[:2]["lcq"][1].shape == (32, 3, 3)
        pictures = dataset.with_transform(Pictures(tiny_model, "cpu").column("cell"))
        assert isinstance(pictures[2]["cell"], Image.Image)
    for example, data in zip(found, packed, strict=True):
        assert np.array_equal(example["lcq"], tiny.decode_indices(data))


def test_what_is_no_file_is_one_line(tiny_model: Path) -> None:
    reader = Indices(tiny_model, "cpu")
    assert reader(".jpg", b"anything") is None
    with pytest.raises(FormatError, match=r"^column lcq holds str where the bytes of an \.lcq file belong$"):
        reader.column("lcq")({"lcq": "text"})


def test_the_sample_learns_a_prior(shard: str, tiny_model: Path) -> None:
    """samples/index_prior.py, which sees these three files again and again."""
    place = Path(__file__).parent.parent / "samples" / "index_prior.py"
    names = runpy.run_path(str(place))
    bits = names["train"](shard, steps=30, batch=3, model=tiny_model)
    assert np.mean(bits[-3:]) < 0.8 * bits[0]
    prior = names["Prior"](2)
    indices = torch.zeros(1, 2, 4, 4, requires_grad=True)  # [N, C, h, w]
    prior(indices)[0, :, 1, 2].sum().backward()
    assert indices.grad is not None
    seen = indices.grad[0].abs().sum(0)  # [h, w]
    seen[1, 2] = 0  # the coordinate itself
    assert seen[:1].any()
    assert not seen[2:].any()
    assert not seen[1, 2:].any()  # nothing that comes after it

"""Training on pictures that are packed many to a file: tars and Parquet."""

import io
import shutil
import tarfile
import warnings
from collections.abc import Callable
from pathlib import Path

import odd_archives as odd
import pytest
import torch
from PIL import Image

from latticecodec import LcqError, TrainingError
from latticecodec.lab.ranks import Ranks
from latticecodec.lab.training.data import Crops, centre_crops, read_pixels
from latticecodec.lab.training.options import Asked, TrainOptions
from latticecodec.lab.training.run import run
from latticecodec.lab.training.shards import HOLD_OUT, OPEN_MAX, STAY, Part, Shards, find_shards
from latticecodec.lab.training.synthetic import synthetic_picture

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")


def image_file(value: int) -> bytes:
    """A grey PNG of 64x64 pixels of one value."""
    file = io.BytesIO()
    Image.new("L", (64, 64), value).save(file, "PNG")
    return file.getvalue()


def tar_of(path: Path, files: dict[str, bytes]) -> Path:
    """A tar as WebDataset's, with other members among the pictures."""
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            for member, content in ((name, data), (f"{Path(name).stem}.json", b"{}")):
                info = tarfile.TarInfo(member)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


def parquet_of(path: Path, images: list[bytes | None], group: int, plain: bool = False) -> Path:
    """Parquet with images as Hugging Face has them, or as plain bytes, so many to a row group."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    column = images if plain else [{"bytes": data, "path": None} for data in images]
    table = pyarrow.table({"label": list(range(len(images))), "image": column})
    parquet.write_table(table, path, row_group_size=group)
    return path


@pytest.fixture
def tars(tmp_path: Path) -> list[Path]:
    """Three tars, of pictures whose pixels say which: 50 times the tar's number, and the picture's."""
    return [
        tar_of(tmp_path / f"{number}.tar", {f"{i:03}.png": image_file(50 * number + i) for i in range(40)})
        for number in range(3)
    ]


def values(crops: Crops, step: int) -> list[int]:
    """The pixel of each crop of a step."""
    return crops.draw(step)[:, 0, 0, 0].tolist()


def test_each_place_of_a_batch_stays_with_a_part_then_goes_on_to_another() -> None:
    shards = Shards([Path(f"{number}.tar") for number in range(2 * OPEN_MAX)], seed=1)

    def part(step: int, place: int) -> str:
        return next(shards.part_of(step, place / OPEN_MAX)).path.name

    assert all(part(0, place) == part(STAY - 1, place) for place in range(OPEN_MAX))
    turns = [[part(turn * STAY, place) for turn in range(4) for place in range(OPEN_MAX)]]
    epochs = turns[0][: 2 * OPEN_MAX], turns[0][2 * OPEN_MAX :]
    assert [len(set(epoch)) for epoch in epochs] == [2 * OPEN_MAX] * 2  # all of them have their turn
    assert epochs[0] != epochs[1]


def test_pictures_are_those_of_the_part(tars: list[Path]) -> None:
    shards = Shards(tars)
    crops = Crops(shards, 64, 2)
    for step in range(0, 3 * STAY, STAY // 2):
        names = [next(shards.part_of(step, place / 2)).path.stem for place in range(2)]
        assert [value // 50 for value in values(crops, step)] == [int(name) for name in names]
    assert len({values(crops, step)[0] for step in range(20)}) > 10


def test_ranks_read_their_share_of_the_same_pictures(tars: list[Path]) -> None:
    whole = Crops(Shards(tars, seed=3), 64, 4, seed=3)
    parts = []
    for index in range(2):
        crops = Crops(Shards(tars, seed=3), 64, 4, seed=3)
        crops.share(Ranks(index, 2).own(4))
        parts.append(crops.batch(STAY + 5))
    assert torch.equal(torch.cat(parts), whole.batch(STAY + 5))


def test_what_is_held_out_does_not_train(tars: list[Path]) -> None:
    shards = Shards(tars, held_out=True)
    held_out = {int(read_pixels(packed)[0, 0, 0]) for packed in shards.held_out()}  # type: ignore[index]
    assert held_out == {50 * number + i for number in range(3) for i in (0, HOLD_OUT)}
    crops = Crops(shards, 64, 4)
    assert not held_out & {value for step in range(40) for value in values(crops, step)}
    assert len(list(shards.all())) == 120


def test_no_more_is_held_out_than_is_looked_at(tars: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of three tars has two pictures for it."""
    monkeypatch.setattr("latticecodec.lab.training.shards.HELD_OUT_MAX", 3)
    names = [packed.name for packed in Shards(tars, held_out=True).held_out()]
    assert names == [f"{tars[0]}, 000.png", f"{tars[0]}, 020.png", f"{tars[1]}, 000.png"]


def test_of_parts_of_one_picture_some_are_held_out(tmp_path: Path) -> None:
    files = [tar_of(tmp_path / f"{i:03}.tar", {"a.png": image_file(i)}) for i in range(HOLD_OUT + 5)]
    shards = Shards(files, held_out=True)
    kept = [packed.name for packed in shards.held_out()]
    generator = torch.Generator().manual_seed(0)
    trained = [shards.pick(part, generator) for part in shards._parts]
    assert kept == [f"{files[i]}, a.png" for i in (0, HOLD_OUT)]
    left = [f"{file}, a.png" for i, file in enumerate(files) if i % HOLD_OUT]
    assert [packed.name for packed in trained if packed] == left


def test_a_picture_alone_trains_and_validates(tmp_path: Path) -> None:
    """As one in a folder does; also beside a tar without any."""
    empty, one = tar_of(tmp_path / "b.tar", {}), {"0.png": image_file(7)}
    for files in ([tar_of(tmp_path / "a.tar", one)], [tmp_path / "a.tar", empty]):
        shards = Shards(files, held_out=True)
        assert [packed.name for packed in shards.held_out()] == [f"{tmp_path / 'a.tar'}, 0.png"]
        assert values(Crops(shards, 64, 2), 0) == [7, 7]


def test_a_pick_does_not_look_through_all_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = Shards([tar_of(tmp_path / f"{i:03}.tar", {"a.png": image_file(i)}) for i in range(100)], held_out=True)
    compared: list[object] = []
    monkeypatch.setattr(Part, "__eq__", lambda part, other: bool(compared.append(other)) or part is other)
    assert shards.pick(shards._parts[-1], torch.Generator()) is not None
    assert len(compared) < 10


def test_a_damaged_row_group_is_left_out_and_told(tmp_path: Path) -> None:
    path = parquet_of(tmp_path / "a.parquet", [image_file(i) for i in range(40)], group=20)
    data = path.read_bytes()
    path.write_bytes(data[:200] + bytes(400) + data[600:])
    with pytest.warns(UserWarning, match=r"a\.parquet: row group 0 is left out"):
        assert len(list(Shards([path]).all())) == 20


def test_a_place_without_pictures_is_none_to_validate_on() -> None:
    with pytest.raises(TrainingError, match="there are no pictures for validation; name some with `val`, or more with"):
        centre_crops([], 64)


@pytest.mark.parametrize("plain", [False, True])
def test_parquet_is_read_by_row_groups(tmp_path: Path, plain: bool) -> None:
    path = parquet_of(tmp_path / "a.parquet", [image_file(i) for i in range(30)], group=10, plain=plain)
    crops = Crops(Shards([path]), 64, 4)
    assert len({values(crops, step)[0] // 10 for step in range(0, STAY, STAY // 8)}) == 1
    assert {value for step in range(0, 9 * STAY, STAY // 8) for value in values(crops, step)} == set(range(30))
    assert [packed.name for packed in Shards([path]).all()][29] == f"{path}, row 29"


def test_what_cannot_be_read_is_left_out_and_told(tmp_path: Path) -> None:
    broken = tar_of(tmp_path / "a.tar", {"0.png": b"no picture", "1.png": image_file(7)})
    (tmp_path / "b.tar").write_bytes(broken.read_bytes()[:2048])  # ends within the first members
    (tmp_path / "c.tar").write_bytes(b"no tar")
    parquet = parquet_of(tmp_path / "d.parquet", [None, image_file(9)], group=2)
    crops = Crops(Shards([broken, tmp_path / "b.tar", tmp_path / "c.tar", parquet]), 64, 8)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        seen = {value for step in range(0, 4 * STAY, STAY // 2) for value in values(crops, step)}
    assert seen == {7, 9}
    told = {str(warning.message) for warning in caught}
    assert any(line.startswith(f"{broken}, 0.png: skipped, not an image") for line in told)
    assert any(line.startswith(f"{parquet}, row 0: skipped, ") for line in told)
    assert any(line.startswith(f"{tmp_path / 'c.tar'}: not read to its end, ") for line in told)
    nothing = Crops(Shards([tmp_path / "c.tar"]), 64, 1)
    with (
        pytest.warns(match=r"c\.tar"),
        pytest.raises(TrainingError, match=r"c\.tar and the rest: none of the pict"),
    ):
        nothing.draw(0)


def test_files_that_are_no_parquet_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"label": [1], "text": ["a"]}), tmp_path / "a.parquet")
    with pytest.raises(TrainingError, match=r"a\.parquet: has no column of images, as bytes; its columns are label"):
        Shards([tmp_path / "a.parquet"])
    (tmp_path / "b.parquet").write_bytes(b"no Parquet")
    with pytest.raises(TrainingError, match=r"b\.parquet: not a Parquet file that can be read; leave it out"):
        Shards([tmp_path / "b.parquet"])
    monkeypatch.setattr("latticecodec.extras.find_spec", lambda name: None)
    with pytest.raises(LcqError, match=r"a\.parquet: needs pyarrow; pip install 'latticecodec\[parquet\]'"):
        Shards([tmp_path / "a.parquet"])


def test_a_folder_of_pictures_is_one_whatever_else_lies_there(tars: list[Path], tmp_path: Path) -> None:
    assert find_shards(tmp_path) == tars
    assert find_shards(tars[1]) == [tars[1]]
    (tmp_path / "photo.png").write_bytes(image_file(0))
    assert find_shards(tmp_path) == []
    assert find_shards(tmp_path / "missing") == []


def test_a_model_is_trained_on_tars_and_validated_on_parquet(tmp_path: Path) -> None:
    files = {}
    for seed in range(4):
        file = io.BytesIO()
        Image.fromarray(synthetic_picture(seed, 96, 96).permute(1, 2, 0).numpy()).save(file, "PNG")
        files[f"{seed}.png"] = file.getvalue()
    (tmp_path / "shards").mkdir()
    tar_of(tmp_path / "shards" / "a.tar", files)
    val = parquet_of(tmp_path / "val.parquet", list(files.values())[:2], group=2)
    assert centre_crops(list(Shards([val]).all()), 64).shape == (2, 3, 64, 64)
    options = TrainOptions(steps=2, batch=2, crop=64, drawn=0.0, validate_every=2, checkpoint_minutes=0.0, warm_up=2)
    model = run(Asked("lattice", "mine", "lc-test", tmp_path / "shards", val, tmp_path / "run"), options, "cpu")
    assert "1 file of a folder named shards" in (model / "README.md").read_text()
    shutil.rmtree(model)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: odd.with_header(path, {"GNU.sparse.map": "0,none"}, image_file(0)), "not read to its end, inval"),
        (odd.headers_without_end, "not read to its end, maximum recursion"),
        (odd.leading_back, "not read to its end, a member leads back"),
        (lambda path: odd.sparse(path, 1 << 40), "photo.png: left out, a sparse file"),
    ],
    ids=["map", "headers", "back", "sparse"],
)
def test_a_tar_that_is_nonsense_is_told(make: Callable[[Path], Path], told: str, tmp_path: Path) -> None:
    shards = Shards([make(tmp_path / "a.tar")])
    with pytest.warns(UserWarning, match=told):
        assert len(list(shards.all())) == ("inval" in told)  # what comes before


def test_parquet_that_is_nonsense(tmp_path: Path) -> None:
    """A path that is no text is not looked at; a name that is none, or two sets of bytes, make it useless."""
    images = [image_file(i) for i in range(3)]
    assert len(list(Shards([odd.parquet_of(tmp_path / "a.parquet", images, "paths")]).all())) == 3
    for what, told in (("names", "not a Parquet file that can be read"), ("fields", "has no column of images, as byt")):
        with pytest.raises(TrainingError, match=told):
            Shards([odd.parquet_of(tmp_path / "b.parquet", images, what)])

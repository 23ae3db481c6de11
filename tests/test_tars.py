"""Tars that end before their end, and what follows it: told, not taken for the end."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bulk_runs import FILES, outputs, run, tar

from latticecodec import tars
from latticecodec.bulk import Bulk, Summary, Task
from latticecodec.lab.training.shards import Shards

BLOCK = tarfile.BLOCKSIZE
DAMAGED: dict[str, Callable[[bytes, int], bytes]] = {  # whole bytes, and where a header begins, to what is left of them
    "cut": lambda data, at: data[: at + 100],
    "damaged": lambda data, at: data[:at] + b"?" + data[at + 1 :],
    "hole": lambda data, at: data[:at] + bytes(BLOCK) + data[at + BLOCK :],
    "large hole": lambda data, at: data[:at] + bytes(2 * BLOCK) + data[at + 2 * BLOCK :],
}
damages = pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)


def names(data: bytes, mode: Any) -> list[str]:
    """The files of a tar."""
    with tarfile.open(fileobj=io.BytesIO(data), mode=mode, tarinfo=tars.Member) as opened:
        return [member.name for member in tars.files(opened)]


@pytest.fixture
def whole(tmp_path: Path) -> tuple[Path, int]:
    """A tar of seven pictures, each with a class, and where the header of the fifth begins."""
    path = tmp_path / "in" / "a.tar"
    tar(path, FILES)
    with tarfile.open(path) as opened:
        return path, opened.getmember("p00004.png").offset


@pytest.mark.parametrize("mode", ["r:", "r|*"])
def test_a_tar_ends_with_zeros_or_behind_a_member(whole: tuple[Path, int], mode: str) -> None:
    """Some writers leave the zeros away, others pad with many, and a cut there loses no member."""
    path, at = whole
    data = path.read_bytes()
    assert len(names(data, mode)) == 14
    assert len(names(data + bytes(3 * tars.AT_ONCE + 100), mode)) == 14
    assert len(names(data.rstrip(b"\0") + bytes(-len(data.rstrip(b"\0")) % BLOCK + 100), mode)) == 14
    assert len(names(data[:at], mode)) == 8
    assert names(bytes(20 * BLOCK), mode) == []
    with pytest.raises(tarfile.ReadError, match="more follows its end"):
        names(data + bytes(3 * tars.AT_ONCE) + b"more", mode)


@pytest.mark.parametrize("mode", ["r:", "r|*"])
@damages
def test_what_cannot_be_read_is_not_the_end(
    damage: Callable[[bytes, int], bytes], mode: str, whole: tuple[Path, int]
) -> None:
    path, at = whole
    with pytest.raises(tarfile.ReadError):
        names(damage(path.read_bytes(), at), mode)


@pytest.mark.usefixtures("one_worker")
@pytest.mark.parametrize(("damage", "form"), [("cut", "files"), ("damaged", "tars"), ("hole", "parquet")])
def test_a_collection_goes_on_when_there_is_a_whole_copy(
    damage: str, form: Any, whole: tuple[Path, int], task: Task, tmp_path: Path
) -> None:
    """The damage is told; pictures before it are done, but for the last one, whose sample may not be whole."""
    path, at = whole
    data = path.read_bytes()
    path.write_bytes(DAMAGED[damage](data, at))
    asked = Bulk(task, str(path.parent), str(tmp_path / "out"), form)
    (record,) = asked.results(Summary())
    (failure,) = record.failures
    assert failure.error.startswith(f"{path}: is no tar, damaged or cut short (")
    assert failure.error.endswith("); take a whole copy of it")
    assert record.done == 3
    path.write_bytes(data)
    summary = run(asked)
    assert (summary.done + summary.before, summary.failed) == (7, 0)
    assert len(outputs(tmp_path / "out")) == 7


@pytest.mark.usefixtures("one_worker")
def test_a_tar_that_ended_behind_a_member_goes_on_when_it_is_longer(
    whole: tuple[Path, int], task: Task, tmp_path: Path
) -> None:
    """Nothing is told, since that might be all of it; but it was in another state."""
    path, at = whole
    data = path.read_bytes()
    path.write_bytes(data[:at])
    asked = Bulk(task, str(path), str(tmp_path / "out"), "tars")
    assert run(asked).done == 4
    assert run(asked).before == 4
    path.write_bytes(data)
    assert (run(asked).done, len(outputs(tmp_path / "out"))) == (7, 7)


@damages
def test_a_training_is_told(damage: Callable[[bytes, int], bytes], whole: tuple[Path, int]) -> None:
    path, at = whole
    path.write_bytes(damage(path.read_bytes(), at))
    with pytest.warns(UserWarning, match=r"a\.tar: not read to its end, "):
        assert len(list(Shards([path]).all())) == 4

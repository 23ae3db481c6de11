"""Columns beside the pictures of Parquet files stay what they are; what goes wrong in a part is told as what it was."""

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_runs import FILES, outputs, run, tar

from latticecodec.bulk import Bulk, Record, Summary, Task, dataset, parquet, sample
from latticecodec.bulk import task as tasks

pytestmark = pytest.mark.usefixtures("one_worker")

PICTURES = [{"bytes": data, "path": f"{index}.png"} for index, data in enumerate(FILES[:3])]
COLUMNS = {
    "map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "unsigned": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "class": pa.array(["cat", None, "cat"]).dictionary_encode(),
    "small": pa.array([[1, 2], None, []], pa.list_(pa.uint8())),
    "half": pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.float16(), 2)),
    "nanoseconds": pa.array([1, 1_700_000_000_123_456_789, None], pa.timestamp("ns", "UTC")),
    "deep": pa.array([{"far": [1]}, {"far": []}, None], pa.struct([("far", pa.list_(pa.int16()))])),
    "nothing": pa.array([None, None, None]),
}
FAR = pa.array([2**62, 0, 0], pa.timestamp("ms"))  # beyond all times of Python


def source(folder: Path, columns: dict[str, Any], pictures: Any = PICTURES) -> pa.Table:
    """One Parquet file of three rows in a folder, as it is read."""
    folder.mkdir()
    table = pa.table({"image": pictures, **columns}).replace_schema_metadata({"made": "here"})
    pq.write_table(table, folder / "train.parquet")
    return pq.read_table(folder / "train.parquet")


def records(asked: Bulk) -> list[Record]:
    """What came of each part."""
    return list(asked.results(Summary()))


def test_columns_stay_what_they_are(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any type, also one whose values Python does not have; written in more than one go."""
    monkeypatch.setattr(parquet, "ROWS", 2)
    table = source(tmp_path / "in", {**COLUMNS, "far": FAR, "lcq_width": pa.array([{"of": 1}] * 3)})
    assert run(Bulk(task, str(tmp_path / "in"), str(tmp_path / "out"), "parquet")).done == 3
    found = pq.read_table(tmp_path / "out" / "train-00000.parquet")
    names = [*COLUMNS, "far"]
    assert found.select(names).equals(table.select(names), check_metadata=True)
    assert found.schema.names[len(names) :][:2] == ["image", "lcq_bytes"]
    assert found.column("lcq_width").to_pylist() == [40, 41, 42]  # our own, in place of what was there


def test_columns_in_json(task: Task, tmp_path: Path) -> None:
    source(tmp_path / "in", COLUMNS)
    run(Bulk(task, str(tmp_path / "in"), str(tmp_path / "out"), "tars"))
    with tarfile.open(tmp_path / "out" / "train-00000.tar") as file:
        found = json.load(file.extractfile("train-00000/000000.json"))  # type: ignore[arg-type]
    assert (found["map"], found["unsigned"], found["class"]) == ([["a", 1]], 2**64 - 1, "cat")


NO_JSON = "column far cannot be written as JSON (...); leave it out, or write Parquet"
NO_PATH = "column image of struct<bytes: binary, path: int32> does not take bytes and path (...); make it one that does"


@pytest.mark.parametrize(
    ("form", "columns", "kind", "told"),
    [("tars", {"far": FAR}, pa.string(), NO_JSON), ("parquet", {}, pa.int32(), NO_PATH)],
)
def test_a_column_that_cannot_be_written_is_named(
    form: Any, columns: dict[str, Any], kind: Any, told: str, task: Task, tmp_path: Path
) -> None:
    """Nothing is written of its part, and the others go on."""
    pictures = pa.array([{"bytes": data} for data in FILES[:3]], pa.struct([("bytes", pa.binary()), ("path", kind)]))
    source(tmp_path / "in", columns, pictures)
    tar(tmp_path / "in" / "other.tar", FILES[:2])
    found = {record.name: record for record in records(Bulk(task, str(tmp_path / "in"), str(tmp_path / "out"), form))}
    (failure,) = found["train-00000"].failures
    pattern = re.escape(f"{tmp_path}/in/train.parquet: {told}").replace(r"\.\.\.", ".+")
    assert re.fullmatch(pattern, failure.error)
    assert (found["train-00000"].done, found["other"].done) == (0, 2)
    assert len(outputs(tmp_path / "out")) == 2


ODD = "cannot be worked on (ValueError: odd bytes); please report it, and leave it out until then"
NO_MEMORY = "not enough memory for this; give fewer `workers`, or take machines with more"
RAISED = pytest.mark.parametrize(
    ("error", "told"), [(ValueError("odd\nbytes"), ODD), (MemoryError(), NO_MEMORY)], ids=["odd", "memory"]
)


@RAISED
def test_what_a_library_raises_of_a_picture_is_told_of_it(
    error: Exception, told: str, sources: dict[str, Path], task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go on, and the next call tries it again."""
    read = tasks.read_file

    def odd(file: Any, name: str, *rest: Any) -> Any:
        if name == "p00001.png":
            raise error
        return read(file, name, *rest)

    asked = Bulk(task, str(sources["files"]), str(tmp_path / "out"))
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "read_file", odd)
        (record,) = records(asked)
    assert [failure.error for failure in record.failures] == [f"{sources['files']}/p00001.png: {told}"]
    assert record.done == 6
    assert run(asked).done == 1


@RAISED
def test_what_a_library_raises_of_a_part_is_told_of_its_files(
    error: Exception, told: str, sources: dict[str, Path], task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(*_: Any) -> Any:
        raise error

    archive = sources["tars"] / "a.tar"
    asked = Bulk(task, str(archive), str(tmp_path / "out"), "tars")
    with monkeypatch.context() as patch:
        patch.setattr(sample, "_members", odd)
        for given in (asked, Bulk(Task("verify"), str(archive))):
            (record,) = records(given)
            assert [failure.error for failure in record.failures] == [f"{archive}: {told}"]
    assert not outputs(tmp_path / "out")
    assert run(asked).done == 4


@RAISED
def test_what_a_library_raises_of_a_row_is_told_in_its_column(
    error: Exception, told: str, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a dataset of Ray's; the other rows have their files."""

    def odd(picture: bytes, *rest: Any) -> Any:
        if picture == FILES[1]:
            raise error
        return read(picture, *rest)

    read = dataset.read
    monkeypatch.setattr(dataset, "read", odd)
    rows = dataset._Encoder(task, "bytes")(pa.table({"bytes": FILES[:3]})).to_pylist()
    assert [row["error"] for row in rows] == [None, told, None]
    assert [row["lcq"] is None for row in rows] == [False, True, False]

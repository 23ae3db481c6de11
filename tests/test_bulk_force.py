"""`lcodec bulk --force`: what the run before wrote into one file a part goes first, and nothing else does."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bulk_runs import FILES, outputs, run, tar

from latticecodec import LcqError, OutputError
from latticecodec.bulk import Bulk, Task, cluster

pytestmark = pytest.mark.usefixtures("one_worker")


@pytest.fixture
def before(sources: dict[str, Path], task: Task, tmp_path: Path) -> Bulk:
    """A run that wrote four tars, beside files of somebody else's."""
    asked = Bulk(task, str(sources["files"]), str(tmp_path / "out"), "tars", per_shard=2)
    run(asked)
    (tmp_path / "out" / "pictures-00000009.tar").write_bytes(b"mine")
    (tmp_path / "out" / "pictures-00000000.parquet").write_bytes(b"mine")
    return replace(asked, per_shard=5, overwrite=True)


def shards(folder: Path) -> set[str]:
    """The tars and Parquet files in a folder that runs wrote."""
    return {path.name for path in folder.iterdir() if path.is_file() and path.read_bytes() != b"mine"}


def others(folder: Path) -> set[str]:
    """The files of somebody else's."""
    return {path.name for path in folder.iterdir() if path.is_file()} - shards(folder)


@pytest.mark.parametrize("form", ["files", "tars", "parquet"])
def test_what_the_run_before_wrote_goes_first(form: Any, before: Bulk, tmp_path: Path) -> None:
    """No picture is there twice; a record is all that names a file as one of a run."""
    (tmp_path / "out" / "pictures-00000000.parquet").unlink()
    asked = replace(before, form=form)
    assert run(asked).done == 7
    (tmp_path / "out" / "pictures-00000009.tar").unlink()
    assert len(outputs(tmp_path / "out")) == 7
    assert run(replace(asked, overwrite=False)).before == 7


def test_what_no_record_names_stays(before: Bulk, tmp_path: Path) -> None:
    """Also what records of a run name that is no longer known."""
    record = tmp_path / "out" / ".lcodec-bulk" / "parts" / "pictures-00000002.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"run": "other"}))
    run(before)
    assert shards(tmp_path / "out") == {f"pictures-0000000{number}.tar" for number in range(3)}
    assert others(tmp_path / "out") == {"pictures-00000009.tar", "pictures-00000000.parquet"}


def test_nothing_goes_before_all_is_checked(
    before: Bulk, sources: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what a run was stopped at, the next one goes on with, be it a third one."""
    there = shards(tmp_path / "out")
    for asked in (replace(before, source="missing"), replace(before, task=replace(before.task, model="missing"))):
        with pytest.raises(LcqError):
            run(asked)
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "joined", _no_cluster)
        with pytest.raises(LcqError, match="no cluster"):
            run(before)
    assert shards(tmp_path / "out") == there
    with monkeypatch.context() as patch:
        patch.setattr(os, "remove", _refused)
        with pytest.raises(OutputError, match=r"/pictures-0000000\d.tar: cannot be removed: Permission denied$"):
            run(replace(before, per_shard=4))
    assert shards(tmp_path / "out") == there
    assert run(replace(before, per_shard=4, overwrite=False)).done == 7
    assert shards(tmp_path / "out") == {"pictures-00000000.tar", "pictures-00000001.tar"}


def _no_cluster(*_: object) -> None:
    raise LcqError("no cluster")


def _refused(path: str, *_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied", path)


def test_outputs_of_parts_that_were_not_done_whole_go_too(task: Task, tmp_path: Path) -> None:
    """Such as those of an archive that was cut short, which the next call would do again."""
    for name in ("a", "b"):
        tar(tmp_path / "in" / f"{name}.tar", FILES[:3])
    path = tmp_path / "in" / "a.tar"
    path.write_bytes(path.read_bytes()[:4000])
    asked = Bulk(task, str(tmp_path / "in"), str(tmp_path / "out"), "tars")
    assert run(asked).failed == 1
    assert shards(tmp_path / "out") - {"errors.jsonl"} == {"a.tar", "b.tar"}
    path.unlink()
    run(replace(asked, overwrite=True))
    assert shards(tmp_path / "out") - {"errors.jsonl"} == {"b.tar"}


def test_a_source_is_never_removed(before: Bulk, task: Task, tmp_path: Path, tiny_model: Path) -> None:
    """A collection that is read from the target of the run that wrote it."""
    there = shards(tmp_path / "out")
    reading = Task("decompress", model=str(tiny_model), device="cpu")
    source = tmp_path / "out" / "pictures-00000001.tar"
    told = "pictures-00000001.tar: is of the source, and of the run before, whose files `overwrite` removes; name an"
    with pytest.raises(OutputError, match=told):
        run(replace(before, task=reading, source=str(source), form="files"))
    assert shards(tmp_path / "out") == there


@pytest.mark.parametrize("form", ["tars", "parquet"])
def test_what_another_program_wrote_is_not_overwritten(
    form: Any, sources: dict[str, Path], task: Task, tmp_path: Path
) -> None:
    """Least of all the source; with --force the other ones are, but not that."""
    source = next(sources[form].glob("*.*"))
    before = source.read_bytes()
    for overwrite in (False, True):
        with pytest.raises(OutputError, match=r"lies in the source \S+; name a target beside it"):
            run(Bulk(task, str(source), str(source.parent), form, overwrite=overwrite))
    asked = Bulk(task, str(sources["files"]), str(source.parent), form)
    with pytest.raises(OutputError, match="is of no run that is known here; name another target, or `overwrite`"):
        run(asked)
    assert source.read_bytes() == before
    assert run(replace(asked, overwrite=True)).failed == 0

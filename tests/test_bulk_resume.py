"""Runs over collections that were stopped, or fail half-way: what is done is not done again, nothing is mixed."""

import errno
import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bulk_runs import BROKEN, FILES, expected, outputs, run

import latticecodec
from latticecodec import Codec, OutputError
from latticecodec.bulk import Bulk, Part, Task, record, store
from latticecodec.bulk import task as bulk_task
from latticecodec.bulk.record import Record
from latticecodec.bulk.worker import TRIES, Order, Worker
from latticecodec.codec import EncodeOptions

pytestmark = pytest.mark.usefixtures("one_worker")


@pytest.mark.parametrize("form", ["files", "tars", "parquet"])
def test_a_run_that_was_stopped_goes_on(
    form: Any, sources: dict[str, Path], task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done is not done again, and in the end there is what there would have been."""
    asked = Bulk(task, str(sources["files"]), str(tmp_path / "out"), form, per_shard=2)
    first = next(iter(asked.results(latticecodec.bulk.Summary())))
    encoded: list[object] = []
    encode = bulk_task.encoded
    monkeypatch.setattr(bulk_task, "encoded", lambda *rest, **asked: encoded.append(rest) or encode(*rest, **asked))
    summary = run(asked)
    assert (summary.done, summary.before) == (7 - first.done, first.done)
    assert len(encoded) == summary.done
    run(replace(asked, target=str(tmp_path / "whole")))
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")


def test_a_part_of_which_some_files_are_there_is_finished(sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    asked = Bulk(task, str(sources["files"]), str(tmp_path / "out"))
    run(asked)
    for path in (tmp_path / "out" / ".lcodec-bulk" / "parts").iterdir():
        path.unlink()
    (tmp_path / "out" / "p00004.lcq").unlink()
    summary = run(asked)
    assert (summary.done, summary.before) == (1, 6)


def test_places_are_the_same_from_every_folder(
    sources: dict[str, Path], task: Task, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a run that goes on, and for workers elsewhere; messages call them as they were given."""
    monkeypatch.chdir(tmp_path)
    run(Bulk(task, "files", "out"))
    given = store.Store("files")
    sent = pickle.dumps(Order(Task("verify", model=os.path.relpath(tiny_model)).sent(), given, None))
    monkeypatch.chdir(sources["files"])
    for source in (".", "../files/", str(sources["files"])):
        assert run(Bulk(task, source, "../out")).before == 7
    order = pickle.loads(sent)
    assert order.task.model == str(tiny_model)
    assert order.source.read("p00000.png") == FILES[0]
    assert order.source.called("p00000.png") == "files/p00000.png"


def test_another_run_does_not_mix_with_the_one_that_is_there(
    sources: dict[str, Path], task: Task, tmp_path: Path, tiny: Codec
) -> None:
    asked = Bulk(task, str(sources["files"]), str(tmp_path / "out"))
    run(asked)
    other = replace(asked, task=replace(task, options=EncodeOptions(effort=0, quality=20)))
    with pytest.raises(
        OutputError, match=r"out: holds a run with .*; name another target, or begin anew with `overwrite`"
    ):
        run(other)
    summary = run(replace(other, overwrite=True))
    assert (summary.done, summary.before) == (7, 0)
    assert sorted(outputs(tmp_path / "out").values()) == sorted(expected(FILES, tiny, effort=0, quality=20))
    for damage in ("{", 100_000 * "[", '{"asked": [1], "run": "1", "overwrite": false}'):
        (tmp_path / "out" / ".lcodec-bulk" / "run.json").write_text(damage)
        with pytest.raises(OutputError, match=r"run\.json: is damaged; begin anew with `overwrite`"):
            run(other)


def test_records_that_are_none_count_as_not_there(tmp_path: Path) -> None:
    target, part = store.Store(str(tmp_path)), Part("pictures-00000000", "files", ("p00000.png",))
    records = record.Records(target, "", fixed=False)
    for kind in ("parts", "tries"):
        target.write(f".lcodec-bulk/{kind}/{part.name}.json", 100_000 * b"[")
    assert records.find(part) is None
    assert records.tries(part, "1") == 1


def test_errors_of_an_earlier_run_do_not_stay(sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    """A picture that failed is put right, and the run begun anew."""
    (sources["files"] / "p00003.png").write_bytes(BROKEN)
    asked = Bulk(task, str(sources["files"]), str(tmp_path / "out"))
    assert run(asked).failed == 1
    assert (tmp_path / "out" / "errors.jsonl").read_text().count("\n") == 1
    (sources["files"] / "p00003.png").write_bytes(FILES[3])
    assert run(replace(asked, overwrite=True)).failed == 0
    assert (tmp_path / "out" / "errors.jsonl").read_text() == ""


def test_what_may_end_otherwise_is_tried_again(
    sources: dict[str, Path], task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that could not be read; what is wrong with a picture stays so."""
    (sources["files"] / "p00003.png").write_bytes(BROKEN)
    asked = Bulk(task, str(sources["files"]), str(tmp_path / "out"))
    read = store.Store.read

    def failing(self: store.Store, name: str) -> bytes:
        if name == "p00000.png":
            raise store.StorageError("p00000.png: cannot be read: no answer")
        return read(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(store.Store, "read", failing)
        assert run(asked).failed == 2
    summary = run(asked)
    assert (summary.done, summary.before, summary.failed) == (1, 5, 1)
    assert run(asked).before == 6


def test_a_source_that_changes_is_seen(sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    """Files of their own are added; a tar would hold other pictures."""
    into_files = Bulk(task, str(sources["files"]), str(tmp_path / "f"))
    into_tars = Bulk(task, str(sources["files"]), str(tmp_path / "t"), "tars", per_shard=4)
    run(into_files)
    run(into_tars)
    (sources["files"] / "a.png").write_bytes(FILES[0])
    summary = run(into_files)
    assert (summary.done, summary.before) == (1, 7)
    with pytest.raises(OutputError, match="pictures-00000000 holds other files than the source has now"):
        run(into_tars)


@pytest.mark.parametrize("form", ["files", "tars"])
def test_a_broken_picture_that_a_whole_one_takes_the_place_of_is_done(
    form: Any, sources: dict[str, Path], task: Task, tmp_path: Path
) -> None:
    """Its part alone is done again, of which files that are there are kept."""
    (sources["files"] / "p00003.png").write_bytes(BROKEN)
    asked = Bulk(task, str(sources["files"]), str(tmp_path / "out"), form, per_shard=4)
    assert run(asked).failed == 1
    again = run(asked)
    assert (again.done, again.failed) == (0, 1)
    (sources["files"] / "p00003.png").write_bytes(FILES[3])
    summary = run(asked)
    assert (summary.done, summary.before, summary.failed) == ((1, 6, 0) if form == "files" else (4, 3, 0))
    assert len(outputs(tmp_path / "out")) == 7


@pytest.mark.parametrize("form", ["files", "tars"])
def test_a_target_that_is_full(
    form: Any, sources: dict[str, Path], task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, nothing half written, and it goes on when there is room."""
    asked = Bulk(task, str(sources["files"]), str(tmp_path / "out"), form, per_shard=2)
    sync, left = os.fsync, [4]

    def full(number: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(number)

    with monkeypatch.context() as patch:
        patch.setattr(store.os, "fsync", full)
        with pytest.raises(OutputError, match=r"^\S+: cannot be written: No space left on device$"):
            run(asked)
    assert not list(tmp_path.rglob("*.part"))
    before = len(outputs(tmp_path / "out"))
    assert 0 < before < 7
    run(asked)
    run(replace(asked, target=str(tmp_path / "whole")))
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")


def test_a_part_that_ends_its_workers_is_given_up(sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    """Each worker that comes after one that was ended counts its tries, and others go on."""
    (tmp_path / "out").mkdir()
    order = Order(task, store.Store(str(sources["files"])), store.Store(str(tmp_path / "out")), call="1")
    part = Part("pictures-00000000", "files", ("p00000.png",))
    records = record.Records(store.Store(str(tmp_path / "out")), "", fixed=False)
    for number in range(1, TRIES + 1):
        assert records.tries(part, "1") == number  # what a worker does before it is ended
    (failure,) = Worker(order, careful=True).part(part).failures
    assert "p00000.png: the worker that had it was ended each time" in failure.error
    assert not failure.lasting
    worker = Worker(replace(order, call="2"), careful=True)  # of the next call
    assert worker.part(part).done == 1
    assert not worker.careful


def test_a_summary_of_what_was_done_before_counts_once() -> None:
    summary = latticecodec.bulk.Summary()
    summary.add(Record("a", done=3, skipped=1, bytes_in=10, before=True))
    summary.add(Record("b", done=2, skipped=1, bytes_in=10))
    assert (summary.done, summary.before, summary.bytes_in) == (2, 5, 10)

"""Collections from and to files, tars, Parquet and S3: what a worker does with a part, and how a run goes on.

Without a cluster; tests/test_bulk_cluster.py has one.
"""

import errno
import io
import json
import os
import pickle
import re
import tarfile
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from bulk_runs import BROKEN, alone, draw, expected, loose, outputs, parquet, run, tar
from click.testing import CliRunner, Result
from fsspec.spec import AbstractFileSystem
from latticecodec.cli import main
from PIL import Image

import latticecodec
from latticecodec import Codec, LcqError, ModelError, OutputError, zoo
from latticecodec.bulk import Bulk, Part, Task, cluster, record, store
from latticecodec.bulk.record import Record
from latticecodec.bulk.source import Source
from latticecodec.bulk.worker import TRIES, Order, Worker
from latticecodec.codec import EncodeOptions

FILES = draw(7)


@pytest.fixture(autouse=True)
def in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)


@pytest.fixture
def task(tiny_model: Path) -> Task:
    """Effort 0 with the tiny model."""
    return Task("compress", EncodeOptions(effort=0), str(tiny_model), device="cpu")


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    """The same seven pictures as files, tars and Parquet."""
    loose(tmp_path / "files", FILES)
    tar(tmp_path / "tars" / "a.tar", FILES[:4])
    tar(tmp_path / "tars" / "more" / "b.tar", FILES[4:], 4)
    parquet(tmp_path / "parquet" / "train.parquet", FILES, group=4)
    return {name: tmp_path / name for name in ("files", "tars", "parquet")}


def lcodec(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("form", ["files", "tars", "parquet"])
@pytest.mark.parametrize("source", ["files", "tars", "parquet"])
def test_every_source_to_every_target(
    source: str, form: Any, sources: dict[str, Path], task: Task, tmp_path: Path, tiny: Codec, tiny_model: Path
) -> None:
    """Byte for byte what `lcodec compress` writes; and all of it verifies, and comes back as the same pictures."""
    out, back = tmp_path / "out", tmp_path / "back"
    summary = run(Bulk(task, str(sources[source]), str(out), form, per_shard=4))
    assert (summary.done, summary.before, summary.failed) == (7, 0, 0)
    assert summary.pixels == sum(np.prod(Image.open(io.BytesIO(data)).size) for data in FILES)
    found = outputs(out)
    assert sorted(found.values()) == sorted(expected(FILES, tiny, effort=0))
    assert len([path for path in out.iterdir() if path.suffix == f".{form.rstrip('s')}"]) <= 2
    reading = Task("verify", model=str(tiny_model), device="cpu")
    assert run(Bulk(reading, str(out))).done == 7
    assert run(Bulk(replace(reading, action="decompress"), str(out), str(back))).done == 7
    pictures = [np.asarray(Image.open(io.BytesIO(data))).tobytes() for data in outputs(back).values()]
    assert sorted(pictures) == sorted(np.asarray(tiny.decode(data)).tobytes() for data in found.values())
    if source == "files":
        assert {"p00000.lcq", "below/p00002.lcq"} <= found.keys()
        ending = {re.sub(r"^pictures-\d+\.(tar|parquet/\d+)/", "", name) for name in outputs(back)}
        assert ending == {name.replace(".lcq", ".png") for name in found}


@pytest.mark.parametrize("lossless", [False, True])
def test_files_that_take_no_model_verify_and_come_back(lossless: bool, tmp_path: Path, tiny_model: Path) -> None:
    """A picture of one colour, of which all is exact, and any other that was compressed without loss."""
    (tmp_path / "in").mkdir()
    Image.new("RGB", (64, 48), (250, 20, 20)).save(tmp_path / "in" / "plain.png")
    if lossless:
        (tmp_path / "in" / "other.png").write_bytes(FILES[0])
    asked = ["--lossless"] if lossless else ["--effort", 0, "--model", tiny_model]
    assert lcodec("bulk", tmp_path / "in", tmp_path / "out", *asked).exit_code == 0
    assert not latticecodec.read_header(tmp_path / "out" / "plain.lcq").names_model
    assert lcodec("bulk", tmp_path / "out", "--verify").exit_code == 0
    assert lcodec("bulk", tmp_path / "out", tmp_path / "back", "--decompress").exit_code == 0
    for path in (tmp_path / "in").iterdir():
        assert np.array_equal(Image.open(tmp_path / "back" / path.name), Image.open(path))


def test_what_belongs_to_a_picture_goes_with_it(sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    """Other files of a sample, and other columns of a row with their types; what has no place is counted."""
    run(Bulk(task, str(sources["tars"]), str(tmp_path / "t"), "tars"))
    with tarfile.open(tmp_path / "t" / "more" / "b.tar") as file:
        assert file.getnames()[:4] == ["p00004.lcq", "p00004.cls", "p00005.lcq", "p00005.cls"]
    run(Bulk(task, str(sources["parquet"]), str(tmp_path / "p"), "parquet"))
    table = pq.read_table(tmp_path / "p" / "train-00001.parquet")
    assert table.column("label").to_pylist() == [4, 5, 6]
    assert table.schema.field("label").type == "int32"
    assert b"huggingface" in table.schema.metadata
    facts = table.select(["lcq_width", "lcq_height", "lcq_bytes", "lcq_quality"]).to_pylist()[0]
    cell = table.column("image").to_pylist()[0]
    header = latticecodec.read_header(cell["bytes"])
    assert facts == {
        "lcq_width": header.width,
        "lcq_height": header.height,
        "lcq_bytes": len(cell["bytes"]),
        "lcq_quality": pytest.approx(header.quality, abs=0.1),
    }
    assert run(Bulk(task, str(sources["tars"]), str(tmp_path / "f"))).left_out == {".cls": 7}
    assert run(Bulk(task, str(sources["parquet"]), str(tmp_path / "g"))).left_out == {"column label": 7}
    run(Bulk(task, str(sources["parquet"]), str(tmp_path / "j"), "tars"))
    with tarfile.open(tmp_path / "j" / "train-00000.tar") as file:
        assert json.load(file.extractfile("train-00000/000001.json")) == {"label": 1}  # type: ignore[arg-type]


def test_datasets_open_the_pictures_of_parquet(
    sources: dict[str, Path], task: Task, tmp_path: Path, tiny: Codec, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their column of images stays one, which Pillow decodes once it knows the format."""
    monkeypatch.setattr(zoo, "models_path", [tiny_model])
    datasets = pytest.importorskip("datasets")
    import latticecodec.pillow  # noqa: F401

    run(Bulk(task, str(sources["parquet"]), str(tmp_path / "p"), "parquet"))
    path = str(tmp_path / "p" / "train-00000.parquet")
    dataset = datasets.Dataset.from_parquet(path, cache_dir=str(tmp_path / "cache"))
    assert isinstance(dataset.features["image"], datasets.Image)
    assert dataset[1]["label"] == 1
    assert np.array_equal(dataset[1]["image"], tiny.decode(tiny.encode(FILES[1], effort=0)))


def test_pictures_that_fail_are_a_line_each_and_do_not_stop_the_others(tmp_path: Path, tiny_model: Path) -> None:
    """Also where the run is repeated; of a tar the whole sample is left out."""
    loose(tmp_path / "files", [*FILES[:3], BROKEN, *FILES[4:]])
    tar(tmp_path / "tars" / "a.tar", [*FILES[:3], BROKEN, *FILES[4:]])
    asked = ["--effort", 0, "--model", tiny_model, "--device", "cpu"]
    for _ in range(2):
        done = lcodec("bulk", tmp_path / "files", tmp_path / "f", *asked)
        assert done.exit_code == 1
        lines = [line for line in done.stderr.splitlines() if "p00003.png" in line]
        assert lines == [lines[0]]
        assert lines[0].startswith(f"Error: {tmp_path}/files/p00003.png: not an image of a format that is read")
        assert f"1 failed, listed in {tmp_path}/f/errors.jsonl" in done.stderr.splitlines()[-1]
        (line,) = (tmp_path / "f" / "errors.jsonl").read_text().splitlines()
        assert json.loads(line)["input"] == "p00003.png"
        assert len(outputs(tmp_path / "f")) == 6
    done = lcodec("bulk", tmp_path / "tars", tmp_path / "t", "--to", "tars", *asked)
    assert f"Error: {tmp_path}/tars/a.tar: p00003.png: not an image of a format that is read" in done.stderr
    with tarfile.open(tmp_path / "t" / "a.tar") as file:
        assert [name for name in file.getnames() if name.startswith("p00003")] == []


def test_the_summary_is_for_people_and_for_programs(sources: dict[str, Path], tmp_path: Path, tiny_model: Path) -> None:
    asked = ["bulk", sources["files"], tmp_path / "out", "--effort", 0, "--model", tiny_model, "--device", "cpu"]
    facts = json.loads(lcodec(*asked, "--json").stdout)
    assert (facts["done"], facts["before"], facts["failed"], facts["bytes_in"]) == (7, 0, 0, sum(map(len, FILES)))
    assert facts["bytes_out"] == sum(map(len, outputs(tmp_path / "out").values()))
    assert facts["files_per_second"] == pytest.approx(7 / facts["seconds"])
    again = lcodec(*asked)
    assert (again.exit_code, again.stderr) == (0, "0 compressed, 7 done before\n")


@pytest.mark.parametrize("form", ["files", "tars", "parquet"])
def test_a_run_that_was_stopped_goes_on(
    form: Any, sources: dict[str, Path], task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done is not done again, and in the end there is what there would have been."""
    asked = Bulk(task, str(sources["files"]), str(tmp_path / "out"), form, per_shard=2)
    first = next(iter(asked.results(latticecodec.bulk.Summary())))
    encoded: list[object] = []
    encode = Codec.encode_detailed
    monkeypatch.setattr(Codec, "encode_detailed", lambda *rest, **asked: encoded.append(rest) or encode(*rest, **asked))
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
    with pytest.raises(OutputError, match=r"out: holds a run with .*; name another target, or begin anew with --force"):
        run(other)
    summary = run(replace(other, overwrite=True))
    assert (summary.done, summary.before) == (7, 0)
    assert sorted(outputs(tmp_path / "out").values()) == sorted(expected(FILES, tiny, effort=0, quality=20))
    (tmp_path / "out" / ".lcodec-bulk" / "run.json").write_text("{")
    with pytest.raises(OutputError, match=r"run\.json: is damaged; begin anew with --force"):
        run(other)


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


def test_names_that_lead_out_of_the_target_are_refused(task: Task, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as file:
        for name in ("../escape.png", "/absolute.png", "a/../../b.png", "fine.png", "fine.png"):
            member = tarfile.TarInfo(name)
            member.size = len(FILES[0])
            file.addfile(member, io.BytesIO(FILES[0]))
    found = [
        line
        for part in Bulk(task, str(tmp_path / "evil.tar"), str(tmp_path / "in" / "out")).results(
            latticecodec.bulk.Summary()
        )
        for line in part.failures
    ]
    assert [failure.name for failure in found] == [
        "../escape.png",
        "/absolute.png",
        "a/../../b.png",
        "evil.tar/fine.png",
    ]
    assert found[-1].error.endswith("would become evil.tar/fine.lcq as another one did; --keep-suffix keeps them apart")
    assert outputs(tmp_path / "in" / "out").keys() == {"evil.tar/fine.lcq"}
    assert not list(tmp_path.rglob("*escape*"))


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_archives_that_are_cut_short(kind: str, sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    """What comes before the end of a tar is done; the archive is one line."""
    folder = "tars" if kind == "tar" else "parquet"
    path = next(path for path in sorted(sources[folder].rglob(f"*.{kind}")))
    path.write_bytes(path.read_bytes()[:2500])
    failures = [
        line
        for part in Bulk(task, str(path), str(tmp_path / "out")).results(latticecodec.bulk.Summary())
        for line in part.failures
    ]
    (failure,) = failures
    assert failure.error.startswith(f"{path.parent}/{path.name}: is no ")
    assert failure.error.endswith("; take a whole copy of it")


def test_names_that_would_become_one(tmp_path: Path, task: Task) -> None:
    loose(tmp_path / "files", FILES[:2])
    Image.open(tmp_path / "files" / "p00000.png").save(tmp_path / "files" / "p00000.jpg")
    summary = run(Bulk(task, str(tmp_path / "files"), str(tmp_path / "out")))
    assert (summary.done, summary.failed) == (1, 2)
    kept = replace(task, keep_suffix=True)
    assert run(Bulk(kept, str(tmp_path / "files"), str(tmp_path / "kept"))).done == 3


def test_tars_that_hold_the_same_names(tmp_path: Path, task: Task) -> None:
    """Each picture has a file of its own."""
    for index, data in enumerate(FILES):
        tar(tmp_path / "in" / f"{index}.tar", [data])
    assert run(Bulk(task, str(tmp_path / "in"), str(tmp_path / "files"))).done == 7
    assert outputs(tmp_path / "files").keys() == {f"{index}.tar/p00000.lcq" for index in range(7)}
    assert run(Bulk(task, str(tmp_path / "in"), str(tmp_path / "tars"), "tars")).done == 7
    assert len(list((tmp_path / "tars").glob("*.tar"))) == 7


def test_no_two_parts_have_one_name(tmp_path: Path, task: Task) -> None:
    """Archives that differ in their suffix alone, and one that is called as a part of loose pictures."""
    files = tmp_path / "files"
    loose(files, FILES[:2])
    tar(files / "pictures-00000000.tar", FILES[2:4], 2)
    tar(files / "a.tar", FILES[4:6], 4)
    tar(files / "a.tgz", FILES[6:], 6)
    summary = run(Bulk(task, str(files), str(tmp_path / "out"), "tars"))
    assert (summary.done, summary.failed) == (6, 1)
    assert len(outputs(tmp_path / "out")) == 6


def test_links_are_not_followed_in_circles(sources: dict[str, Path], task: Task) -> None:
    (sources["files"] / "circle").symlink_to(sources["files"])
    (sources["files"] / "again.png").symlink_to(sources["files"] / "p00000.png")
    left_out: Counter[str] = Counter()
    parts = list(Bulk(task, str(sources["files"])).listed(left_out))
    assert [part.files for part in parts if isinstance(part, Part)] == [
        ("again.png", "p00000.png", "p00001.png", "p00003.png", "p00004.png", "p00006.png", "below/p00002.png",
         "below/p00005.png"),
    ]  # fmt: skip
    assert left_out == {"link": 1}


def test_keep_times(sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    os.utime(sources["files"] / "p00000.png", ns=(10**18, 10**18))
    run(Bulk(task, str(sources["files"]), str(tmp_path / "out"), keep_times=True))
    assert (tmp_path / "out" / "p00000.lcq").stat().st_mtime_ns == 10**18
    with pytest.raises(OutputError, match=r"^--keep-times is for folders on this machine"):
        run(Bulk(task, str(sources["files"]), "memory://out", keep_times=True))


def test_workers_have_the_model_of_who_started_them(sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="install the same on every machine"):
        Worker(Order(replace(task, digest=b"12345678"), store.Store(str(sources["files"])), None))


class Drawn(AbstractFileSystem):
    """A hundred folders, of as many pictures each as the number that the path begins with."""

    protocol = "drawn"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.removeprefix("drawn://").rstrip("/")

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        return {"name": self._strip_protocol(path), "type": "directory", "size": 0}

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[dict[str, Any]]:
        path = self._strip_protocol(path)
        if "/" not in path:
            return [{"name": f"{path}/{number:03d}", "type": "directory", "size": 0} for number in range(int(path))]
        return [{"name": f"{path}/{number:06d}.jpg", "type": "file", "size": 1} for number in range(1000)]


def test_listing_takes_no_more_memory_for_more_pictures(tiny_model: Path) -> None:
    """10^5 names; those of one folder are in memory."""
    fsspec.register_implementation("drawn", Drawn, clobber=True)

    def peak(folders: int) -> int:
        tracemalloc.start()
        try:
            done = lcodec("bulk", f"drawn://{folders}", "--dry-run", "--json")
            assert json.loads(done.stdout)["pictures"] == 1000 * folders
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)  # what is imported
    assert peak(100) < peak(5) + 200_000


def test_dry_run_lists_and_counts(sources: dict[str, Path], tmp_path: Path) -> None:
    done = lcodec("bulk", tmp_path, "--dry-run")
    assert done.exit_code == 0
    assert {"files/p00000.png", "parquet/train.parquet group 1: 3", "tars/more/b.tar"} <= set(done.stdout.splitlines())
    assert done.stderr == "7 pictures, 2 tars, 7 rows of Parquet in 2 groups\n"
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket on the loopback; what it takes to reach it is in the environment."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        fsspec.filesystem("s3").mkdir("bucket")
        yield "s3://bucket"
    server.stop()


def test_object_storage(s3: str, sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    """From the disk to S3, from there to S3, and back; a run goes on there too, and errors are lines there."""
    (sources["files"] / "broken.png").write_bytes(BROKEN)
    storage = fsspec.filesystem("s3", use_listings_cache=False)
    storage.put(str(sources["files"]), f"{s3}/photos", recursive=True)
    there = Bulk(task, f"{s3}/photos", f"{s3}/packed")
    next(iter(there.results(latticecodec.bulk.Summary())))
    assert run(there).failed == 1
    assert b"broken.png" in storage.cat_file(f"{s3}/packed/errors.jsonl")
    run(Bulk(task, f"{s3}/photos", f"{s3}/shards", "tars", per_shard=4))
    run(Bulk(task, str(sources["files"]), str(tmp_path / "here")))
    for name in ("packed", "shards"):
        storage.get(f"{s3}/{name}", str(tmp_path / name), recursive=True)
        assert outputs(tmp_path / name) == outputs(tmp_path / "here")


def test_a_summary_of_what_was_done_before_counts_once() -> None:
    summary = latticecodec.bulk.Summary()
    summary.add(Record("a", done=3, skipped=1, bytes_in=10, before=True))
    summary.add(Record("b", done=2, skipped=1, bytes_in=10))
    assert (summary.done, summary.before, summary.bytes_in) == (2, 5, 10)


def test_a_source_is_a_file_too(sources: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sources["tars"])
    for url in (str(sources["tars"] / "a.tar"), "a.tar"):
        source = Source.at(url, frozenset({".png"}), lambda name: name, 8)
        assert [part.name for part in source.parts(Counter()) if isinstance(part, Part)] == ["a"]
    with pytest.raises(LcqError, match=r"missing: no such file or folder$"):
        Source.at("missing", frozenset(), lambda name: name, 8)


def test_what_a_user_is_told(
    sources: dict[str, Path], task: Task, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ["--model", tiny_model, "--device", "cpu"]
    done = lcodec("bulk", sources["parquet"], tmp_path / "a", "--column", "picture", *own)
    assert (done.exit_code, "train.parquet: has no column picture, but image, label" in done.stderr) == (1, True)
    (tmp_path / "empty").mkdir()
    done = lcodec("bulk", tmp_path / "empty", tmp_path / "b", *own)
    told = "holds nothing to work on; see lcodec bulk --dry-run"
    assert (done.exit_code, done.stderr) == (1, f"Error: {tmp_path}/empty: {told}\n")
    (tmp_path / "empty" / "no.parquet").write_text("hello")
    done = lcodec("bulk", tmp_path / "empty", "--dry-run")
    assert done.stderr.splitlines()[-1].startswith("Error: 1 cannot be worked on; 0 pictures")

    def without(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 's3fs'", name="s3fs")

    monkeypatch.setattr("fsspec.core.url_to_fs", without)
    done = lcodec("bulk", "s3://bucket", tmp_path / "c", *own)
    assert (done.exit_code, done.stderr) == (1, "Error: s3://bucket: needs s3fs; install it with pip\n")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("nowhere:6379", "no Ray cluster at nowhere:6379 (nobody answers); see ray status there"),
        (None, "Ray does not start here (nobody answers); try again when the machine has less to do"),
    ],
)
def test_a_cluster_that_is_not_there(address: str | None, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")

    def nobody(**_: object) -> None:
        raise ConnectionError("nobody answers")

    monkeypatch.undo()
    monkeypatch.setattr(ray, "init", nobody)
    with pytest.raises(LcqError, match=f"^{re.escape(told)}$"), cluster.joined(address, None):
        pass

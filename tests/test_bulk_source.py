"""Where collections lie: listings of any length, single files, object storage; times that are kept."""

import io
import json
import os
import tarfile
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from bulk_runs import BROKEN, FILES, outputs, run, tar
from command_line import lcodec
from fsspec.spec import AbstractFileSystem

import latticecodec
from latticecodec import LcqError, OutputError
from latticecodec.bulk import Bulk, Part, Task
from latticecodec.bulk.source import Source

pytestmark = pytest.mark.usefixtures("one_worker")


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


def test_a_source_is_a_file_too(sources: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sources["tars"])
    for url in (str(sources["tars"] / "a.tar"), "a.tar"):
        source = Source.at(url, frozenset({".png"}), lambda name: name, 8)
        assert [part.name for part in source.parts(Counter()) if isinstance(part, Part)] == ["a"]
    with pytest.raises(LcqError, match=r"missing: no such file or folder$"):
        Source.at("missing", frozenset(), lambda name: name, 8)


def test_keep_times(sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    os.utime(sources["files"] / "p00000.png", ns=(10**18, 10**18))
    run(Bulk(task, str(sources["files"]), str(tmp_path / "out"), keep_times=True))
    assert (tmp_path / "out" / "p00000.lcq").stat().st_mtime_ns == 10**18
    run(Bulk(task, str(sources["files"]), str(tmp_path / "packed"), "tars", keep_times=True))
    with tarfile.open(tmp_path / "packed" / "pictures-00000000.tar") as file:
        assert file.getmember("p00000.lcq").mtime == 10**9
    tar(tmp_path / "own.tar", FILES[:5], times=[2.5, "nan", "inf", "1e30", -2])
    (tmp_path / "p00000.lcq").touch()
    run(Bulk(task, str(tmp_path / "own.tar"), str(tmp_path / "taken"), keep_times=True))
    found = [path.stat().st_mtime for path in sorted((tmp_path / "taken" / "own.tar").iterdir())]
    now = (tmp_path / "p00000.lcq").stat().st_mtime
    assert (found[0], found[4]) == (2.5, -2)
    assert [abs(time - now) < 600 for time in found[1:4]] == 3 * [True]  # those that no file can have are none
    with pytest.raises(OutputError, match=r"^`keep_times` is for folders on this machine"):
        run(Bulk(task, str(sources["files"]), "memory://out", keep_times=True))


def test_what_goes_with_a_picture_that_fails_is_counted(tmp_path: Path, task: Task) -> None:
    """A sample of a tar is whole or not there: its other pictures and files are left out."""
    members = {"a.left.png": FILES[0], "a.right.png": BROKEN, "a.cls": b"1", "b.left.png": FILES[1], "b.cls": b"2"}
    (tmp_path / "tars").mkdir()
    with tarfile.open(tmp_path / "tars" / "x.tar", "w") as file:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    summary = run(Bulk(task, str(tmp_path / "tars"), str(tmp_path / "out"), form="tars"))
    assert (summary.done, summary.failed, summary.left_out) == (1, 1, {".png": 1, ".cls": 1})
    with tarfile.open(tmp_path / "out" / "x.tar") as file:
        assert file.getnames() == ["b.left.lcq", "b.cls"]

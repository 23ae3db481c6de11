"""Names in collections: those that lead elsewhere, become one, go in circles; archives that cannot be read whole."""

import io
import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import odd_archives as odd
import pyarrow as pa
import pytest
from bulk_runs import FILES, loose, outputs, run, tar
from PIL import Image

from latticecodec.bulk import Bulk, Part, Summary, Task
from latticecodec.bulk.sample import Picture, Sample
from latticecodec.bulk.source import Failure
from latticecodec.bulk.store import Store
from latticecodec.bulk.target import Tar
from latticecodec.bulk.task import Coded

pytestmark = pytest.mark.usefixtures("one_worker")


def failures(asked: Bulk) -> list[Failure]:
    """What a run could not do."""
    return [failure for part in asked.results(Summary()) for failure in part.failures]


def test_names_that_lead_out_of_the_target_are_refused(task: Task, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as file:
        for name in ("../escape.png", "/absolute.png", "a/../../b.png", "fine.png", "fine.png"):
            member = tarfile.TarInfo(name)
            member.size = len(FILES[0])
            file.addfile(member, io.BytesIO(FILES[0]))
    found = failures(Bulk(task, str(tmp_path / "evil.tar"), str(tmp_path / "in" / "out")))
    assert [failure.name for failure in found] == [
        "../escape.png",
        "/absolute.png",
        "a/../../b.png",
        "evil.tar/fine.png",
    ]
    assert found[-1].error.endswith("would become evil.tar/fine.lcq as another one did; `keep_suffix` keeps them apart")
    assert outputs(tmp_path / "in" / "out").keys() == {"evil.tar/fine.lcq"}
    assert not list(tmp_path.rglob("*escape*"))


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_archives_that_are_cut_short(kind: str, sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    """What comes before the end of a tar is done; the archive is one line."""
    folder = "tars" if kind == "tar" else "parquet"
    path = next(path for path in sorted(sources[folder].rglob(f"*.{kind}")))
    path.write_bytes(path.read_bytes()[:2500])
    (failure,) = failures(Bulk(task, str(path), str(tmp_path / "out")))
    assert failure.error.startswith(f"{path.parent}/{path.name}: is no ")
    assert failure.error.endswith("; take a whole copy of it")


def test_names_that_would_become_one(tmp_path: Path, task: Task) -> None:
    loose(tmp_path / "files", FILES[:2])
    Image.open(tmp_path / "files" / "p00000.png").save(tmp_path / "files" / "p00000.jpg")
    summary = run(Bulk(task, str(tmp_path / "files"), str(tmp_path / "out")))
    assert (summary.done, summary.failed) == (1, 2)
    kept = replace(task, keep_suffix=True)
    assert run(Bulk(kept, str(tmp_path / "files"), str(tmp_path / "kept"))).done == 3


def test_advice_is_of_what_is_done(tmp_path: Path, task: Task) -> None:
    """--keep-suffix is for compressing; of names that have their suffix nothing but another name helps."""
    (tmp_path / "files").mkdir()
    for name in ("a.png", "a.jpg", "b.lcq", "b.png.lcq"):
        (tmp_path / "files" / name).touch()
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        for name in ("b.lcq", "b.png.lcq"):
            file.addfile(tarfile.TarInfo(name))
    reading = Task("decompress", device="cpu")
    for asked, advice in ((task, "`keep_suffix` keeps them apart"), (reading, "rename one")):
        listed = [
            found for found in Bulk(asked, str(tmp_path / "files")).listed(Counter()) if isinstance(found, Failure)
        ]
        assert [failure.error.rpartition("; ")[2] for failure in listed] == [advice, advice]
    _, second = failures(Bulk(reading, str(tmp_path / "a.tar"), str(tmp_path / "out")))
    assert second.error.endswith("b.png.lcq: would become a.tar/b.png as another one did; rename one")


def test_no_member_of_a_tar_is_there_twice(tmp_path: Path, task: Task) -> None:
    """WebDataset, which takes small letters for large ones, would stop there; the sample is left out, and told."""
    members = {"a.png": FILES[0], "a.lcq": b"x", "b.png": FILES[1], "b.LCQ": b"x", "c.png": FILES[2], "c.txt": b"x"}
    odd.tar_of(tmp_path / "a.tar", members)
    told = failures(Bulk(task, str(tmp_path / "a.tar"), str(tmp_path / "out"), "tars"))
    assert [failure.error for failure in told] == [
        f"{tmp_path}/a.tar: {name}.png: the tar would hold {name}.lcq twice; rename one" for name in ("a", "b")
    ]
    with tarfile.open(tmp_path / "out" / "a.tar") as opened:
        assert opened.getnames() == ["c.lcq", "c.txt"]
    kept = replace(task, keep_suffix=True)
    assert not failures(Bulk(kept, str(tmp_path / "a.tar"), str(tmp_path / "kept"), "tars"))


def test_rows_have_their_columns_beside_them_alone(tmp_path: Path) -> None:
    """Two files of a source that would both be a.json are told, as are two that would be one picture."""
    made = [(Picture(name, b""), Coded(name, b"x", 1, 1, "", 0.0)) for name in ("a.png", "a.gif", "b.png")]
    row = pa.record_batch({"label": [1]})
    with Tar(Store(str(tmp_path)), Part("a", "parquet", ("a.parquet",)), keep_times=False) as target:
        found = [target.add(Sample((one[0],), row=row), [one]) for one in made]
    assert found == [{}, {"a.gif": "the tar would hold a.json twice; rename one"}, {}]
    with tarfile.open(tmp_path / "a.tar") as opened:
        assert opened.getnames() == ["a.png", "a.json", "b.png", "b.json"]


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


def test_pictures_that_would_become_one_file(tmp_path: Path, task: Task) -> None:
    """None of them is worked on, as neither has more right to the name."""
    (tmp_path / "in").mkdir()
    for name in ("a.bmp", "a.png"):
        (tmp_path / "in" / name).write_bytes(FILES[0])
    listed = list(Bulk(task, str(tmp_path / "in"), str(tmp_path / "out")).listed(Counter()))
    told = "is one of 2 files that would become a.lcq; `keep_suffix` keeps them apart"
    assert [entry.error for entry in listed if isinstance(entry, Failure)] == [
        f"{tmp_path}/in/{name}: {told}" for name in ("a.bmp", "a.png")
    ]
    assert len(listed) == 2


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

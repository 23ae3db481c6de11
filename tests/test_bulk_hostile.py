"""Collections that somebody hostile packed: one name or member costs itself, or its archive, and never the run."""

import json
import tarfile
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import odd_archives as odd
import pytest
from bulk_runs import BROKEN, FILES, outputs, run

from latticecodec import OutputError
from latticecodec.bulk import Bulk, Summary, Task, record
from latticecodec.bulk.source import Failure
from latticecodec.bulk.store import Store
from latticecodec.codec import EncodeOptions

pytestmark = pytest.mark.usefixtures("one_worker")

TASK = Task("compress", EncodeOptions(lossless=True))
SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}  # after which the data begins with numbers
FORMS = pytest.mark.parametrize("form", ["files", "tars", "parquet"])


def failures(asked: Bulk) -> list[Failure]:
    """What a run could not do."""
    return [failure for part in asked.results(Summary()) for failure in part.failures]


@FORMS
def test_no_member_of_a_tar_leads_out_of_it(form: Any, tmp_path: Path) -> None:
    """Nor one that lies beside a picture, and would be taken along into another tar."""
    names = ("../../evil.txt", "/abs/evil.sh", "fine.txt")
    odd.tar_of(tmp_path / "a.tar", {"fine.png": FILES[0]} | dict.fromkeys(names, b"x"))
    found = failures(Bulk(TASK, str(tmp_path / "a.tar"), str(tmp_path / "out"), form))
    told = "leads out of the tar, or is a name that no file can have; rename it"
    assert [failure.error for failure in found] == [f"{tmp_path}/a.tar: {name}: {told}" for name in names[:2]]
    assert len(outputs(tmp_path / "out")) == 1
    if form == "tars":
        with tarfile.open(tmp_path / "out" / "a.tar") as tar:
            assert tar.getnames() == ["fine.lcq", "fine.txt"]


@pytest.mark.parametrize("name", ["n" * 300 + ".png", "a.lcq/b.png"])
def test_a_name_that_no_file_can_have_costs_that_picture_alone(name: str, tmp_path: Path) -> None:
    """Too long, or in a folder that is a file; the run goes on, and is done the next time."""
    odd.tar_of(tmp_path / "a.tar", {"a.png": FILES[0], name: FILES[1], "c.png": FILES[2]})
    asked = Bulk(TASK, str(tmp_path / "a.tar"), str(tmp_path / "out"))
    (failure,) = failures(asked)
    assert failure.name == f"a.tar/{name}"
    assert failure.error.endswith(
        ": cannot be written: " + ("File exists" if "/" in name else "File name too long") + "; rename it"
    )
    assert failure.lasting
    assert outputs(tmp_path / "out").keys() == {"a.tar/a.lcq", "a.tar/c.lcq"}
    assert run(asked).before == 2


def test_a_folder_in_the_place_of_an_output_is_no_output(tmp_path: Path) -> None:
    odd.tar_of(tmp_path / "a.tar", {"a.lcq/b.png": FILES[0], "a.png": FILES[1]})
    (failure,) = failures(Bulk(TASK, str(tmp_path / "a.tar"), str(tmp_path / "out")))
    assert failure.error.endswith("/out/a.tar/a.lcq: cannot be written: it is a folder; rename it")


def test_an_archive_whose_record_cannot_have_its_name_is_told(tmp_path: Path) -> None:
    """Its own name is as long as any can be, and .json is longer than .tar."""
    (tmp_path / "in").mkdir()
    odd.tar_of(tmp_path / "in" / f"{'n' * 251}.tar", {"a.png": FILES[0]})
    odd.tar_of(tmp_path / "in" / "other.tar", {"a.png": FILES[1]})
    asked = Bulk(TASK, str(tmp_path / "in"), str(tmp_path / "out"))
    (failure,) = failures(asked)
    assert failure.error.endswith(".json: cannot be written: File name too long; rename it")
    again = run(asked)
    assert (again.before, again.failed) == (1, 1)


@FORMS
def test_a_name_with_a_zero_byte_is_refused(form: Any, tmp_path: Path) -> None:
    odd.with_header(tmp_path / "a.tar", {"path": "a\0b.png"}, FILES[0])
    (failure,) = failures(Bulk(TASK, str(tmp_path / "a.tar"), str(tmp_path / "out"), form))
    assert failure.name == "a\0b.png"
    assert len(outputs(tmp_path / "out")) == 2


def test_names_that_are_one_file_are_one_name(tmp_path: Path) -> None:
    odd.tar_of(tmp_path / "a.tar", {"x/a.png": FILES[0], "x//a.png": FILES[1], "x/./a.png": FILES[2]})
    found = failures(Bulk(TASK, str(tmp_path / "a.tar"), str(tmp_path / "out")))
    assert [failure.name for failure in found] == ["a.tar/x/a.png"] * 2
    assert all("would become a.tar/x/a.lcq as another one did" in failure.error for failure in found)
    assert len(outputs(tmp_path / "out")) == 1


def test_keys_of_object_storage_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There .. is a name like any other."""
    listed = [("../", {"a.png": 1, "b.tar": 1}, 0), ("", {"a..png": 1}, 0)]
    monkeypatch.setattr(Store, "folders", lambda *_: iter(listed))
    parts = Bulk(TASK, str(tmp_path)).listed(Counter())
    told = [found.error if isinstance(found, Failure) else found.files for found in parts]
    assert told == [
        *(f"{tmp_path}/../{name}: leads out of the source; rename it" for name in ("a.png", "b.tar")),
        ("a..png",),
    ]


def test_a_name_that_is_not_utf_8_is_in_no_parquet(tmp_path: Path) -> None:
    odd.tar_of(tmp_path / "a.tar", {"\udcfe.png": FILES[0], "b.png": FILES[1]})
    (failure,) = failures(Bulk(TASK, str(tmp_path / "a.tar"), str(tmp_path / "out"), "parquet"))
    assert failure.error.endswith(".png: a name that is not UTF-8 cannot be in Parquet; rename it")
    assert outputs(tmp_path / "out").keys() == {"b.lcq"}


def test_lines_of_errors_move_no_cursor(tmp_path: Path) -> None:
    name = "new\nline\x1b[31mred.png"
    odd.tar_of(tmp_path / "a.tar", {name: BROKEN})
    (failure,) = failures(Bulk(TASK, str(tmp_path / "a.tar"), str(tmp_path / "out"), "tars"))
    assert failure.error.startswith(f"{tmp_path}/a.tar: new line\\x1b[31mred.png: not an image")
    (line,) = (tmp_path / "out" / "errors.jsonl").read_text().splitlines()
    assert json.loads(line) == {"input": name, "error": failure.error}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: odd.with_header(path, SPARSE, FILES[0]), "invalid literal for int()"),
        (lambda path: odd.with_header(path, {"GNU.sparse.map": "0,none"}, FILES[0]), "invalid literal for int()"),
        (odd.headers_without_end, "maximum recursion depth exceeded"),
        (odd.leading_back, "a member leads back to where it begins"),
    ],
    ids=["first", "map", "headers", "back"],
)
def test_headers_of_tars_that_are_nonsense_are_damage(make: Callable[[Path], Path], told: str, tmp_path: Path) -> None:
    (failure,) = failures(Bulk(TASK, str(make(tmp_path / "a.tar")), str(tmp_path / "out")))
    assert failure.error.startswith(f"{tmp_path}/a.tar: is no tar, damaged or cut short ({told}")
    assert failure.error.endswith("; take a whole copy of it")
    assert not failure.lasting  # until there is a whole copy


def test_what_a_member_claims_takes_no_memory(tmp_path: Path) -> None:
    """Two kilobytes that would be read as 64 MiB of zeros."""
    archive = odd.sparse(tmp_path / "a.tar", 1 << 26)
    tracemalloc.start()
    try:
        (failure,) = failures(Bulk(TASK, str(archive), str(tmp_path / "out")))
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
    assert failure.error == f"{archive}: photo.png: is a sparse file, with gaps; pack the tar without such files"


@pytest.mark.parametrize("what", ["fields", "columns", "names"])
def test_columns_that_are_nonsense_are_damage(what: str, tmp_path: Path) -> None:
    odd.parquet_of(tmp_path / "a.parquet", FILES[:3], what)
    (failure,) = failures(Bulk(TASK, str(tmp_path / "a.parquet"), str(tmp_path / "out")))
    assert failure.error.startswith(f"{tmp_path}/a.parquet: is no Parquet file, damaged or cut short (")
    assert failure.error.endswith("; take a whole copy of it")


def test_a_path_that_is_no_text_costs_nothing(tmp_path: Path) -> None:
    odd.parquet_of(tmp_path / "a.parquet", FILES[:3], "paths")
    assert run(Bulk(TASK, str(tmp_path / "a.parquet"), str(tmp_path / "out"))).done == 3


@pytest.mark.parametrize("text", ['{"asked": [], "run": 1, "overwrite": 0}', "[" * 100_000, "{", "[]", "\xff"])
def test_a_run_that_somebody_wrote_is_damaged(text: str, tmp_path: Path) -> None:
    (tmp_path / ".lcodec-bulk").mkdir()
    (tmp_path / ".lcodec-bulk" / "run.json").write_text(text)
    with pytest.raises(OutputError, match=r"run\.json: is damaged; begin anew with `overwrite`$"):
        record.begin(Store(str(tmp_path)), {"task": 1}, "new", overwrite=False)


@pytest.mark.parametrize("change", [{"done": "a"}, {"left_out": {"x": "y"}}, {"notes": [1]}, {"stopped": None}])
def test_a_record_that_somebody_wrote_is_none(change: dict[str, Any], tmp_path: Path) -> None:
    """Its part is done anew."""
    odd.tar_of(tmp_path / "a.tar", {"a.png": FILES[0]})
    asked = Bulk(TASK, str(tmp_path / "a.tar"), str(tmp_path / "out"), "tars")
    run(asked)
    path = tmp_path / "out" / ".lcodec-bulk" / "parts" / "a.json"
    fields = json.loads(path.read_text())
    path.write_text(json.dumps(fields | {"record": fields["record"] | change}))
    assert run(asked).done == 1

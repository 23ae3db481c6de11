"""Collections on a cluster of Ray's, of two workers on this machine; tests/test_bulk.py has all that needs none."""

import io
import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from bulk_runs import BROKEN, draw, expected, loose, outputs
from click.testing import CliRunner
from deadlines import looks
from latticecodec.cli import main
from PIL import Image

from latticecodec import Codec, TargetError
from latticecodec.bulk import cluster, compress
from latticecodec.codec import EncodeOptions

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module")
def two_workers() -> Iterator[None]:
    """A cluster with two processors."""
    with cluster.joined(None, 2):
        yield


def _children(parent: int, name: bytes) -> list[int]:
    """Processes that another one started, by what their command lines hold."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # has ended by itself
            above = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if above == parent and name in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def _end_one(folder: Path, after: int, over: threading.Event, ended: list[int]) -> None:
    """End one worker with SIGKILL when so many outputs are there, unless the run is over first."""
    (raylet,) = _children(os.getpid(), b"raylet/raylet")
    for _ in looks(0.005):
        if over.is_set():
            return
        if sum(1 for _ in folder.rglob("*.lcq")) >= after:
            break
    ended.append(_children(raylet, b"ray::MapWorker")[0])
    os.kill(ended[0], signal.SIGKILL)


def test_a_cluster_of_our_own_reports_nothing_to_its_makers(two_workers: None) -> None:
    """As SECURITY.md has it: all of its processes were told so."""
    (raylet,) = _children(os.getpid(), b"raylet/raylet")
    processes = _children(os.getpid(), b"ray")
    assert {raylet} < set(processes)
    for process in processes:
        assert b"RAY_USAGE_STATS_ENABLED=0" in Path(f"/proc/{process}/environ").read_bytes().split(b"\0")


def test_that_is_asked_of_every_version_of_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Released ones say so themselves when a program starts them, others do not."""
    told: list[str | None] = []
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: told.append(os.environ.get("RAY_USAGE_STATS_ENABLED")))
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with cluster.joined(None, 2):
        assert told == ["0"]


def test_a_worker_that_is_ended_loses_and_doubles_nothing(
    two_workers: None, tmp_path: Path, tiny: Codec, tiny_model: Path
) -> None:
    """With broken pictures among the rest: a line each; all else is byte for byte what one process writes."""
    files = draw(64)
    broken = (3, 17, 40)
    loose(tmp_path / "in", [BROKEN if index in broken else data for index, data in enumerate(files)])
    ended: list[int] = []
    over = threading.Event()
    ending = threading.Thread(target=_end_one, args=(tmp_path / "out", 9, over, ended), daemon=True)
    ending.start()
    asked = ["--workers", 2, "--effort", 0, "--model", tiny_model, "--device", "cpu", "--json"]
    try:
        done = CliRunner().invoke(main, ["bulk", str(tmp_path / "in"), str(tmp_path / "out"), *map(str, asked)])
    finally:
        over.set()
        ending.join()
    assert ended
    assert done.exit_code == 1
    told = [line for line in done.stderr.splitlines() if ": not an image of a format that is read" in line]
    assert sorted(re.findall(r"p\d+\.png", " ".join(told))) == [f"p{index:05d}.png" for index in broken]
    assert len(done.stderr.splitlines()) == len(broken) + 1
    assert done.stdout.startswith("{"), done.stdout
    facts = json.loads(done.stdout)
    assert (facts["done"] + facts["before"], facts["failed"]) == (61, 3)
    lines = (tmp_path / "out" / "errors.jsonl").read_text().splitlines()
    assert sorted(Path(json.loads(line)["input"]).name for line in lines) == [f"p{index:05d}.png" for index in broken]
    whole = [data for index, data in enumerate(files) if index not in broken]
    assert sorted(outputs(tmp_path / "out").values()) == sorted(expected(whole, tiny, effort=0))


def test_a_dataset_gets_columns_with_files_and_errors(two_workers: None, tiny: Codec, tiny_model: Path) -> None:
    """Of bytes, of what Hugging Face has, and of arrays."""
    files = draw(4)
    options = EncodeOptions(effort=0, quality=30)
    rows = [{"name": index, "bytes": data, "cell": {"bytes": data, "path": ""}} for index, data in enumerate(files)]
    rows[2]["bytes"] = BROKEN
    rows.append({"name": 4, "bytes": None, "cell": rows[0]["cell"]})
    dataset = compress(ray.data.from_items(rows), options, model=str(tiny_model), device="cpu", workers=1)
    found = sorted(dataset.take_all(), key=lambda row: row["name"])
    good = expected(files, tiny, effort=0, quality=30)
    assert [row["lcq"] for row in found] == [good[0], good[1], None, good[3], None]
    assert [row["error"] is None for row in found] == [True, True, False, True, False]
    assert "not an image" in found[2]["error"]
    assert found[4]["error"] == "there is no picture in this row"
    with pytest.raises(TargetError, match="takes an effort of 1 or more"):
        compress(dataset, EncodeOptions(effort=0, tune="ms-ssim"), model=str(tiny_model))
    array = np.asarray(Image.open(io.BytesIO(files[0])))
    arrays = compress(ray.data.from_numpy(array[None]), options, "data", str(tiny_model), "cpu", workers=1)
    assert [row["lcq"] for row in arrays.take_all()] == [good[0]]

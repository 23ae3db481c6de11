"""Collections from and to files, tars and Parquet: what becomes of them, and what is told of it.

Without a cluster; tests/test_bulk_cluster.py has one.
"""

import io
import json
import os
import re
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_runs import BROKEN, FILES, expected, loose, outputs, run, tar
from command_line import lcodec
from container_files import wholly_exact
from PIL import Image

import latticecodec
from latticecodec import Codec, ImageError, LcqError, ModelError, TargetError, zoo
from latticecodec.bulk import Bulk, Task, cluster, dataset, store
from latticecodec.bulk.worker import Order, Worker
from latticecodec.codec import EncodeOptions

pytestmark = pytest.mark.usefixtures("one_worker")


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
    facts = table.select(["lcq_width", "lcq_height", "lcq_bytes", "lcq_bpp", "lcq_quality", "lcq_model"]).to_pylist()[0]
    cell = table.column("image").to_pylist()[0]
    header = latticecodec.read_header(cell["bytes"])
    assert facts == {
        "lcq_width": header.width,
        "lcq_height": header.height,
        "lcq_bytes": len(cell["bytes"]),
        "lcq_bpp": pytest.approx(8 * len(cell["bytes"]) / (header.width * header.height)),
        "lcq_quality": pytest.approx(header.quality, abs=0.1),
        "lcq_model": header.model.hex(),
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


def test_max_pixels_holds_for_all_that_is_done(
    sources: dict[str, Path], tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures are not even decoded; it can be raised for .lcq files."""
    own = ["--model", tiny_model, "--device", "cpu", "--json"]
    with monkeypatch.context() as patch:
        patch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("it was decoded"))
        done = lcodec("bulk", sources["files"], tmp_path / "out", "--max-pixels", 40 * 24 - 1, "--effort", 0, *own)
    assert json.loads(done.stdout)["failed"] == 7
    assert f"{sources['files']}/p00000.png: 40x24 pixels: over the limit of 959 that was asked for" in done.stderr
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "a.lcq").write_bytes(wholly_exact(20_000))
    large = ["bulk", tmp_path / "large", "--verify", *own]
    assert "a.lcq: 20000x20000 pixels is over the limit of 268,435,456" in lcodec(*large).stderr
    told = "a.lcq: tile 0: exact colours: is not a still lossless WebP file"  # known below the limit alone
    assert told in lcodec(*large, "--max-pixels", 20_000**2).stderr


def test_the_limit_of_an_encode_holds_before_pictures_are_decoded(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a collection, and of a dataset of Ray's; the lower of two counts."""
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("it was decoded"))
    less = replace(task, options=EncodeOptions(effort=0, max_pixels=959))
    told = "40x24 pixels: over the limit of 959 that was asked for"
    with pytest.raises(ImageError, match=f"^p.png: {told}$"):
        less.ready()("p.png", FILES[0])
    with pytest.raises(ImageError, match=told):
        replace(task, max_pixels=959).ready()("p.png", FILES[0])
    rows = dataset._Encoder(less, "bytes")(pa.table({"bytes": [FILES[0]]}))
    assert rows.select(["lcq", "error"]).to_pylist() == [{"lcq": None, "error": f"the bytes given: {told}"}]
    with pytest.raises(TargetError, match="max_pixels 0 is not an integer of 1 or more"):
        Task("verify", max_pixels=0)


def test_the_summary_is_for_people_and_for_programs(sources: dict[str, Path], tmp_path: Path, tiny_model: Path) -> None:
    asked = ["bulk", sources["files"], tmp_path / "out", "--effort", 0, "--model", tiny_model, "--device", "cpu"]
    facts = json.loads(lcodec(*asked, "--json").stdout)
    assert (facts["done"], facts["before"], facts["failed"], facts["bytes_in"]) == (7, 0, 0, sum(map(len, FILES)))
    assert facts["bytes_out"] == sum(map(len, outputs(tmp_path / "out").values()))
    assert facts["files_per_second"] == pytest.approx(7 / facts["seconds"])
    again = lcodec(*asked)
    assert (again.exit_code, again.stderr) == (0, "0 compressed, 7 done before\n")


def test_options_of_outputs_are_those_of_compress(tmp_path: Path, tiny_model: Path) -> None:
    """Metadata, names and times; a note on a picture is told once, and not again of what was done before."""
    (tmp_path / "in").mkdir()
    place = tmp_path / "in" / "a.png"
    Image.open(io.BytesIO(FILES[0])).save(place, exif=b"II*\0\xff\xff\xff\xff")  # damaged
    os.utime(place, ns=(10**18, 10**18))
    own = ["--effort", 0, "--model", tiny_model, "--device", "cpu"]
    asked = ["bulk", tmp_path / "in", tmp_path / "out", "--strip", "gps", "--keep-suffix", "--keep-times", *own]
    first, again = lcodec(*asked), lcodec(*asked)
    assert outputs(tmp_path / "out").keys() == {"a.png.lcq"}
    assert latticecodec.read_header(tmp_path / "out" / "a.png.lcq").exif is None
    assert (tmp_path / "out" / "a.png.lcq").stat().st_mtime_ns == 10**18
    note = "a.png: its EXIF data is damaged and may hide a place; all of it is left out"
    assert (first.exit_code, first.stderr.splitlines()) == (0, [note, "1 compressed"])
    assert (again.exit_code, again.stderr) == (0, "0 compressed, 1 done before\n")
    assert lcodec("bulk", tmp_path / "in", tmp_path / "whole", *own).exit_code == 0
    assert latticecodec.read_header(tmp_path / "whole" / "a.lcq").exif is not None


def test_datasets_leave_out_what_is_to_be_stripped(task: Task) -> None:
    photo, file = Image.open(io.BytesIO(FILES[0])), io.BytesIO()
    exif = photo.getexif()
    exif[0x010F] = "Maker"
    photo.save(file, "JPEG", exif=exif)
    rows = pa.table({"bytes": [file.getvalue()]})
    for strip, left in ((None, True), ("all", False)):
        (data,) = dataset._Encoder(replace(task, strip=strip), "bytes")(rows).column("lcq").to_pylist()
        assert (latticecodec.read_header(data).exif is not None) == left


def test_what_is_known_of_a_run_is_no_part_of_its_output(sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    """Nothing of it is worked on, counted or told where the output is the source of another run."""
    run(Bulk(task, str(sources["files"]), str(tmp_path / "out")))
    assert (tmp_path / "out" / ".lcodec-bulk" / "run.json").exists()
    assert run(Bulk(Task("verify", model=task.model, device="cpu"), str(tmp_path / "out"))).left_out == {}


def test_workers_have_the_model_of_who_started_them(sources: dict[str, Path], task: Task, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="install the same on every machine"):
        Worker(Order(replace(task, digest=b"12345678"), store.Store(str(sources["files"])), None))


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


def test_a_psnr_that_is_out_of_reach_names_the_option(
    sources: dict[str, Path], tmp_path: Path, tiny_model: Path
) -> None:
    asked = ["--psnr", 99, "--effort", 0, "--model", tiny_model, "--device", "cpu"]
    done = lcodec("bulk", sources["files"] / "p00000.png", tmp_path / "out", *asked)
    assert "p00000.png: 99 dB is out of reach: this picture reaches " in done.stderr
    assert "(quality 100); --lossless keeps every pixel\n" in done.stderr
    with pytest.raises(LcqError, match=r"^99 dB .* \(quality 100\); `lossless` keeps every pixel$"):
        Task("compress", EncodeOptions(psnr=99, effort=0), str(tiny_model), device="cpu").ready()("p0", FILES[0])


def test_a_model_that_is_not_installed_is_told_of_as_everywhere(
    sources: dict[str, Path], task: Task, tmp_path: Path
) -> None:
    """The library names what a program can write, the command line what a person can."""
    data = task.ready()("p0.png", FILES[0]).data
    (tmp_path / "p0.lcq").write_bytes(data)
    told = "which is not installed: name its folder with {}, or append the folder that it lies in to {}"
    with pytest.raises(LcqError, match=told.format("`model`", "`latticecodec.models_path`") + "$"):
        Task("verify").ready()("p0.lcq", data)
    done = lcodec("bulk", tmp_path / "p0.lcq", "--verify")
    assert told.format("--model", "LCODEC_MODELS") + "\n" in done.stderr


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

"""Options of `lcodec eval`: which qualities, which peers, published curves, CSV; and what it refuses."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from eval_runs import astronaut, lcodec_eval
from PIL import Image

from latticecodec import ImageError, OutputError
from latticecodec.lab.evaluation import Asked, State, evaluate, published

pytestmark = pytest.mark.usefixtures("one_thread", "one_process")


def test_one_file_two_qualities_one_peer(pictures: Path, tiny_model: Path) -> None:
    file = pictures / "colour.png"
    result = lcodec_eval(
        file, "--model", tiny_model, "--quality", 80, "--quality", 20, "--quality", 80, "--peer", "jpeg", "--json"
    )
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    (name,) = report["models"]
    assert (report["images"], report["peers"]) == (1, ["jpeg"])
    assert [row["quality"] for row in report["rows"] if row["codec"] == name] == [20, 80]
    assert [row["codec"] for row in report["rows"]].count("jpeg") == 9
    assert set(report["costs"]) == {name, "jpeg"}
    cost = report["costs"][name]
    assert cost["encode_ratio"] == pytest.approx(
        cost["encode_s_per_megapixel"] / report["costs"]["jpeg"]["encode_s_per_megapixel"]
    )


def test_a_model_alone(pictures: Path, tiny_model: Path) -> None:
    result = lcodec_eval(pictures, "--model", tiny_model, "--quality", 50, "--peer", "none", "--json")
    report = json.loads(result.stdout)
    (name,) = report["models"]
    assert report["peers"] == []
    assert report["bd_rate"] == {name: {}}
    assert report["costs"][name]["encode_ratio"] is None
    table = lcodec_eval(pictures, "--model", tiny_model, "--quality", 50, "--peer", "none")
    assert table.exit_code == 0, table.stderr


def test_nothing_is_printed_of_comparisons_that_there_are_not(pictures: Path, tiny_model: Path) -> None:
    """Of a model alone no BD-rate, and "none" is explained where it stands; MS-SSIM says what it needs."""
    asked = (pictures / "colour.png", "--model", tiny_model, "--quality", 0, "--quality", 100, "--peer")
    alone, beside = lcodec_eval(*asked, "none").stdout, lcodec_eval(*asked, "jpeg").stdout
    assert "BD-rate of" not in alone
    assert "range of quality" not in alone
    line = next(line for line in beside.splitlines() if " jpeg   " in line)
    assert line.endswith("-")
    assert ("none" in line) == ("none: the two have no range of quality in common" in beside)
    needed = "MS-SSIM: left out, not every picture has the 161 pixels a side that it needs"
    assert needed in alone.splitlines()
    assert json.loads(lcodec_eval(*asked, "none", "--json").stdout)["notes"] == [needed]


def test_files_of_others_are_not_replaced(pictures: Path, tiny_model: Path, tmp_path: Path) -> None:
    """A table and a report of its own are written again; what else has their names stays, and nothing is measured."""
    asked = (pictures / "colour.png", "--model", tiny_model, "--quality", 50, "--peer", "jpeg")
    table, report = tmp_path / "table.csv", tmp_path / "report"
    for _ in range(2):
        assert lcodec_eval(*asked, "--csv", table, "--report", report).exit_code == 0
    table.write_text("name,price\n")
    refused = lcodec_eval(*asked, "--csv", table, "--resume", tmp_path / "new.jsonl")
    told = "is not a table of lcodec eval, and is not replaced; name another one"
    assert (refused.exit_code, refused.stderr) == (1, f"Error: {table}: {told}\n")
    assert table.read_text() == "name,price\n"
    for name in ("index.html", "results.csv", "results.json", "psnr.svg"):
        before = (report / name).read_bytes()
        (report / name).write_text("<p>mine</p>")
        refused = lcodec_eval(*asked, "--report", report)
        assert refused.stderr.startswith(f"Error: {report / name}: is not ")
        assert (report / name).read_text() == "<p>mine</p>"
        (report / name).write_bytes(before)
    assert "is not a regular file" in lcodec_eval(*asked, "--csv", "/dev/null").stderr
    assert not (tmp_path / "new.jsonl").exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--quality", "nan"], "'--quality': nan is not"),
        (["--model", "nosuch"], "unknown model 'nosuch'"),
        (["--effort", 0, "--tune", "ms-ssim"], "tune ms-ssim takes an effort of 1 or more"),
        (["--csv", "no/table.csv"], "the folder no does not exist"),
    ],
)
def test_what_is_wrong_leaves_no_report_behind(
    wrong: list[object], words: str, pictures: Path, tiny_model: Path, tmp_path: Path
) -> None:
    asked = ("--model", tiny_model, "--peer", "none", "--report", tmp_path / "a" / "b")
    refused = lcodec_eval(pictures, *asked, *wrong)
    assert words in refused.stderr
    assert "colour.png" not in refused.stderr
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert lcodec_eval(tmp_path / "broken.png", *asked).exit_code == 1
    assert not (tmp_path / "a").exists()


def test_efforts_and_tunes_of_one_model(pictures: Path, tiny_model: Path) -> None:
    chosen = ("--model", tiny_model, "--quality", 50, "--peer", "none", "--json")
    report = json.loads(lcodec_eval(pictures, *chosen, "--effort", 2, "--effort", 0).stdout)
    slow, fast = (row for row in reversed(report["rows"]))
    assert [fast["codec"][-8:], slow["codec"][-8:]] == ["effort 0", "effort 2"]
    assert (slow["bpp"], slow["psnr"]) != (fast["bpp"], fast["psnr"])
    refused = lcodec_eval(pictures, *chosen, "--tune", "ms-ssim")
    assert refused.exit_code == 1
    assert "too small for MS-SSIM" in refused.stderr


def test_published_curves_are_anchors(pictures: Path, tiny_model: Path) -> None:
    result = lcodec_eval(pictures, "--model", tiny_model, "--peer", "jpeg", "--published", "--json")
    report = json.loads(result.stdout)
    names = [curve.codec for curve in published()]
    assert list(report["bd_rate"]["jpeg"])[-len(names) :] == names
    assert report["bd_rate"]["jpeg"]["VTM"]["ms_ssim"] is None  # pictures of 64 pixels
    assert "CompressAI" in report["builds"]["VTM"]
    assert {row["codec"] for row in report["rows"]}.isdisjoint(names)


def test_csv_has_the_rows_of_the_json(pictures: Path, tiny_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    result = lcodec_eval(pictures, "--model", tiny_model, "--peer", "webp", "--csv", file, "--json")
    rows = json.loads(result.stdout)["rows"]
    table = list(csv.DictReader(file.read_text().splitlines()))
    assert [{name: str(value) if value is not None else "" for name, value in row.items()} for row in rows] == table
    assert len(table) == 18
    assert list(tmp_path.glob(".*")) == []  # no part of a file is left


def test_refusals_come_before_the_work(pictures: Path, tiny_model: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "no" / "table.csv"
    result = lcodec_eval(pictures, "--model", tiny_model, "--csv", nowhere)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"Error: {nowhere}: the folder {nowhere.parent} does not exist" in result.stderr
    other = tmp_path / "diary.txt"
    other.write_text("Dear diary\n")
    result = lcodec_eval(pictures, "--model", tiny_model, "--resume", other)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"Error: {other}: is not a file of results of lcodec eval; name another one" in result.stderr
    assert other.read_text() == "Dear diary\n"
    result = lcodec_eval(pictures, "--model", tiny_model, "--resume", nowhere)
    assert f"Error: {nowhere}: the folder {nowhere.parent} does not exist" in result.stderr
    assert lcodec_eval(pictures, "--quality", 101).exit_code == 2
    assert lcodec_eval(pictures, "--peer", "gif").exit_code == 2
    assert lcodec_eval(tmp_path / "missing").exit_code == 2
    both = lcodec_eval(pictures, "--peer", "none", "--peer", "jpeg")
    assert both.exit_code == 2
    assert "none excludes the others" in both.stderr


def test_a_picture_that_a_format_cannot_hold(tmp_path: Path) -> None:
    wide = tmp_path / "wide.png"
    Image.new("L", (16384, 1)).save(wide)  # one more than WebP takes
    with pytest.raises(ImageError) as caught:
        evaluate(Asked(wide, [], "cpu", peers=["webp"]))
    assert str(caught.value).startswith(f"{wide}: webp cannot hold this picture of 16384x1 pixels (")


def test_pictures_that_cannot_be_measured_are_left_out(pictures: Path, tiny_model: Path, tmp_path: Path) -> None:
    """Broken, with alpha, or too wide for a format: the means are over the others, for every codec alike."""
    arguments = ("--model", tiny_model, "--quality", 50, "--peer", "webp")
    whole = json.loads(lcodec_eval(pictures, *arguments, "--json").stdout)
    (pictures / "a broken.png").write_bytes(b"no picture")
    astronaut(64).convert("RGBA").save(pictures / "clear.png")
    Image.new("L", (16384, 1)).save(pictures / "wide.png")
    result = lcodec_eval(pictures, *arguments, "--report", tmp_path / "report", "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert list(report["skipped"]) == ["a broken.png", "clear.png", "wide.png"]
    assert report["skipped"]["a broken.png"].startswith("not an image")
    assert report["skipped"]["clear.png"].startswith("the picture has alpha")
    assert (report["images"], whole["skipped"]) == (2, {})
    measured = [(row["codec"], row["bpp"], row["psnr"]) for row in report["rows"]]
    assert measured == [(row["codec"], row["bpp"], row["psnr"]) for row in whole["rows"]]
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "wide.png: left out, webp cannot hold this picture of 16384x1 pixels" in page
    table = lcodec_eval(pictures, *arguments).stdout.splitlines()
    assert table[0] == "2 images, 3 left out"
    assert any(line.startswith("clear.png: left out, the picture has alpha") for line in table)


def test_no_picture_is_left(pictures: Path, tiny_model: Path) -> None:
    for file in (pictures / "colour.png", pictures / "below" / "grey.png"):
        file.write_bytes(b"no picture")
    result = lcodec_eval(pictures, "--model", tiny_model, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    first = pictures / "below" / "grey.png"
    assert f"Error: {first}: not an image of a format that is read" in result.stderr
    assert "(and 1 more; no picture is left)" in result.stderr


def test_a_table_that_is_written_again(pictures: Path, tiny_model: Path, tmp_path: Path) -> None:
    """The file keeps its mode, and a link is followed; one that cannot be written is named."""
    arguments = (pictures / "colour.png", "--model", tiny_model, "--quality", 50, "--peer", "none", "--csv")
    real = tmp_path / "real.csv"
    real.touch(mode=0o600)
    (tmp_path / "table.csv").symlink_to(real)
    assert lcodec_eval(*arguments, tmp_path / "table.csv").exit_code == 0
    assert (tmp_path / "table.csv").is_symlink()
    assert real.read_text().startswith("codec,")
    assert real.stat().st_mode & 0o777 == 0o600
    long = tmp_path / f"{'n' * 300}.csv"
    refused = lcodec_eval(*arguments, long)
    assert refused.exit_code == 1
    assert refused.stderr.endswith(f"Error: {long}: cannot be written: File name too long\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_results_that_cannot_be_kept(tmp_path: Path) -> None:
    state = State(tmp_path / "measured.jsonl")
    (tmp_path / "measured.jsonl").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"measured\.jsonl: cannot be written: No space left on device"):
        state.put("key", {"size": 1})


def test_a_disk_that_fills_up_ends_the_run(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no fault of the pictures that follow: none is left out, and there are no means of those before."""
    kept = tmp_path / "kept.jsonl"

    def advance(done: int, total: int) -> None:
        if done == total // 2:  # the results of the first of two pictures are there
            kept.unlink()
            kept.mkdir()

    with pytest.raises(OutputError, match=f"^{kept}: cannot be written: it is a folder$"):
        evaluate(Asked(pictures, [], "cpu", peers=["jpeg"]), advance, State(kept))


def test_the_same_weights_at_other_rates_are_measured_anew(pictures: Path, tiny_model: Path, tmp_path: Path) -> None:
    model, file = shutil.copytree(tiny_model, tmp_path / "model"), pictures / "colour.png"
    arguments = ("--quality", 50, "--peer", "none", "--resume", tmp_path / "measured.jsonl", "--json")
    config = json.loads((model / "config.json").read_text())
    found = []
    for reach in ([0.0, 1.0], [0.5, 1.5]):
        (model / "config.json").write_text(json.dumps(config | {"reach": reach}))
        found += json.loads(lcodec_eval(file, "--model", model, *arguments).stdout)["rows"]
    assert found[0]["bpp"] < found[1]["bpp"]


def test_a_model_named_twice_counts_once(pictures: Path, tiny_model: Path) -> None:
    arguments = ("--model", tiny_model, "--model", tiny_model, "--quality", 50, "--peer", "none", "--json")
    assert len(json.loads(lcodec_eval(pictures, *arguments).stdout)["rows"]) == 1


def test_a_file_that_is_no_picture(tmp_path: Path, tiny_model: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    result = lcodec_eval(bad, "--model", tiny_model)
    assert result.exit_code == 1
    assert f"Error: {bad}: not an image of a format that is read" in result.stderr
    astronaut(16).save(tmp_path / "tiny.bmp")
    assert lcodec_eval(tmp_path / "tiny.bmp", "--model", tiny_model, "--quality", 0).exit_code == 0

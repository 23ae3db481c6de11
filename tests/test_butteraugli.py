"""Butteraugli by the program of libjxl: what it says of pictures, in tables and rates; without it; where it fails."""

import dataclasses
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from eval_runs import astronaut, lcodec_eval
from latticecodec.cli.evaluation_table import show
from PIL import ImageFilter

from latticecodec import LcqError
from latticecodec.lab.evaluation import Asked, Curve, Evaluation, Point, State, butteraugli, compared, evaluate
from latticecodec.lab.evaluation.butteraugli import butteraugli_build, butteraugli_is_installed

pytestmark = pytest.mark.usefixtures("one_thread", "one_process")


def program(folder: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a butteraugli_main on the PATH that runs a line of Python with two pictures, PIL's `a` and `b`."""
    file = folder / "bin" / "butteraugli_main"
    file.parent.mkdir()
    start = "import sys; from PIL import Image, ImageStat, ImageChops; a, b = map(Image.open, sys.argv[1:])"
    file.write_text(f"#!{sys.executable}\n{start}\n{line}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(file.parent))


MEAN = 'print("7.5"); print(f"3-norm: {sum(ImageStat.Stat(ImageChops.difference(a, b)).mean) / 3:.6f}")'


@pytest.mark.skipif(not butteraugli_is_installed(), reason="butteraugli_main is not on the PATH")
def test_what_is_more_visible_has_more_of_it() -> None:
    original = astronaut()
    blurred = [np.asarray(original.filter(ImageFilter.GaussianBlur(radius))) for radius in (0.5, 1, 3)]
    norms = [butteraugli(one, np.asarray(original)) for one in (np.asarray(original), *blurred)]
    assert norms[0] == 0
    assert norms == sorted(set(norms))


def test_the_pictures_and_the_norm_are_those_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, MEAN, monkeypatch)
    original = np.full((8, 9, 3), 100, dtype=np.uint8)
    decoded = original + np.array([0, 3, 9], dtype=np.uint8)
    assert butteraugli(decoded, original) == 4
    assert math.isnan(butteraugli(decoded[:7], original[:7]))  # of so few the program says 0, whatever they are


def test_lcodec_eval_has_it(pictures: Path, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, MEAN, monkeypatch)
    table, report = tmp_path / "table.csv", tmp_path / "report"
    arguments = (pictures / "colour.png", "--model", tiny_model, "--quality", 50, "--peer", "jpeg", "--report", report)
    result = lcodec_eval(*arguments, "--csv", table, "--butteraugli", "--json")
    assert result.exit_code == 0, result.stderr
    norms = [row["butteraugli"] for row in json.loads(result.stdout)["rows"]]
    assert norms[1:] == sorted(norms[1:], reverse=True)  # of JPEG, from the lowest quality on
    head, first, *_ = table.read_text().splitlines()
    assert dict(zip(head.split(","), first.split(","), strict=True))["butteraugli"] == str(norms[0])
    assert f"<td>{norms[0]:.3f}</td>" in (report / "index.html").read_text(encoding="utf-8")
    assert "Butteraugli" in (report / "butteraugli.svg").read_text(encoding="utf-8")
    lines = lcodec_eval(*arguments).stdout.splitlines()  # that of the report is there anyway
    assert lines[2].endswith(" Butteraugli")
    assert lines[3].endswith(f" {norms[0]:.3f}")


def test_the_table_of_rates_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    jpeg, mine = (
        Curve(name, "", tuple(Point(q, bits * 2.0**q, 30.0 + q, 0.9, math.nan, 4 / 2**q, 1, 1) for q in range(4)))
        for name, bits in (("jpeg", 0.2), ("mine", 0.1))
    )
    show(Evaluation(1, (mine,), (jpeg,), (), {}, (), None))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["BD-rate", "of", "against", "PSNR", "MS-SSIM", "Butteraugli"] in lines
    assert ["mine", "jpeg", "-50.00", "%", "none", "-50.00", "%"] in lines


def test_what_another_codec_lacks_is_not_called_a_range(capsys: pytest.CaptureFixture[str]) -> None:
    """Published curves have no Butteraugli, and some no MS-SSIM: a dash; none is what two do not have in common."""
    points = [Point(q, 0.1 * 2**q, 30.0 + q, 0.9 + q / 100, math.nan, 4 / 2**q, 1, 1) for q in range(4)]
    mine = Curve("mine", "", tuple(points))
    jpeg = Curve("jpeg", "", tuple(dataclasses.replace(p, bpp=2 * p.bpp) for p in points))
    far = Curve("far", "", tuple(dataclasses.replace(p, psnr=p.psnr + 20) for p in points))
    bare = Curve("bare", "", tuple(Point(p.quality, 2 * p.bpp, p.psnr, math.nan) for p in points))
    for published, none in (((bare,), False), ((bare, far), True)):
        show(Evaluation(1, (mine,), (jpeg,), published, {}, (), None))
        text = capsys.readouterr().out
        lines = [line.split() for line in text.splitlines()]
        assert ["mine", "bare", "-50.00", "%", "-", "-"] in lines
        assert (["mine", "far", "none", "+0.00", "%", "+0.00", "%"] in lines) == none
        assert ("none: the two have no range of quality in common" in text) == none


def test_it_is_measured_when_it_is_first_asked_for(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results that were kept without it are not enough; those with it are, for those who ask for less too."""
    program(tmp_path, MEAN, monkeypatch)
    kept = tmp_path / "kept.jsonl"
    runs = [
        evaluate(Asked(pictures, [], "cpu", peers=["jpeg"], measures=asked), state=State(kept))
        for asked in ([], ["butteraugli"], [])
    ]
    assert [math.isnan(run.peers[0].points[0].butteraugli) for run in runs] == [True, False, False]


def test_another_program_measures_anew(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what another one measured is no reason to do so where it is not asked for."""
    kept = tmp_path / "kept.jsonl"
    norms = []
    file = tmp_path / "butteraugli_main"
    monkeypatch.setenv("PATH", str(tmp_path))
    asked = Asked(pictures, [], "cpu", peers=["jpeg"], measures=["butteraugli"])
    for norm in (0.25, 0.5):
        file.write_text(f'#!/bin/sh\necho "3-norm: {norm}"\n')
        file.chmod(0o755)
        run = evaluate(asked, state=State(kept))
        norms.append(run.peers[0].points[0].butteraugli)
    assert norms == [0.25, 0.5]
    size = kept.stat().st_size
    evaluate(Asked(pictures, [], "cpu", peers=["jpeg"]), state=State(kept))
    assert kept.stat().st_size == size


def test_a_program_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LcqError, match=r"cannot be read .No such file or directory.; install another, or take"):
        butteraugli_build()


def test_without_the_program(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = evaluate(Asked(pictures, [], "cpu", peers=["jpeg"], measures=["butteraugli"]))
    assert result.notes[0].startswith("Butteraugli: left out, its program is not on the PATH (libjxl-devtools of")
    assert all(math.isnan(point.butteraugli) for point in result.peers[0].points)


@pytest.mark.parametrize(
    ("line", "said"),
    [('sys.exit("Width mismatch")', "Width mismatch"), ('print("3-norm: nothing")', "no 3-norm")],
)
def test_a_program_that_fails(line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, line, monkeypatch)
    pixels = np.zeros((8, 8, 3), dtype=np.uint8)
    with pytest.raises(LcqError, match=f"cannot measure this picture .{said}.; install another, or take it off the P"):
        butteraugli(pixels, pixels)


# ---- rates at equal quality -----------------------------------------------------------------------------------------


def test_rates_are_compared_where_a_picture_is_seen_as_well() -> None:
    """Half of the 3-norm at each step: as far apart, on the scale of its logarithm, as the bits."""
    points = tuple(Point(q, 0.1 * 2**q, 30.0, 0.9, butteraugli=4 / 2**q) for q in range(5))
    shifted = tuple(Point(p.quality, 3 * p.bpp, p.psnr, p.ms_ssim, butteraugli=p.butteraugli) for p in points)
    assert compared(Curve("b", "", shifted), Curve("a", "", points))["butteraugli"] == pytest.approx(200)
    exact = (*points, Point(5, 4.0, 30.0, 0.9, butteraugli=0.0))
    assert compared(Curve("b", "", exact), Curve("a", "", points))["butteraugli"] is None


def test_scores_below_10_do_not_count() -> None:
    """Straight lines, the second rising twice as fast from -10 on: over 10 to 30 it is 1/2 to 1 ahead in ln rate."""
    anchor, other = (
        Curve(name, "", (Point(0, 0.1, 30.0, 0.9, -10.0), Point(1, 0.1 * math.exp(rise), 30.0, 0.9, 30.0)))
        for name, rise in (("a", 1), ("b", 2))
    )
    assert compared(other, anchor)["ssimulacra2"] == pytest.approx(100 * (math.exp(0.75) - 1))
    poor = Curve("c", "", (Point(0, 0.1, 30.0, 0.9, -50.0), Point(1, 0.2, 30.0, 0.9, 10.0)))
    assert compared(poor, poor)["ssimulacra2"] is None

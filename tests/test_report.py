"""The report: one page that needs nothing but itself, the files beside it, pictures at equal bytes, plots."""

import base64
import dataclasses
import io
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from eval_runs import astronaut, lcodec_eval
from PIL import Image

from latticecodec import ImageError, OutputError
from latticecodec.lab.evaluation import (
    PEERS,
    Asked,
    Comparison,
    Curve,
    Evaluation,
    Point,
    psnr,
    side_by_side,
    write_report,
)
from latticecodec.lab.evaluation.peers import Peer
from latticecodec.lab.evaluation.plot import plot

pytestmark = pytest.mark.usefixtures("one_thread", "one_process")
SVG = "{http://www.w3.org/2000/svg}"


def evaluation(name: str = "mine", published: tuple[Curve, ...] = ()) -> Evaluation:
    """A model that needs half of what a peer needs."""
    points = [Point(q, 0.1 * 2**q, 26.0 + 3 * q, 1 - 0.1 * 0.5**q, 20.0 * q - 10, 4 - q, 0.5, 0.25) for q in range(4)]
    points.append(Point(4, 1.6, 38.0, 1 - 0.1 * 0.5**4, 70.0, 0.5, 0.5, 0.25))
    halves = [
        dataclasses.replace(p, bpp=p.bpp / 2, encode_s_per_megapixel=1.0, decode_s_per_megapixel=1.0) for p in points
    ]
    models = (Curve(name, "weights 0123", tuple(halves), 700 * 2**20),)
    peers = (Curve("jpeg", "Pillow", tuple(points)),)
    return Evaluation(3, models, peers, published, {"avif": "it is not there"}, ("a note",), 0.99)


class Links(HTMLParser):
    """Everything in a page that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "poster")]


def test_the_page_needs_no_network(tmp_path: Path) -> None:
    page = write_report(tmp_path / "report", evaluation(), command="lcodec eval photos/")
    text = page.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert links.found == ["data:,"]
    assert re.findall(r"@import|url\((?!#)|fetch\(|XMLHttpRequest", text) == []
    assert "lcodec eval photos/" in text
    assert "avif</b>: left out, it is not there" in text
    assert "a note" in text
    assert "&minus;50.0 %" in text
    assert "+100.0 %" in text
    assert "700 MiB" in text
    assert "{{" not in text
    assert 'id="stage"' not in text  # no pictures, no viewer


def test_the_files_beside_it(tmp_path: Path) -> None:
    write_report(tmp_path, evaluation())
    names = {
        "index.html",
        "results.json",
        "results.csv",
        "psnr.svg",
        "ms-ssim.svg",
        "ssimulacra2.svg",
        "butteraugli.svg",
    }
    assert {path.name for path in tmp_path.iterdir()} == names
    record = json.loads((tmp_path / "results.json").read_text())
    halved = {"psnr": -50, "ms_ssim": -50, "ssimulacra2": -50, "butteraugli": -50}
    assert record["bd_rate"]["mine"]["jpeg"] == pytest.approx(halved)
    assert record["bd_rate"]["jpeg"]["mine"]["psnr"] == pytest.approx(100)
    assert [record["costs"]["mine"][f"{step}_ratio"] for step in ("encode", "decode")] == [2, 4]
    assert (tmp_path / "results.csv").read_text().splitlines()[1] == "mine,0,0.05,26.0,0.9,-10.0,4,1.0,1.0"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    folder = tmp_path / (300 * "n")
    with pytest.raises(OutputError) as caught:
        write_report(folder, evaluation())
    assert str(caught.value) == f"{folder}: the folder cannot be made: File name too long"


def test_names_cannot_become_markup(tmp_path: Path) -> None:
    name = "</script><img src=x onerror=alert(1)>{{js}}"
    shown = evaluation(name)
    picture = Image.new("RGB", (8, 8))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    original = side_by_side_of(name, buffer.getvalue())
    text = write_report(tmp_path, shown, [original], command=name).read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert links.found == ["data:,"]
    assert text.count("</script>") == 2  # of the picture's data and of the program


def side_by_side_of(name: str, data: bytes) -> Comparison:
    """A comparison of one picture of 8x8 pixels with itself."""
    from latticecodec.lab.evaluation.comparison import Shown

    shown = tuple(Shown(codec, 100, None, "image/png", data) for codec in ("original", name))
    return Comparison(name, 8, 8, True, True, shown)


def test_plot_shows_each_codec_where_its_points_are() -> None:
    far = Curve("far away", "", tuple(Point(math.nan, 10.0**i, 26.0 + i, math.nan) for i in range(-3, 3)))
    root = ElementTree.fromstring(plot(evaluation(published=(far,)), "psnr") or "")
    series = {group.get("data-codec"): group for group in root.iter(f"{SVG}g") if group.get("data-codec")}
    assert list(series) == ["far away", "jpeg", "mine"]  # the last one drawn lies on top
    circles = {name: list(group.iter(f"{SVG}circle")) for name, group in series.items()}
    assert {name: len(found) for name, found in circles.items()} == {"mine": 5, "jpeg": 5, "far away": 0}
    mine, jpeg = ([(float(c.get("cx")), float(c.get("cy"))) for c in circles[name]] for name in ("mine", "jpeg"))
    assert [up for _, up in mine] == [up for _, up in jpeg] == sorted((up for _, up in mine), reverse=True)
    steps = [right - left for (left, _), (right, _) in zip(mine, jpeg, strict=True)]
    assert steps == pytest.approx([steps[0]] * 5, abs=0.11)  # half of the bits is one step of a logarithmic axis
    assert circles["mine"][0].find(f"{SVG}title").text == "mine: 0.0500 bpp, 26.00 PSNR, dB"
    assert plot(Evaluation(1, (), (), (far,), {}, (), None), "psnr") is None


def test_plot_of_one_point_and_of_none() -> None:
    lonely = Curve("lonely", "", (Point(50, 0.3, 31.0, math.nan),))
    shown = Evaluation(1, (lonely,), (), (), {}, (), 1.0)
    root = ElementTree.fromstring(plot(shown, "psnr") or "")
    assert len(list(root.iter(f"{SVG}circle"))) == 1
    assert plot(shown, "ms_ssim") is None


def test_pictures_at_equal_bytes(tmp_path: Path, tiny_model: Path) -> None:
    """What the browser gets is what the codec restores: its file as it is, or a lossless copy of the pixels."""
    astronaut(208).save(tmp_path / "face.png")
    seen: list[tuple[int, int]] = []
    peers = [peer.name for peer in PEERS if peer.available]
    (comparison,) = side_by_side(
        Asked(tmp_path, [tiny_model], "cpu", peers=peers), lambda done, total: seen.append((done, total))
    )
    assert seen == [(done, 1 + len(peers)) for done in range(1, 2 + len(peers))]
    assert (comparison.picture, comparison.width, comparison.height) == ("face.png", 208, 208)
    assert comparison.shown[0].codec == "original"
    original = np.asarray(astronaut(208))
    for shown in comparison.shown:
        pixels = np.asarray(Image.open(io.BytesIO(shown.data)).convert("RGB"))
        if shown.psnr is None:
            assert (pixels == original).all()
        else:
            assert psnr(pixels, original) == pytest.approx(shown.psnr)
        if shown.codec in ("jpeg", "webp", "avif"):
            assert len(shown.data) == shown.size
    assert {shown.media_type for shown in comparison.shown} <= {"image/webp", "image/jpeg", "image/avif"}


def test_of_a_large_picture_the_middle_is_shown(tmp_path: Path) -> None:
    Image.new("RGB", (1100, 40), "red").save(tmp_path / "wide.png")
    (comparison,) = side_by_side(Asked(tmp_path, [], "cpu", peers=["jpeg"]))
    assert (comparison.width, comparison.height, comparison.whole) == (1024, 40, False)


def test_of_a_tiny_picture_the_smallest_files_are_shown(tmp_path: Path, tiny_model: Path) -> None:
    """A quarter of a bit for each of 25 pixels is less than a byte."""
    astronaut(5).save(tmp_path / "tiny.png")
    report = lcodec_eval(tmp_path, "--model", tiny_model, "--quality", 50, "--report", tmp_path / "report")
    assert report.exit_code == 0, report.stderr
    (comparison,) = side_by_side(Asked(tmp_path / "tiny.png", [], "cpu", peers=["jpeg"]))
    jpeg = next(peer for peer in PEERS if peer.name == "jpeg")
    assert comparison.shown[1].data == jpeg.encode(astronaut(5), jpeg.lowest)


def test_a_picture_that_a_format_cannot_hold_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(peer: Peer, image: Image.Image, quality: int) -> bytes:
        raise OSError("encoder error -2")

    monkeypatch.setattr(Peer, "encode", refuse)
    astronaut(5).save(tmp_path / "tiny.png")
    with pytest.raises(ImageError) as caught:
        side_by_side(Asked(tmp_path, [], "cpu", peers=["jpeg"]))
    told = "jpeg cannot hold this picture of 5x5 pixels (encoder error -2)"
    assert str(caught.value) == f"{tmp_path / 'tiny.png'}: {told}"


def test_lcodec_eval_writes_a_report(pictures: Path, tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    result = lcodec_eval(pictures, "--model", tiny_model, "--quality", 50, "--peer", "jpeg", "--report", folder)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1] == f"report: {folder / 'index.html'}"
    text = (folder / "index.html").read_text(encoding="utf-8")
    data = [json.loads(block) for block in re.findall(r'class="picture">(.*?)</script>', text)]
    assert [picture["name"] for picture in data] == ["below/grey.png", "colour.png"]
    assert [shown["codec"] for shown in data[0]["shown"]][::2] == ["original", "jpeg"]
    grey = Image.open(io.BytesIO(base64.b64decode(data[0]["shown"][0]["data"])))
    assert (np.asarray(grey)[:, :, 0] == np.asarray(astronaut(48).convert("L"))).all()
    before = (folder / "measured.jsonl").read_bytes()
    again = lcodec_eval(pictures, "--model", tiny_model, "--quality", 50, "--peer", "jpeg", "--report", folder)
    assert again.stdout == result.stdout
    assert (folder / "measured.jsonl").read_bytes() == before

"""Published curves: the data that ships, and codecs compared with them."""

import json
import math
from importlib import resources

import pytest

from latticecodec.lab.evaluation import Curve, Point, bd_rate, compared, published


def test_the_curves_are_in_the_package_with_their_sources() -> None:
    data = json.loads((resources.files("latticecodec.lab.evaluation") / "published.json").read_text(encoding="utf-8"))
    assert [curve.codec for curve in published()] == [curve["name"] for curve in data["curves"]]
    assert {"VTM", "BPG 4:4:4", "hyperprior", "mbt2018", "cheng2020", "ELIC", "HPCM-Large"} <= {
        curve["name"] for curve in data["curves"]
    }
    for curve in data["curves"]:
        assert curve["source"].startswith("https://"), curve["name"]


@pytest.mark.parametrize("curve", published(), ids=lambda curve: curve.codec)
def test_a_curve_rises_within_what_photographs_need(curve: Curve) -> None:
    rates = [point.bpp for point in curve.points]
    levels = [point.psnr for point in curve.points]
    likeness = [point.ms_ssim for point in curve.points if not math.isnan(point.ms_ssim)]
    assert len(rates) >= 4
    assert rates == sorted(set(rates))
    assert 0.04 < rates[0] < 0.2
    assert levels == sorted(set(levels))
    assert 25 < levels[0] < 30
    assert likeness in ([], sorted(set(likeness)))
    assert all(0.8 < value < 1 for value in likeness)
    assert len(likeness) in (0, len(rates))


def test_order_of_the_published_codecs() -> None:
    """As the papers say: BPG needs about a fifth more bits than VTM, HPCM a fifth fewer."""
    curves = {curve.codec: curve for curve in published()}
    assert compared(curves["BPG 4:4:4"], curves["VTM"])["psnr"] == pytest.approx(22, abs=1)
    assert compared(curves["HPCM-Large"], curves["VTM"])["psnr"] == pytest.approx(-20, abs=1)
    assert compared(curves["BPG 4:4:4"], curves["VTM"])["ms_ssim"] == pytest.approx(21.5, abs=1)


def test_a_measure_that_was_not_published_has_no_bd_rate() -> None:
    elic = next(curve for curve in published() if curve.codec == "ELIC")
    mine = Curve("mine", "", tuple(Point(0, 2 * p.bpp, p.psnr, 0.9 + 0.01 * i) for i, p in enumerate(elic.points)))
    rates = compared(mine, elic)
    assert rates == {"psnr": pytest.approx(100), "ms_ssim": None, "ssimulacra2": None, "butteraugli": None}
    assert rates["psnr"] == pytest.approx(bd_rate(elic.by("psnr"), mine.by("psnr")))

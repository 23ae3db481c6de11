"""The measures of `lcodec eval`: a row each, which tables, curves, notes and what is kept are made by."""

import math
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import latticecodec
from latticecodec.lab.evaluation import MEASURES, Asked, Measure, Point, compared, evaluate, rows, tally

pytestmark = pytest.mark.usefixtures("one_thread", "one_process")
ROOT = Path(latticecodec.__file__).parents[1]


def test_points_have_the_measures_in_their_order() -> None:
    """So tables have a column for each."""
    names = [one.name for one in fields(Point)]
    assert names == ["quality", "bpp", *MEASURES, "encode_s_per_megapixel", "decode_s_per_megapixel"]
    assert list(MEASURES) == [measure.name for measure in MEASURES.values()]


def test_a_measure_is_known_to_four_files() -> None:
    """Its own, the table, the points, the command; beside them the room's `__init__.py` has it for any two pictures."""
    files = [*(ROOT / "latticecodec").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]
    knowing = {str(path.relative_to(ROOT)) for path in files if "butteraugli" in path.read_text().lower()}
    room = {f"latticecodec/lab/evaluation/{name}.py" for name in ("butteraugli", "measures", "curve", "__init__")}
    assert knowing == {*room, "cli/evaluate.py"}


@dataclass(frozen=True)
class Longer(Point):
    """With a field for one more measure."""

    worst: float = math.nan


def worst(decoded: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
    """The largest difference of two pictures uint8 [H, W, 3]; NaN where a side is below 60 pixels."""
    return float(np.abs(decoded.astype(int) - original).max()) if min(original.shape[:2]) >= 60 else math.nan


def test_one_more_measure(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row and a field: its values, its BD-rates, and what is told where it is not there or a picture is too small."""
    row = {"title": "Worst", "label": "Worst, negative", "digits": 0, "function": worst, "build": lambda: "worst 1.0"}
    added = {"side": 60, "scale": lambda value: -value, "missing": "nobody has it"}
    monkeypatch.setitem(MEASURES, "worst", Measure("worst", **row, **added))
    monkeypatch.setattr(tally, "Point", Longer)
    asked = Asked(pictures / "colour.png", [], "cpu", peers=["jpeg"], measures=["worst"])
    (jpeg,) = evaluate(asked).peers
    assert jpeg.points[0].worst > jpeg.points[-1].worst > 0
    assert compared(jpeg, jpeg)["worst"] == 0
    small = evaluate(Asked(pictures, [], "cpu", peers=["jpeg"], measures=["worst"]))
    assert small.notes[-1] == "Worst: left out, not every picture has the 60 pixels a side that it needs"
    assert {line["worst"] for line in rows(small)} == {None}
    monkeypatch.setitem(MEASURES, "worst", Measure("worst", **row, **added, is_installed=lambda: False))
    without = evaluate(asked)
    assert without.notes[0] == "Worst: left out, nobody has it"
    assert math.isnan(without.peers[0].points[0].worst)

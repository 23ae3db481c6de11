"""The report of an evaluation: one HTML page that needs no network, with its curves and tables as files beside it."""

import base64
import json
import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from importlib import resources
from pathlib import Path

from ...errors import OutputError, reason
from ...outputs import check_folder, check_own, write_text
from .comparison import TARGET, Comparison
from .curve import METRICS
from .evaluate import Evaluation
from .plot import plot
from .report_tables import builds_table, cost_table, matrices, point_table
from .results import check_csv, to_csv, to_json

EXACT = "JPEG, WebP and AVIF are shown by your browser from the very files, all else from lossless copies."
CLOSE = "JPEG, WebP and AVIF are shown by your browser from the very files, all else from copies in WebP of quality 95."
PARTS = "Of pictures larger than 1024 pixels the middle was coded by itself."


def write_report(
    folder: Path, evaluation: Evaluation, comparisons: Sequence[Comparison] = (), command: str = "lcodec eval"
) -> Path:
    """Write index.html, results.json, results.csv and a plot for each measure (psnr.svg, ...) into a folder.

    Args:
        folder: is made where it does not exist; files of these names in it are replaced, see `check_report`.
        evaluation: what `evaluate` returned.
        comparisons: what `side_by_side` returned, for the viewer; none: no viewer.
        command: shown at the top of the page.

    Returns the path of index.html. Each file is written whole or not at all. Raises as `check_report`, and
    OutputError where the folder or a file cannot be written.
    """
    check_report(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made: {reason(error)}") from None
    plots = {metric: svg for metric in METRICS if (svg := plot(evaluation, metric)) is not None}
    for metric, svg in plots.items():
        write_text(folder / f"{metric.replace('_', '-')}.svg", svg)
    write_text(folder / "results.json", json.dumps(to_json(evaluation), indent=2) + "\n")
    write_text(folder / "results.csv", to_csv(evaluation))
    return write_text(folder / "index.html", _page(evaluation, list(plots.values()), comparisons, command))


def check_report(folder: Path) -> None:
    """Raise OutputError where a report cannot be written: no folder can be made, or files of other origin are there."""
    check_folder(folder)
    for metric in METRICS:
        check_own(folder / f"{metric.replace('_', '-')}.svg", 'class="plot"', "a plot of lcodec eval")
    check_own(folder / "results.json", '"models": [', "results of lcodec eval")
    check_csv(folder / "results.csv")
    check_own(folder / "index.html", "<title>lcodec eval: ", "a report of lcodec eval")


def _page(evaluation: Evaluation, plots: Sequence[str], comparisons: Sequence[Comparison], command: str) -> str:
    ours = [curve.codec for curve in evaluation.models]
    count = f"{evaluation.images} picture{'' if evaluation.images == 1 else 's'}"
    against = ", ".join(curve.codec for curve in evaluation.peers)
    subtitle = [count, f"{datetime.now(UTC):%d %B %Y}"]
    if evaluation.published:
        subtitle.append("published curves are of the 24 pictures of Kodak and mean nothing beside others")
    values = {
        "title": escape(f"{', '.join(ours) or 'peers'}{' beside ' if ours and against else ''}{against}"),
        "subtitle": escape(" · ".join(subtitle)),
        "command": escape(command),
        "css": _resource("report.css"),
        "js": _resource("report.js"),
        "plots": "".join(f'<div class="card">{svg}</div>' for svg in plots),
        "matrices": matrices(evaluation),
        "viewer": _viewer(comparisons),
        "machine": escape(f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"),
        "costs": cost_table(evaluation),
        "points": point_table(evaluation),
        "builds": builds_table(evaluation),
        "notes": "".join(f'<p class="soft">{escape(note)}</p>' for note in [*evaluation.notes, *_left_out(evaluation)]),
        "data": "".join(_data(comparison) for comparison in comparisons),
    }
    return _filled(_resource("report.html"), values)


def _left_out(evaluation: Evaluation) -> list[str]:
    """A line for each picture that was not measured."""
    return [f"{picture}: left out, {why}" for picture, why in evaluation.skipped.items()]


def _viewer(comparisons: Sequence[Comparison]) -> str:
    if not comparisons:
        return ""
    codecs = [shown.codec for shown in comparisons[0].shown]
    stored = [EXACT if comparisons[0].exact else CLOSE]
    if not all(comparison.whole for comparison in comparisons):
        stored.append(PARTS)
    values = {
        "target": f"{TARGET:g}",
        "stored": " ".join(stored),
        "names": "".join(f"<option>{escape(comparison.picture)}</option>" for comparison in comparisons),
        "left": _options(codecs, 1),
        "right": _options(codecs, 2 if len(codecs) > 2 else 0),
    }
    return _filled(_resource("viewer.html"), values)


def _options(names: Sequence[str], chosen: int) -> str:
    return "".join(
        f'<option value="{number}"{" selected" if number == chosen else ""}>{escape(name)}</option>'
        for number, name in enumerate(names)
    )


def _data(comparison: Comparison) -> str:
    """A picture and its reconstructions, for the page's program."""
    shown = [
        {
            "codec": one.codec,
            "size": one.size,
            "psnr": one.psnr,
            "type": one.media_type,
            "data": base64.b64encode(one.data).decode(),
        }
        for one in comparison.shown
    ]
    record = {"name": comparison.picture, "width": comparison.width, "height": comparison.height, "shown": shown}
    text = json.dumps(record).replace("<", "\\u003c")  # no name can end the script element
    return f'<script type="application/json" class="picture">{text}</script>\n'


def _resource(name: str) -> str:
    return (resources.files(__package__) / "page" / name).read_text(encoding="utf-8")


def _filled(template: str, values: dict[str, str]) -> str:
    """The template with {{name}} replaced; what is put in is not searched again."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)

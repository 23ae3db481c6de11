"""An evaluation as tables: rows, BD-rates, speed and memory, as JSON and as CSV."""

import csv
import io
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...outputs import check_folder, check_own
from .curve import Curve, compared
from .evaluate import Evaluation

COLUMNS = (
    "codec",
    "quality",
    "bpp",
    "psnr",
    "ms_ssim",
    "ssimulacra2",
    "butteraugli",
    "encode_s_per_megapixel",
    "decode_s_per_megapixel",
)


def rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The points of each model and of each peer, by the names in `COLUMNS`; None where there is no value."""
    curves = (*evaluation.models, *evaluation.peers)
    return [_plain({"codec": curve.codec, **asdict(point)}) for curve in curves for point in curve.points]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}


def bd_rates(evaluation: Evaluation) -> dict[str, dict[str, dict[str, float | None]]]:
    """BD-rates of each codec against each peer, the first model and each published curve, by the keys of `METRICS`."""
    ours = (*evaluation.models, *evaluation.peers)
    anchors = (*evaluation.models[:1], *evaluation.peers, *evaluation.published)
    return {
        curve.codec: {anchor.codec: compared(curve, anchor) for anchor in anchors if anchor is not curve}
        for curve in ours
    }


def speed(curve: Curve) -> tuple[float, float]:
    """Seconds per megapixel to encode and to decode, the means over all qualities."""
    encode = sum(point.encode_s_per_megapixel for point in curve.points)
    decode = sum(point.decode_s_per_megapixel for point in curve.points)
    return encode / len(curve.points), decode / len(curve.points)


def costs(evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    """Speed of each codec on the machine that measured it, and as multiples of the first peer's; peak memory, bytes."""
    first = speed(evaluation.peers[0]) if evaluation.peers else (math.nan, math.nan)
    table = {}
    for curve in (*evaluation.models, *evaluation.peers):
        encode, decode = speed(curve)
        row = {
            "encode_s_per_megapixel": encode,
            "decode_s_per_megapixel": decode,
            "encode_ratio": encode / first[0],
            "decode_ratio": decode / first[1],
            "peak_memory": curve.memory,
        }
        table[curve.codec] = _plain(row)
    return table


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as a JSON object; a peer's null means that there is no such number."""
    nothing = dict.fromkeys(evaluation.missing)
    every = (*evaluation.models, *evaluation.peers, *evaluation.published)
    return {
        "models": [curve.codec for curve in evaluation.models],
        "peers": [curve.codec for curve in evaluation.peers],
        "images": evaluation.images,
        "rows": rows(evaluation),
        "bd_rate": {codec: anchors | nothing for codec, anchors in bd_rates(evaluation).items()},
        "costs": costs(evaluation),
        "builds": {curve.codec: curve.build for curve in every} | nothing,
        "missing": evaluation.missing,
        "skipped": evaluation.skipped,
        "notes": list(evaluation.notes),
        "worst_size_ratio": evaluation.worst_size_ratio,
    }


def check_csv(path: Path) -> None:
    """Raise OutputError where the CSV cannot be written, or a file of other origin is in its place."""
    check_folder(path.parent)
    check_own(path, ",".join(COLUMNS[:4]), "a table of lcodec eval")


def to_csv(evaluation: Evaluation) -> str:
    """The rows as CSV with a header line; an empty cell where there is no value."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(evaluation))
    return text.getvalue()

"""lcodec eval"""

import json
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options

if TYPE_CHECKING:
    from latticecodec.evaluation import Evaluation


@click.command("eval")
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--model",
    "models",
    multiple=True,
    default=["lattice"],
    show_default=True,
    metavar="NAME|DIR",
    help="Model to evaluate; may be given several times.",
)
@options.device
@options.as_json
def evaluate(directory: str, models: tuple[str, ...], device: str, as_json: bool) -> None:
    """Measure how well models compress the images in DIR, beside JPEG, WebP and AVIF.

    Every image below DIR is compressed and restored at nine qualities with each model and with each of the three.
    Nothing is written to disk. The table shows means over all images:

    \b
    bpp        bits per pixel of the file: smaller is better
    PSNR, dB   closeness of the restored picture to the original: larger is better; 30 is fair, 40 is very good
    MS-SSIM    likeness of structure, at most 1: larger is better
    BD-rate    per cent of bits that a model needs more (+) or fewer (-) than the other for the same PSNR, or MS-SSIM

    The last line compares each file's size with its model's own estimate of it, and shows the worst: 1 or less is good.

    \b
    lcodec eval photos/
    lcodec eval photos/ --model lattice --model vq
    lcodec eval photos/ --model runs/mine/model --json > result.json
    """
    from latticecodec.evaluation import evaluate as measure

    with click.progressbar(length=1, label="evaluating", file=sys.stderr) as bar:

        def advance(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        evaluation = measure(Path(directory), models, device, advance)
    if as_json:
        click.echo(json.dumps(_report(evaluation), indent=2))
        return
    click.echo(f"{evaluation.images} images\n")
    click.echo(f"{'codec':16} {'quality':>7} {'bpp':>8} {'PSNR, dB':>9} {'MS-SSIM':>8}")
    for row in _rows(evaluation):
        similarity = "-" if row["ms_ssim"] is None else f"{row['ms_ssim']:.5f}"
        click.echo(f"{row['codec']:16} {row['quality']:7g} {row['bpp']:8.4f} {row['psnr']:9.3f} {similarity:>8}")
    click.echo(f"\n{'BD-rate of':16} {'against':16} {'PSNR':>9} {'MS-SSIM':>9}")
    for model, anchors in _rates(evaluation).items():
        for anchor, rates in anchors.items():
            cells = ["none" if rate is None else f"{rate:+.2f} %" for rate in rates.values()]
            click.echo(f"{model:16} {anchor:16} {cells[0]:>9} {cells[1]:>9}")
    click.echo("\nnone: the two have no range of quality in common")
    for curve in (*evaluation.models, *evaluation.peers):
        click.echo(f"{curve.codec}: {curve.build}")
    for name in evaluation.missing:
        click.echo(f"{name}: left out, this build of Pillow cannot write it")
    click.echo(f"worst of file size / (1.01 x estimate + 48 bytes): {evaluation.worst_size_ratio:.4f}")


def _rows(evaluation: "Evaluation") -> list[dict[str, Any]]:
    """The points of each model and of each peer."""
    rows = [
        {"codec": curve.codec, **asdict(point)}
        for curve in (*evaluation.models, *evaluation.peers)
        for point in curve.points
    ]
    return [row | {"ms_ssim": None if math.isnan(row["ms_ssim"]) else row["ms_ssim"]} for row in rows]


def _rates(evaluation: "Evaluation") -> dict[str, dict[str, dict[str, float | None]]]:
    """BD-rates of each model against each peer, and against the first model."""
    from latticecodec.evaluation import compared

    anchors = (*evaluation.peers, evaluation.models[0])
    return {
        model.codec: {
            anchor.codec: dict(zip(("psnr", "ms_ssim"), compared(model, anchor), strict=True))
            for anchor in anchors
            if anchor is not model
        }
        for model in evaluation.models
    }


def _report(evaluation: "Evaluation") -> dict[str, Any]:
    """The evaluation as a JSON object; a peer's null means that there is no such number."""
    nothing = dict.fromkeys(evaluation.missing)
    return {
        "models": [curve.codec for curve in evaluation.models],
        "images": evaluation.images,
        "rows": _rows(evaluation),
        "bd_rate": {model: anchors | nothing for model, anchors in _rates(evaluation).items()},
        "builds": {curve.codec: curve.build for curve in (*evaluation.models, *evaluation.peers)} | nothing,
        "worst_size_ratio": evaluation.worst_size_ratio,
    }

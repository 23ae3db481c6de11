"""lcodec eval"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options

if TYPE_CHECKING:
    from latticecodec.evaluation import Evaluation


@click.command("eval")
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@click.option("--model", default="lattice", show_default=True, metavar="NAME|DIR", help="Model to evaluate.")
@options.device
@options.as_json
def evaluate(directory: str, model: str, device: str, as_json: bool) -> None:
    """Measure how well a model compresses the images in DIR, beside JPEG, WebP and AVIF.

    Every image below DIR is compressed and restored at nine qualities with the model and with each of the three.
    Nothing is written to disk. The table shows means over all images:

    \b
    bpp        bits per pixel of the file: smaller is better
    PSNR, dB   closeness of the restored picture to the original: larger is better; 30 is fair, 40 is very good
    BD-rate    per cent of bits that the model needs more (+) or fewer (-) than the other for the same PSNR

    The last line compares each file's size with the model's own estimate of it, and shows the worst: 1 or less is good.

    \b
    lcodec eval photos/
    lcodec eval photos/ --model runs/mine/model --json > result.json
    """
    from latticecodec.evaluation import evaluate as measure

    with click.progressbar(length=1, label="evaluating", file=sys.stderr) as bar:

        def advance(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        evaluation = measure(Path(directory), model, device, advance)
    if as_json:
        click.echo(json.dumps(_report(evaluation), indent=2))
        return
    click.echo(f"{evaluation.images} images\n")
    click.echo(f"{'codec':16} {'quality':>7} {'bpp':>8} {'PSNR, dB':>9}")
    for row in _rows(evaluation):
        click.echo(f"{row['codec']:16} {row['quality']:7g} {row['bpp']:8.4f} {row['psnr']:9.3f}")
    click.echo()
    for peer in evaluation.peers:
        rate = evaluation.bd_rate(peer)
        result = "none, the two share no range of PSNR" if rate is None else f"{rate:+.2f} %"
        click.echo(f"BD-rate against {peer.codec} ({peer.build}): {result}")
    for name in evaluation.missing:
        click.echo(f"BD-rate against {name}: none, this build of Pillow cannot write it")
    click.echo(f"worst of file size / (1.01 x estimate + 48 bytes): {evaluation.worst_size_ratio:.4f}")


def _rows(evaluation: "Evaluation") -> list[dict[str, Any]]:
    """The points of the model and of each peer."""
    return [
        {"codec": curve.codec, "quality": point.quality, "bpp": point.bpp, "psnr": point.psnr}
        for curve in (evaluation.model, *evaluation.peers)
        for point in curve.points
    ]


def _report(evaluation: "Evaluation") -> dict[str, Any]:
    """The evaluation as a JSON object; a peer's null means that there is no such number."""
    nothing = dict.fromkeys(evaluation.missing)
    return {
        "model": evaluation.model.codec,
        "images": evaluation.images,
        "rows": _rows(evaluation),
        "bd_rate": {peer.codec: evaluation.bd_rate(peer) for peer in evaluation.peers} | nothing,
        "builds": {curve.codec: curve.build for curve in (evaluation.model, *evaluation.peers)} | nothing,
        "worst_size_ratio": evaluation.worst_size_ratio,
    }

"""lcodec eval"""

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from latticecodec import OutputError
from latticecodec.config import DEFAULT_EFFORT, EFFORTS, TUNES
from latticecodec.extras import require

from . import evaluation_table, options, progress
from .messages import say, say_json

PEER_NAMES = ("jpeg", "webp", "avif", "avif-ssimulacra2", "jpeg2000", "jpegxl")


@click.command("eval")
@click.argument("images", metavar="IMAGES", type=options.Location(exists=True))
@click.option(
    "--model",
    "models",
    multiple=True,
    default=["lattice"],
    show_default=True,
    metavar="NAME|DIR",
    help="Model to evaluate; may be given several times.",
)
@click.option(
    "--quality",
    "qualities",
    multiple=True,
    type=options.Number(0, 100),
    metavar="Q",
    help="Quality of the models, 0 to 100; may be given several times.  [default: 0, 12.5, 25, ... 100]",
)
@click.option(
    "--effort",
    "efforts",
    multiple=True,
    type=click.IntRange(EFFORTS[0], EFFORTS[-1]),
    default=[DEFAULT_EFFORT],
    show_default=True,
    metavar="N",
    help="Effort of the models' encoders, 0 to 9; may be given several times.",
)
@click.option(
    "--tune",
    "tunes",
    multiple=True,
    type=click.Choice(TUNES),
    help="What to encode for, as in compress; may be given several times. [default: what each model was trained for]",
)
@click.option(
    "--peer",
    "peers",
    multiple=True,
    type=click.Choice([*PEER_NAMES, "none"]),
    default=["jpeg", "webp", "avif"],
    show_default=True,
    metavar="NAME",
    help=f"Format to compare with: {', '.join(PEER_NAMES)} or none; may be given several times.",
)
@click.option("--published", is_flag=True, help="Compare with published curves of Kodak too: VTM, ELIC, ...")
@click.option(
    "--ssimulacra2",
    is_flag=True,
    help="Measure SSIMULACRA2 too; takes as long as all the rest, needs latticecodec[eval]. --report has it anyway.",
)
@click.option(
    "--butteraugli",
    is_flag=True,
    help="Measure Butteraugli too; needs its program, butteraugli_main, on the PATH. --report has it anyway.",
)
@click.option(
    "--csv",
    "csv_file",
    type=options.Location(dir_okay=False),
    help="Write the table here too, in place of one of before.",
)
@click.option(
    "--report",
    type=options.Location(file_okay=False),
    help="Write a page for the browser into this folder: index.html, with curves, tables and pictures side by side; "
    "in place of one of before.",
)
@click.option(
    "--resume",
    type=options.Location(dir_okay=False),
    help="Keep every result in this file, and take from it what is there.  [default: measured.jsonl of --report]",
)
@options.device
@options.as_json
def evaluate(
    images: Path,
    models: tuple[str, ...],
    qualities: tuple[float, ...],
    efforts: tuple[int, ...],
    tunes: tuple[str, ...],
    peers: tuple[str, ...],
    published: bool,
    ssimulacra2: bool,
    butteraugli: bool,
    csv_file: Path | None,
    report: Path | None,
    resume: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Measure how well models compress IMAGES, a folder or one file, beside other image formats.

    Every picture is compressed and restored at nine qualities with each model and with each format. Formats that are
    not installed are named and left out, and so are pictures that are broken, have alpha or more than 8 bits a sample,
    or that one of the formats cannot hold. The table shows means over all the others:

    \b
    bpp          bits per pixel of the file: smaller is better
    PSNR, dB     closeness of the restored picture to the original: larger is better; 30 is fair, 40 is very good
    MS-SSIM      likeness of structure, at most 1: larger is better
    SSIMULACRA2  how people would judge it, at most 100: 90 as good as the original, 70 high, 50 medium, 30 low
    Butteraugli  how visible the differences are, its 3-norm: smaller is better, about 1 is just visible
    BD-rate      per cent of bits that a model needs more (+) or fewer (-) than the other for the same quality
    encode       seconds per million pixels on the machine that measured it, and how many times the first format's
    peak memory  of a process that compresses and restores the largest picture and does nothing else

    The last line compares each file's size with its model's own estimate of it, and shows the worst: 1 or less is good.

    With --report or --resume an interrupted run goes on where it stopped when it is started again.

    \b
    lcodec eval photos/
    lcodec eval photos/ --model lattice --model vq --report report/
    lcodec eval photo.png --peer jpeg --peer jpegxl --quality 20 --quality 60
    lcodec eval photos/ --effort 0 --effort 9 --peer none
    lcodec eval photos/ --model runs/mine/model --json > result.json
    """
    require("eval", "lcodec eval")
    if "none" in peers and len(peers) > 1:
        raise click.BadParameter("none excludes the others", param_hint="'--peer'")
    peers = tuple(name for name in peers if name != "none")
    for file in (csv_file, resume):
        if file is not None and not file.absolute().parent.is_dir():
            raise OutputError(f"{file}: the folder {file.parent} does not exist; make it first")
    from latticecodec.lab import evaluation as library

    asked: dict[str, Any] = {
        "qualities": qualities or library.QUALITIES,
        "efforts": efforts,
        "tunes": tunes,
        "peers": peers,
    }
    if csv_file is not None:
        library.check_csv(csv_file)
    if report is not None:
        library.check_report(report)
        resume = resume or report / "measured.jsonl"
    state = library.State(resume)
    library.prepared(images, models, device, **asked)
    with progress.bar("evaluating") as advance:
        evaluation = library.evaluate(
            images,
            models,
            device,
            advance,
            **asked,
            with_ssimulacra2=ssimulacra2 or report is not None,
            with_butteraugli=butteraugli or report is not None,
            with_published=published,
            with_memory=True,
            state=state,
        )
    if csv_file is not None:
        library.write_text(csv_file, library.to_csv(evaluation))
    if report is not None:
        with progress.bar("comparing") as advance:
            comparisons = library.side_by_side(
                images,
                models,
                device,
                advance,
                peers=peers,
                efforts=efforts,
                tunes=tunes,
                without=evaluation.skipped,
                state=state,
            )
        command = shlex.join(["lcodec", *sys.argv[1:]])
        page = library.write_report(report, evaluation, comparisons, command)
    if as_json:
        say_json(library.to_json(evaluation), indent=2)
        return
    evaluation_table.show(evaluation)
    if report is not None:
        say(f"report: {page}")

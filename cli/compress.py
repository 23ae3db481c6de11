"""lcodec compress"""

import io
import time
from typing import Any

import click

from . import options, progress
from .files import STANDARD, Job, make_plan, read, run, write

LARGE = 1 << 22  # pixels; more than that take long enough for a progress bar
QUALITY_NOTE = 0.05  # a rate on offer farther than this from the quality asked for is reported


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True))
@click.option(
    "-o", "--output", metavar="PATH", help="File to write; a folder for several inputs; - for standard output."
)
@click.option(
    "-q", "--quality", type=click.FloatRange(0, 100), help="0 (smallest) to 100 (best), any number. [default: 50]"
)
@click.option(
    "--bpp",
    type=click.FloatRange(0, min_open=True),
    help="Aim at this many bits per pixel; quality 100 where even that needs less.",
)
@click.option(
    "--size",
    type=click.IntRange(1),
    metavar="BYTES",
    help="Use at most this many bytes, and nearly all of them; quality 100 where even that needs less.",
)
@click.option(
    "--psnr",
    type=click.FloatRange(0, min_open=True),
    metavar="DB",
    help="Aim at this PSNR; quality 0 where even that has more.",
)
@click.option("--model", default="lattice", show_default=True, metavar="NAME|DIR", help="Model to compress with.")
@click.option(
    "--effort",
    type=click.IntRange(0, 9),
    default=1,
    show_default=True,
    help="Time for bits: 0 is fastest, 1 takes about twice as long, 9 some 30 times; all decode alike.",
)
@click.option(
    "--tune",
    type=click.Choice(["psnr", "ms-ssim"]),
    help="What to spend the bits for: the least squared error, or MS-SSIM, nearer to what eyes notice; takes the model "
    "that was trained for it, where there is one. [default: what the model was trained for]",
)
@click.option(
    "--tile",
    type=click.IntRange(0, 65_472),
    metavar="N",
    help="Side of the tiles, a multiple of 64 pixels; 0 for one tile. [default: 768 above 4 megapixels]",
)
@click.option("--embed-basis", is_flag=True, help="Write the whole lattice basis into the file.")
@options.device
@options.force
@options.as_json
def compress(
    inputs: tuple[str, ...],
    output: str | None,
    quality: float | None,
    bpp: float | None,
    size: int | None,
    psnr: float | None,
    model: str,
    effort: int,
    tune: str | None,
    tile: int | None,
    embed_basis: bool,
    device: str,
    force: bool,
    as_json: bool,
) -> None:
    """Compress pictures to .lcq files.

    INPUTS are image files, folders (searched for images, mirrored into -o) or - for standard input. Without -o,
    NAME.png becomes NAME.lcq beside it.

    \b
    lcodec compress photo.png                     writes photo.lcq
    lcodec compress photo.png -o small.lcq --size 40000
    lcodec compress holiday/ -o packed/ -q 30
    lcodec compress photo.png --effort 9          as small as it gets

    Grey and RGB, with or without alpha, with 8 or 16 bits a sample; alpha is kept without loss, and so are ICC profile,
    EXIF and XMP.
    """
    from latticecodec import LcqError, load, read_header
    from latticecodec.picture import IMAGE_SUFFIXES
    from latticecodec.picture import read as read_picture

    if sum(value is not None for value in (quality, bpp, size, psnr)) > 1:
        raise LcqError("--quality, --bpp, --size and --psnr exclude each other; give one")
    plan = make_plan(inputs, output, IMAGE_SUFFIXES, lambda path: path.with_suffix(".lcq"), force)
    codec = load(model, device, tune)

    def work(job: Job) -> dict[str, Any]:
        began = time.perf_counter()
        source = read_picture(job.source) if job.source != STANDARD else _open_bytes(read(job.source))
        wanted = 50.0 if quality is None else quality
        slow = effort > 1 or source.width * source.height > LARGE
        with progress.bar("compressing", slow and not plan.many) as report:
            result = codec.encode_detailed(source, wanted, bpp, size, psnr, embed_basis, effort, tune, tile, report)
        write(job, lambda file: file.write(result.data), force)
        if effort > max(codec.bottleneck.efforts, 1):
            click.echo(f"{job.source}: {codec.config.name} encodes the same at every effort", err=True)
        if quality is not None and abs(result.quality - quality) > QUALITY_NOTE:
            nearest = f"{codec.config.name} offers no quality {quality:g}; the nearest, {result.quality:.1f}, was used"
            click.echo(f"{job.source}: {nearest}", err=True)
        header = read_header(result.data)
        return {
            "input": str(job.source),
            "output": str(job.target),
            "width": header.width,
            "height": header.height,
            "bytes": len(result.data),
            "bpp": 8 * len(result.data) / (header.width * header.height),
            "quality": header.quality,
            "effort": effort,
            "tune": header.tune,
            "tiles": header.tiles,
            "estimated_bits": result.estimated_bits,
            "indices_sha256": result.indices_sha256,
            "model": codec.config.name,
            "note": result.note or None,
            "seconds": time.perf_counter() - began,
        }

    run(plan, work, summary, as_json)


def summary(report: dict[str, Any]) -> str:
    """The one line about a file."""
    note = f"  ({report['note']})" if report.get("note") else ""
    return (
        f"{report['output']}  {report['width']}x{report['height']}  {report['bytes']:,} bytes  "
        f"{report['bpp']:.3f} bpp  {report['seconds']:.2f} s{note}"
    )


def _open_bytes(data: bytes) -> Any:
    from latticecodec.picture import read_file

    return read_file(io.BytesIO(data), "standard input")

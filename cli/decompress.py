"""lcodec decompress"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click

from . import options, progress
from .compress import LARGE, summary
from .files import STANDARD, Job, make_plan, opened, run, write

DAMAGED = 3  # exit status where --recover had to fill in


def _region(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, int, int, int] | None:
    """X,Y,W,H as four integers."""
    if value is None:
        return None
    try:
        x, y, width, height = (int(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not X,Y,W,H: four integers with commas between") from None
    return x, y, width, height


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True))
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="Image to write (type by suffix); a folder for several; - for standard output.",
)
@click.option("--region", metavar="X,Y,W,H", callback=_region, help="Decode this rectangle of pixels alone.")
@click.option("--recover", is_flag=True, help="Fill damaged tiles with grey, say which, and exit with 3.")
@options.decoding_model
@options.device
@options.force
@options.as_json
def decompress(
    inputs: tuple[str, ...],
    output: str | None,
    region: tuple[int, int, int, int] | None,
    recover: bool,
    model: str | None,
    device: str,
    force: bool,
    as_json: bool,
) -> None:
    """Restore pictures from .lcq files.

    INPUTS are .lcq files, folders of them (mirrored into -o) or - for standard input. Without -o, NAME.lcq becomes
    NAME.png beside it, or NAME.decoded.png where NAME.png exists.

    \b
    lcodec decompress photo.lcq                   writes photo.png
    lcodec decompress packed/ -o restored/
    lcodec decompress large.lcq -o eye.png --region 3200,1800,400,300
    """
    from latticecodec import Damage, load, read_header
    from latticecodec.zoo import find_by_digest

    beside = output is None
    plan = make_plan(inputs, output, {".lcq"}, lambda path: _restored_name(path, beside), force)
    damaged: list[Damage] = []

    def tell(job: Job) -> Callable[[Damage], None]:
        def on_damage(damage: Damage) -> None:
            damaged.append(damage)
            box = damage.box
            place = f"{box.width}x{box.height} pixels at {box.left},{box.top} are grey"
            click.echo(f"{job.source}: {place} ({damage.error})", err=True)

        return on_damage

    def work(job: Job) -> dict[str, Any]:
        _suffix(job.target)
        began, before = time.perf_counter(), len(damaged)
        with opened(job.source) as data:
            header = read_header(data)
            codec = load(find_by_digest(header.model, model).folder, device)
            with progress.bar("decompressing", header.width * header.height > LARGE and not plan.many) as report:
                pixels = codec.decode_pixels(data, region, tell(job) if recover else None, report)
            size = len(data)
        write(job, lambda file: _save(pixels, job, file), force)
        return {
            "input": str(job.source),
            "output": str(job.target),
            "width": pixels.width,
            "height": pixels.height,
            "bytes": size,
            "bpp": 8 * size / (header.width * header.height),
            "damaged_tiles": [damage.tile for damage in damaged[before:]],
            "seconds": time.perf_counter() - began,
        }

    run(plan, work, summary, as_json)
    if damaged:
        sys.exit(DAMAGED)


def _restored_name(path: Path, beside: bool) -> Path:
    """NAME.png, or NAME.decoded.png where that would be the original."""
    plain = path.with_suffix(".png")
    return path.with_suffix(".decoded.png") if beside and plain.exists() else plain


def _suffix(target: Path) -> str:
    """The suffix that names the kind of file, .png for standard output; raises OutputError for unknown ones."""
    from latticecodec import OutputError
    from latticecodec.picture import kind_of

    suffix = ".png" if target == STANDARD else target.suffix
    try:
        kind_of(suffix)
    except OutputError as error:
        raise OutputError(f"{target}: {error}") from None
    return suffix


def _save(pixels: Any, job: Job, file: IO[bytes]) -> None:
    """Write Pixels to an open file, in the format that the target's suffix names; say what it cannot hold."""
    from latticecodec import OutputError
    from latticecodec.picture import save

    try:
        notes = save(pixels, _suffix(job.target), file)
    except OutputError as error:
        raise OutputError(f"{job.target}: {error}") from None
    for note in notes:
        click.echo(f"{job.target}: {note}", err=True)

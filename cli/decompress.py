"""lcodec decompress"""

import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from latticecodec.container import PIXELS_MAX

from . import options, progress
from .compress import LARGE, summary
from .files import STANDARD, Job, make_plan, opened, run, write

if TYPE_CHECKING:
    from latticecodec import Damage

DAMAGED = 3  # exit status where --recover had to fill in or to leave out


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
@click.option(
    "--region",
    metavar="X,Y,W,H",
    callback=_region,
    help="Decode this rectangle of pixels alone. It is counted in the stored picture, before EXIF orientation.",
)
@click.option(
    "--recover",
    is_flag=True,
    help="Fill damaged tiles with grey, leave out bytes behind the end, say where, and exit with 3. Pixels around a "
    "damaged tile are off as well: visibly up to some 20 pixels from it, at most 96 with the models that ship.",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(1),
    default=PIXELS_MAX,
    show_default=True,
    metavar="N",
    help="Refuse pictures of more pixels, also where --region asks for a part.",
)
@options.decoding_model
@options.device
@options.force
@options.as_json
def decompress(
    inputs: tuple[str, ...],
    output: str | None,
    region: tuple[int, int, int, int] | None,
    recover: bool,
    max_pixels: int,
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
    from latticecodec import load
    from latticecodec.container import Reader

    beside = output is None
    plan = make_plan(inputs, output, {".lcq"}, lambda path: _restored_name(path, beside), force)
    incomplete: list[str] = []

    def work(job: Job) -> dict[str, Any]:
        _suffix(job.target)
        began = time.perf_counter()
        damaged: list[Damage] = []
        with opened(job.source) as data:
            reader, size = Reader(data, max_pixels), len(data)
            header = reader.header
            codec = load(options.find_decoding_model(header.model, model).folder, device)
            with progress.bar("decompressing", header.width * header.height > LARGE and not plan.many) as report:
                on_damage = damaged.append if recover else None
                pixels = codec.decode_pixels(data, region, on_damage, report, max_pixels)
        excess = max(0, size - reader.length)
        told = [_told(damage) for damage in damaged]
        if excess:
            told.append(f"{excess:,} bytes behind the end of the file, from byte {reader.length:,} on, are left out")
        for line in told:
            click.echo(f"{job.source}: {line}", err=True)
        incomplete.extend(told)
        write(job, lambda file: _save(pixels, job, file), force)
        return {
            "input": str(job.source),
            "output": str(job.target),
            "width": pixels.width,
            "height": pixels.height,
            "bytes": size,
            "bpp": 8 * size / (header.width * header.height),
            "damaged_tiles": [damage.tile for damage in damaged],
            "excess_bytes": excess,
            "seconds": time.perf_counter() - began,
        }

    run(plan, work, summary, as_json)
    if incomplete:
        sys.exit(DAMAGED)


def _told(damage: "Damage") -> str:
    """What a damaged tile means for the pixels that were asked for."""
    box = damage.inside or damage.box
    place = f"{box.width}x{box.height} pixels at {box.left},{box.top} of the picture"
    if damage.inside is None:
        return f"{place} are damaged; they are not in the region, but its pixels near them may be off ({damage.error})"
    return f"{place} are grey, and pixels near them may be off ({damage.error})"


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

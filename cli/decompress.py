"""lcodec decompress"""

import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from . import options, progress
from .batch import Outcome, Work, run, summary
from .files import Job, Writing, make_plan, write
from .inputs import STANDARD, Place, called, mapped, name_of
from .messages import amount
from .pipeline import Steps

if TYPE_CHECKING:
    from latticecodec import Damage, Header
    from latticecodec.picture import Pixels

DAMAGED = 3  # exit status where --recover had to fill in or to leave out


@dataclass(frozen=True)
class Restoration:
    """What was asked for, of every file alike."""

    region: tuple[int, int, int, int] | None
    recover: bool
    max_pixels: int
    model: str | None
    device: str
    alone: bool  # a single file, which may show a progress bar
    writing: Writing


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
@click.argument("inputs", nargs=-1, required=True, type=options.FILES)
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
@options.max_pixels
@options.decoding_model
@options.device
@options.jobs
@options.keep_times
@options.skip_existing
@options.force
@options.json_of_files
def decompress(
    inputs: tuple[str, ...],
    output: str | None,
    region: tuple[int, int, int, int] | None,
    recover: bool,
    max_pixels: int,
    model: str | None,
    device: str,
    jobs: int,
    keep_times: bool,
    skip_existing: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Restore pictures from .lcq files.

    INPUTS are .lcq files, folders of them (mirrored into -o) or - for standard input. Without -o, NAME.lcq becomes
    NAME.png beside it, or NAME.decoded.png where NAME.png exists (with --skip-existing nothing then). NAME.jpg.lcq
    becomes NAME.jpg.png, and NAME.png.lcq becomes NAME.png. Files that fail do not stop the others.

    \b
    lcodec decompress photo.lcq                   writes photo.png
    lcodec decompress packed/ -o restored/
    lcodec decompress large.lcq -o eye.png --region 3200,1800,400,300
    """
    writing = options.writing(force, skip_existing, keep_times)
    beside = output is None and not skip_existing
    plan = make_plan(inputs, output, {".lcq"}, lambda path: _restored_name(path, beside), writing, "rename one")
    asked = Restoration(region, recover, max_pixels, model, device, not plan.many, writing)
    steps = Steps(_looked_at, partial(_decoded, asked), partial(_written, asked))
    work = Work(steps, "decompressed", writing=writing, processes=jobs)
    reports = run(plan, work, as_json)
    if any(report.get("damaged_tiles") or report.get("excess_bytes") for report in reports):
        sys.exit(DAMAGED)


@dataclass(frozen=True)
class Decoded:
    """A picture that is decoded and not written yet."""

    pixels: "Pixels"
    header: "Header"
    file_bytes: int  # of the file that it came from
    excess: int  # of them behind the end
    damaged: tuple["Damage", ...]
    seconds: float  # that it took so far


def _looked_at(job: Job) -> None:
    """Refuse a kind of file that is not written; the input is mapped, and read as it is decoded."""
    _suffix(job.target)


def _decoded(asked: Restoration, job: Job, _: None) -> Decoded:
    """Decode a file."""
    from latticecodec import FormatError
    from latticecodec.codec import pixels_of
    from latticecodec.container import Reader
    from latticecodec.zoo import model_for

    began = time.perf_counter()
    damaged: list[Damage] = []
    with mapped(job.source) as data:
        reader, size = Reader(data, asked.max_pixels), len(data)
        header = reader.header
        found = time.perf_counter()
        model = model_for(header, asked.model, asked.device)
        began += time.perf_counter() - found  # done once for many files, and no part of the work on this one
        slow = header.width * header.height > progress.LARGE
        with progress.bar("decompressing", slow and asked.alone) as report:
            on_damage = damaged.append if asked.recover else None
            try:
                pixels = pixels_of(model, reader, asked.region, on_damage, report)
            except FormatError as error:
                if asked.recover or header.tiles == 1:
                    raise
                raise FormatError(f"{error}; --recover restores what is whole") from None
    excess = max(0, size - reader.length)
    return Decoded(pixels, header, size, excess, tuple(damaged), time.perf_counter() - began)


def _written(asked: Restoration, job: Job, decoded: Decoded) -> Outcome:
    """Write a decoded picture; what came of the file."""
    began, pixels, header, size = time.perf_counter(), decoded.pixels, decoded.header, decoded.file_bytes
    told = [_told(damage) for damage in decoded.damaged]
    if decoded.excess:
        end = size - decoded.excess
        told.append(f"{amount(decoded.excess, 'byte')} behind the end of the file, from byte {end:,} on: left out")
    lost: list[str] = []
    write(job, lambda file: lost.extend(_save(pixels, job.target, file)), asked.writing)
    seconds = decoded.seconds + time.perf_counter() - began
    facts = {
        "input": name_of(job.source),
        "output": name_of(job.target),
        "width": pixels.width,
        "height": pixels.height,
        "bytes": size,
        "bpp": 8 * size / (header.width * header.height),
        "damaged_tiles": [damage.tile for damage in decoded.damaged],
        "excess_bytes": decoded.excess,
        "notes": [*told, *lost],
        "seconds": seconds,
    }
    notes = [f"{called(job.source)}: {line}" for line in told] + [f"{name_of(job.target)}: {line}" for line in lost]
    return Outcome(facts, summary(facts), tuple(notes))


def _told(damage: "Damage") -> str:
    """What a damaged tile means for the pixels that were asked for."""
    box = damage.inside or damage.box
    place = f"{box.width}x{box.height} pixels at {box.left},{box.top} of the picture"
    if damage.inside is None:
        return f"{place} are damaged; they are not in the region, but its pixels near them may be off ({damage.error})"
    return f"{place} are grey, and pixels near them may be off ({damage.error})"


def _restored_name(path: Path, beside: bool) -> Path:
    """NAME.png, or NAME.decoded.png where that would be the original."""
    stem = path.with_suffix("")
    plain = stem if stem.suffix.lower() == ".png" else stem.with_name(f"{stem.name}.png")
    return plain.with_suffix(".decoded.png") if beside and plain.exists() else plain


def _suffix(target: Place) -> str:
    """The suffix that names the kind of file, .png for standard output; raises OutputError for unknown ones."""
    from latticecodec import OutputError
    from latticecodec.picture import kind_of

    suffix = ".png" if target is STANDARD else target.suffix
    try:
        kind_of(suffix)
    except OutputError as error:
        raise OutputError(f"{name_of(target)}: {error}") from None
    return suffix


def _save(pixels: "Pixels", target: Place, file: IO[bytes]) -> list[str]:
    """Write a picture to an open file, in the format that the target's suffix names; what that cannot hold."""
    from latticecodec import OutputError
    from latticecodec.picture import save

    try:
        return save(pixels, _suffix(target), file)
    except OutputError as error:
        raise OutputError(f"{name_of(target)}: {error}") from None

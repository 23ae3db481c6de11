"""lcodec compress"""

import io
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from latticecodec.config import DEFAULT_EFFORT, DEFAULT_QUALITY, EFFORTS, TILE, TUNES, WHOLE_MAX
from latticecodec.container import SIZE_MAX, TILE_UNIT

from . import options, progress
from .batch import Outcome, Work, run, summary
from .encode_options import encode_options
from .files import Job, Writing, exists, make_plan, write
from .inputs import STANDARD, Place, called, name_of, read
from .pipeline import Steps

if TYPE_CHECKING:
    from latticecodec.codec import EncodeOptions, Encoding
    from latticecodec.picture import Pixels

QUALITY_NOTE = 0.05  # a rate on offer farther than this from the quality asked for is reported


@dataclass(frozen=True)
class Compression:
    """What was asked for, of every file alike."""

    options: "EncodeOptions"
    quality: float | None  # None where it was left to the options
    model: str | None
    strip: str | None
    device: str
    alone: bool  # a single file, which may show a progress bar
    writing: Writing


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=options.FILES)
@click.option(
    "-o", "--output", metavar="PATH", help="File to write; a folder for several inputs; - for standard output."
)
@click.option(
    "-q",
    "--quality",
    type=options.Number(0, 100),
    help=f"0 (smallest) to 100 (best), any number. [default: {DEFAULT_QUALITY:g}]",
)
@click.option(
    "--bpp",
    type=options.Number(0, min_open=True),
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
    type=options.Number(0, min_open=True),
    metavar="DB",
    help="Aim at this PSNR; quality 0 where even that has more.",
)
@click.option(
    "--lossless",
    is_flag=True,
    help="Keep every pixel as it is, at any size, without --model, --effort and --tune; the file decodes without a "
    "model. [default: only what is smaller so]",
)
@click.option(
    "--model",
    metavar="NAME|DIR",
    help="Model to compress with. [default: the newest lattice, as trained for --tune]",
)
@click.option(
    "--effort",
    type=click.IntRange(EFFORTS[0], EFFORTS[-1]),
    default=DEFAULT_EFFORT,
    show_default=True,
    help="Time for bits: 0 is fastest, 1 takes three to five times as long, 3 about ten times, 9 some 60; above 3 that "
    "pays for --tune ms-ssim alone. All decode alike.",
)
@click.option(
    "--tune",
    type=click.Choice(TUNES),
    help="What to spend the bits for: the least squared error, MS-SSIM, or SSIMULACRA2, which are nearer to what eyes "
    "notice; takes the model that was trained for it, where there is one. [default: ssimulacra2, "
    "psnr with --psnr, and what a model that is named was trained for]",
)
@click.option(
    "--tile",
    type=click.IntRange(0, SIZE_MAX - SIZE_MAX % TILE_UNIT),
    metavar="N",
    help=f"Side of the tiles, a multiple of {TILE_UNIT} pixels; 0 for one tile. "
    f"[default: {TILE} above {WHOLE_MAX >> 20} megapixels]",
)
@click.option(
    "--strip",
    type=click.Choice(["all", "gps"]),
    help="Leave out EXIF and XMP, or the place of the picture in both. The ICC profile stays; without EXIF the picture "
    "is turned upright. [default: keep everything]",
)
@click.option("--embed-basis", is_flag=True, help="Write the whole lattice basis into the file.")
@click.option("--keep-suffix", is_flag=True, help="Name outputs NAME.png.lcq, so that NAME.jpg has one of its own.")
@options.device
@options.jobs
@options.keep_times
@options.skip_existing
@options.force
@options.json_of_files
def compress(
    inputs: tuple[str, ...],
    output: str | None,
    model: str | None,
    strip: str | None,
    keep_suffix: bool,
    device: str,
    jobs: int,
    keep_times: bool,
    skip_existing: bool,
    force: bool,
    as_json: bool,
    **encoding: Any,
) -> None:
    """Compress pictures to .lcq files.

    INPUTS are image files, folders (searched for images, mirrored into -o) or - for standard input. Without -o,
    NAME.png becomes NAME.lcq beside it, or NAME.png.lcq with --keep-suffix. What a folder holds besides images is
    counted in the last line. Files that fail do not stop the others.

    \b
    lcodec compress photo.png                     writes photo.lcq
    lcodec compress photo.png -o small.lcq --size 40000
    lcodec compress holiday/ -o packed/ -q 30 --jobs 4
    lcodec compress photo.png --effort 3          smaller, in two to three times the time
    lcodec compress photo.png --lossless          every pixel as it is

    Text, drawings and screens are stored without the networks where that takes fewer bits for what it gives: exactly at
    quality 100, in fewer colours below it where that pays. lcodec info says what part is.

    Grey and RGB, with or without alpha, with 8 or 16 bits a sample; alpha is kept without loss, and so are ICC profile,
    code points of colours, EXIF and XMP; colours that alpha hides wholly are with --lossless alone. JPEG, PNG, TIFF,
    WebP, AVIF, GIF, BMP, PPM, JPEG 2000, ICO, PSD and QOI are read, HEIC and JPEG XL with the extras heif and jxl.
    """
    from latticecodec.picture import IMAGE_SUFFIXES

    asked_for = encode_options(model, **encoding)
    writing = options.writing(force, skip_existing, keep_times)
    rename, advice = (_with_suffix, "rename one") if keep_suffix else (_packed_name, "--keep-suffix keeps them apart")
    plan = make_plan(inputs, output, IMAGE_SUFFIXES, rename, writing, advice)
    if plan.jobs and not (skip_existing and all(map(exists, plan.jobs))):
        from latticecodec.codec import check
        from latticecodec.zoo import model_to_encode

        check(model_to_encode(asked_for, model, device), asked_for)  # refused before any work; the model is kept
    asked = Compression(asked_for, encoding["quality"], model, strip, device, not plan.many, writing)
    steps = Steps(partial(_read, asked), partial(_coded, asked), partial(_written, asked))
    run(plan, Work(steps, "compressed", writing=writing, processes=jobs), as_json)


def _packed_name(path: Path) -> Path:
    return path.with_suffix(".lcq")


def _with_suffix(path: Path) -> Path:
    return path.with_name(f"{path.name}.lcq")


def _check_name(target: Place) -> None:
    """Raise OutputError for an output that is named as a picture of another kind, which no program would open."""
    from latticecodec import OutputError
    from latticecodec.picture import IMAGE_SUFFIXES

    if target is not STANDARD and target.suffix.lower() in IMAGE_SUFFIXES:
        told = f"cannot write {target.suffix}, only .lcq; name it {target.with_suffix('.lcq').name}"
        raise OutputError(f"{name_of(target)}: {told}")


@dataclass(frozen=True)
class Coded:
    """A picture that is compressed and not written yet."""

    encoding: "Encoding"
    model: str | None  # None where the file names none
    notes: tuple[str, ...]
    seconds: float  # that it took so far


def _read(asked: Compression, job: Job) -> tuple["Pixels", float]:
    """The picture in a file, and how long it took."""
    from latticecodec.picture import stripped

    _check_name(job.target)
    began = time.perf_counter()
    picture = stripped(_picture(job.source), asked.strip)
    return picture, time.perf_counter() - began


def _coded(asked: Compression, job: Job, read: tuple["Pixels", float]) -> Coded:
    """Compress a picture."""
    from latticecodec.codec import encoded
    from latticecodec.zoo import model_to_encode

    source, seconds = read
    wanted = asked.options
    model = model_to_encode(wanted, asked.model, asked.device)
    began = time.perf_counter()
    slow = wanted.effort > 1 or source.width * source.height > progress.LARGE
    with progress.bar("compressing", slow and asked.alone) as report:
        result = encoded(model, source, wanted, report)
    seconds += time.perf_counter() - began
    if model is None or not result.header.names_model:
        return Coded(result, None, source.notes, seconds)
    notes = []
    if wanted.effort > max(model.kind.efforts, 1):
        notes.append(f"{model.config.name} encodes the same at every effort")
    if asked.quality is not None and abs(result.quality - asked.quality) > QUALITY_NOTE:
        offer = f"{model.config.name} offers no quality {asked.quality:g}; the nearest, {result.quality:.1f}, was used"
        notes.append(offer)
    return Coded(result, model.config.name, (*notes, *source.notes), seconds)


def _written(asked: Compression, job: Job, coded: Coded) -> Outcome:
    """Write a compressed picture; what came of the file."""
    from latticecodec import read_header

    began, result = time.perf_counter(), coded.encoding
    write(job, lambda file: file.write(result.data), asked.writing)
    seconds = coded.seconds + time.perf_counter() - began
    header, name = read_header(result.data), called(job.source)
    facts = {
        "input": name_of(job.source),
        "output": name_of(job.target),
        "width": header.width,
        "height": header.height,
        "bytes": len(result.data),
        "bpp": 8 * len(result.data) / (header.width * header.height),
        "quality": header.quality,
        "stored": round(header.squares.share, 5),
        "effort": asked.options.effort if coded.model else None,
        "tune": header.tune if coded.model else None,
        "tiles": header.tiles,
        "estimated_bits": result.estimated_bits,
        "indices_sha256": result.indices_sha256,
        "model": coded.model,
        "note": result.note or None,  # which is the first of `notes` as well
        "notes": [*filter(None, [result.note]), *coded.notes],
        "seconds": seconds,
    }
    return Outcome(facts, summary(facts), tuple(f"{name}: {text}" for text in coded.notes))


def _picture(source: Place) -> "Pixels":
    """The picture in a file, or in standard input."""
    from latticecodec import picture

    if source is STANDARD:
        return picture.read_file(io.BytesIO(read(source)), called(source))
    return picture.read(name_of(source))

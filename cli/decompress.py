"""lcodec decompress"""

import time
from pathlib import Path
from typing import IO, Any

import click

from . import options
from .compress import summary
from .files import STANDARD, Job, make_plan, read, run, write


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True))
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="Image to write (type by suffix); a folder for several; - for standard output.",
)
@options.decoding_model
@options.device
@options.force
@options.as_json
def decompress(
    inputs: tuple[str, ...], output: str | None, model: str | None, device: str, force: bool, as_json: bool
) -> None:
    """Restore pictures from .lcq files.

    INPUTS are .lcq files, folders of them (mirrored into -o) or - for standard input. Without -o, NAME.lcq becomes
    NAME.png beside it, or NAME.decoded.png where NAME.png exists.

    \b
    lcodec decompress photo.lcq                   writes photo.png
    lcodec decompress packed/ -o restored/
    """
    from latticecodec import decode
    from latticecodec.picture import read as read_picture

    beside = output is None
    plan = make_plan(inputs, output, {".lcq"}, lambda path: _restored_name(path, beside), force)

    def work(job: Job) -> dict[str, Any]:
        _suffix(job.target)
        began = time.perf_counter()
        data = read(job.source)
        picture = read_picture(decode(data, model, device))
        write(job, lambda file: _save(picture, job, file), force)
        return {
            "input": str(job.source),
            "output": str(job.target),
            "width": picture.width,
            "height": picture.height,
            "bytes": len(data),
            "bpp": 8 * len(data) / (picture.width * picture.height),
            "seconds": time.perf_counter() - began,
        }

    run(plan, work, summary, as_json)


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

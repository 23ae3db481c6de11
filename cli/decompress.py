"""lcodec decompress"""

import time
from pathlib import Path
from typing import IO, Any

import click

from . import options
from .compress import summary
from .files import STANDARD, Job, make_plan, read, run, write

WRITERS: dict[str, tuple[str, dict[str, Any]]] = {  # suffix to Pillow's format and options
    ".png": ("PNG", {}),
    ".tif": ("TIFF", {"compression": "tiff_deflate"}),
    ".tiff": ("TIFF", {"compression": "tiff_deflate"}),
    ".bmp": ("BMP", {}),
    ".ppm": ("PPM", {}),
    ".webp": ("WEBP", {"lossless": True}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": "4:4:4"}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": "4:4:4"}),
}


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

    beside = output is None
    plan = make_plan(inputs, output, {".lcq"}, lambda path: _restored_name(path, beside), force)

    def work(job: Job) -> dict[str, Any]:
        _writer(job.target)
        began = time.perf_counter()
        data = read(job.source)
        picture = decode(data, model, device)
        write(job, lambda file: _save(picture, job.target, file), force)
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


def _writer(target: Path) -> tuple[str, dict[str, Any]]:
    """Pillow's name of the format that the target's suffix names, and its options; PNG for standard output."""
    from latticecodec import OutputError

    suffix = ".png" if target == STANDARD else target.suffix.lower()
    if suffix not in WRITERS:
        raise OutputError(f"{target}: cannot write {suffix or 'a file without suffix'}; try {', '.join(WRITERS)}")
    return WRITERS[suffix]


def _save(picture: Any, target: Path, file: IO[bytes]) -> None:
    """Write a PIL image to an open file, in the format that the target's suffix names."""
    from latticecodec import OutputError

    kind, settings = _writer(target)
    try:
        picture.save(file, kind, **settings)
    except ValueError as error:
        raise OutputError(f"{target}: {error}") from None

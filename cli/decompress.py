"""lcodec decompress"""

import io
import time
from pathlib import Path
from typing import Any

import click

from . import options
from .compress import summary
from .files import STANDARD, Job, check_target, plan, read, run, write


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
    jobs = plan(inputs, output, {".lcq"}, lambda path: _restored_name(path, beside))
    for job in jobs if len(jobs) == 1 else []:
        check_target(job.target, force)

    def work(job: Job) -> dict[str, Any]:
        check_target(job.target, force)
        began = time.perf_counter()
        data = read(job.source)
        picture = decode(data, model, device)
        write(job.target, _image_bytes(picture, job.target), force)
        return {
            "input": str(job.source),
            "output": str(job.target),
            "width": picture.width,
            "height": picture.height,
            "bytes": len(data),
            "bpp": 8 * len(data) / (picture.width * picture.height),
            "seconds": time.perf_counter() - began,
        }

    run(jobs, work, summary, as_json)


def _restored_name(path: Path, beside: bool) -> Path:
    """NAME.png, or NAME.decoded.png where that would be the original."""
    plain = path.with_suffix(".png")
    return path.with_suffix(".decoded.png") if beside and plain.exists() else plain


def _image_bytes(picture: Any, target: Path) -> bytes:
    """Encode a PIL image in the format that the target's suffix names; PNG for standard output."""
    from PIL import Image

    from latticecodec import OutputError

    suffix = ".png" if target == STANDARD else target.suffix.lower()
    kind = Image.registered_extensions().get(suffix)
    if kind is None or kind not in Image.SAVE:
        raise OutputError(f"{target}: no image format has the suffix {suffix or '(none)'}; try .png")
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()

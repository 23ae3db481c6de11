"""lcodec verify"""

from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import click

from . import options
from .batch import Outcome, Work, run
from .files import Job, look
from .inputs import name_of, read
from .messages import on_one_line

if TYPE_CHECKING:
    from latticecodec import Codec
    from latticecodec.entropy.coder import Int32


@click.command()
@click.argument("files", nargs=-1, required=True, type=options.FILES)
@options.decoding_model
@options.device
@options.json_of_files
def verify(files: tuple[str, ...], model: str | None, device: str, as_json: bool) -> None:
    """Check .lcq FILES: every checksum, that their indices decode to what the encoder had, and that pixels which are
    stored without the networks can be had. What is ok here decompresses. Draws no picture.

    FILES are .lcq files, folders of them or - for standard input. Of a damaged file it names every tile that is not
    whole, and exits with 1. Of a file of an adaptive model it also tells how often each codebook was used.
    """
    work = Work(partial(_checked, model, device), "verified", subject="file", failure={"ok": False})
    run(look(files), work, as_json)


def _checked(model: str | None, device: str, job: Job) -> Outcome:
    """Check a file."""
    from latticecodec import load, read_header
    from latticecodec.zoo import find_by_digest

    data = read(job.source)
    header = read_header(data)
    found = find_by_digest(header.model, model) if header.names_model else None
    indices = _indices(None if found is None else load(found.folder, device), data)
    from latticecodec.codec import indices_sha256

    facts = {
        "file": name_of(job.source),
        "bytes": len(data),
        "model": None if found is None else found.name,
        "stored": round(header.squares.share, 5),
        "indices_shape": list(indices.shape),
        "indices_sha256": indices_sha256(indices),
        "ok": True,
    }
    books = () if found is None else found.config.books  # of adaptive models
    shares = [float((indices[0] == book).mean()) for book in range(len(books))]
    if books:
        facts["codebook_shares"] = [round(share, 5) for share in shares]
    shape = " x ".join(str(side) for side in indices.shape)
    lines = [
        f"{on_one_line(name_of(job.source))}: ok, {len(data):,} bytes, "
        + (f"model {found.name}, indices {shape}" if found else "no model needed"),
        f"indices_sha256 {facts['indices_sha256']}",
    ]
    if header.exact is not None:
        lines.append(f"stored without networks: {100 * header.squares.share:.1f} % of pixels")
    for codes, share in zip(books, shares, strict=True):
        entries = books[0] // codes
        width = f"{entries} {'entry' if entries == 1 else 'entries'}"
        lines.append(f"codebook of {codes} codewords with {width}: {100 * share:.1f} % of positions")
    return Outcome(facts, "\n".join(lines))


def _indices(codec: "Codec | None", data: bytes) -> "Int32":
    """The index tensor of a file; raises FormatError that tells of all its damage."""
    from latticecodec import Damage, FormatError
    from latticecodec.codec import indices_of
    from latticecodec.container import Reader

    reader = Reader(data)
    damaged: list[Damage] = []
    indices = indices_of(None if codec is None else codec.model, reader, damaged.append, stored=True)
    told = []
    try:
        reader.check_length()
    except FormatError as error:
        told.append(str(error))
    if damaged:
        numbers, tiles = [damage.tile for damage in damaged], reader.header.tiles
        told.append(f"damaged tiles, of {tiles:,}: {_ranges(numbers)} ({damaged[0].error})")
        if len(damaged) < tiles:
            told.append("lcodec decompress --recover restores the others")
    if told:
        raise FormatError("; ".join(told))
    return indices


def _ranges(numbers: list[int]) -> str:
    """Ascending numbers as text: 0, 1, 2, 7 is "0-2, 7"."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)

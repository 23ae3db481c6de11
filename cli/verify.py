"""lcodec verify"""

import json
from pathlib import Path

import click

from . import options
from .files import read


@click.command()
@click.argument("file", type=click.Path(exists=True, allow_dash=True))
@options.decoding_model
@options.device
@options.as_json
def verify(file: str, model: str | None, device: str, as_json: bool) -> None:
    """Check an .lcq FILE: every checksum, and that its indices decode to what the encoder had. Draws no picture.

    Of a file of an adaptive model it also tells how often each codebook was used.
    """
    from latticecodec import load, read_header
    from latticecodec.zoo import find_by_digest

    data = read(Path(file))
    found = find_by_digest(read_header(data).model, model)
    indices = load(found.folder, device).decode_indices(data)
    from latticecodec.codec import indices_sha256

    facts = {
        "file": file,
        "bytes": len(data),
        "model": found.name,
        "indices_shape": list(indices.shape),
        "indices_sha256": indices_sha256(indices),
        "ok": True,
    }
    books = found.config.books  # of adaptive models
    shares = [float((indices[0] == book).mean()) for book in range(len(books))]
    if books:
        facts["codebook_shares"] = [round(share, 5) for share in shares]
    if as_json:
        click.echo(json.dumps(facts))
        return
    shape = " x ".join(str(side) for side in indices.shape)
    click.echo(f"{file}: ok, {len(data):,} bytes, model {found.name}, indices {shape}")
    click.echo(f"indices_sha256 {facts['indices_sha256']}")
    for codes, share in zip(books, shares, strict=True):
        click.echo(f"codebook of {codes} codewords with {books[0] // codes} entries: {100 * share:.1f} % of positions")

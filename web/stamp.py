"""Gives the page's service worker a version: `python web/stamp.py DIST` writes a digest of the page's files into it.

A browser that has the page takes a service worker for a new one where its own bytes are others, and only a new one
drops what the page does not have any more. So these change with any file of the page, those of models apart, which
are named by what is in them.
"""

import hashlib
from pathlib import Path

import click

WORKER = "service-worker.js"
VERSION = "// version "  # how the last line begins
MODELS = (".onnx", ".safetensors")  # suffixes


def version(dist: Path) -> str:
    """SHA-256 of the names and contents of a page's files, in hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(dist.rglob("*")):
        if path.is_file() and path.suffix not in MODELS and path.name != WORKER:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(dist).as_posix()} {content}\n".encode())
    return digest.hexdigest()


@click.command()
@click.argument("dist", type=click.Path(path_type=Path, file_okay=False, exists=True))
def main(dist: Path) -> None:
    """Write the version of the page in the folder DIST into its service worker, in place of one that is there."""
    worker = dist / WORKER
    if not worker.is_file():
        raise click.ClickException(f"{worker}: is not there; `make web` fills such a folder")
    text = worker.read_text(encoding="utf-8").partition(VERSION)[0]
    worker.write_text(f"{text}{VERSION}{version(dist)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()

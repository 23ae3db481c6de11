"""Inputs to jobs, jobs to outputs: folders, `-`, names, atomic writes, progress, one line an error."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from latticecodec import LcqError, OutputError

STANDARD = Path("-")  # standard input or output


@dataclass(frozen=True)
class Job:
    """One file to read and one to write."""

    source: Path
    target: Path


def read(source: Path) -> bytes:
    """The bytes of a file, or of standard input."""
    return sys.stdin.buffer.read() if source == STANDARD else source.read_bytes()


def plan(inputs: Iterable[str], output: str | None, suffixes: set[str], rename: Callable[[Path], Path]) -> list[Job]:
    """What to read and where to write it.

    Args:
        inputs: files, folders or `-`.
        output: value of -o: a file for one input file, a folder for several or for a folder, or `-`.
        suffixes: files that are picked from a folder.
        rename: source path to target path, used without -o and inside a folder.

    Raises OutputError where outputs would collide or cannot be placed.
    """
    sources = [Path(item) for item in inputs]
    many = len(sources) > 1 or any(path.is_dir() for path in sources)
    if not many:
        return [Job(sources[0], _single_target(sources[0], output, rename))]
    if output == "-" or STANDARD in sources:
        raise OutputError("standard input and output (-) take one file at a time")
    if output is not None and Path(output).exists() and not Path(output).is_dir():
        raise OutputError(f"{output}: is a file; with several inputs -o takes a folder")
    jobs = []
    for source in sources:
        files = sorted(p for p in source.rglob("*") if p.suffix.lower() in suffixes) if source.is_dir() else [source]
        if not files:
            raise LcqError(f"{source}: holds no files to work on ({', '.join(sorted(suffixes))})")
        root = source if source.is_dir() else source.parent
        for file in files:
            inside = rename(file)
            jobs.append(Job(file, inside if output is None else Path(output) / inside.relative_to(root)))
    _refuse_collisions(jobs)
    if output is not None:
        if not Path(output).absolute().parent.is_dir():
            raise OutputError(f"{output}: the folder above it does not exist")
        for job in jobs:
            job.target.parent.mkdir(parents=True, exist_ok=True)
    return jobs


def _single_target(source: Path, output: str | None, rename: Callable[[Path], Path]) -> Path:
    if output is None:
        return STANDARD if source == STANDARD else rename(source)
    if output != "-" and Path(output).is_dir():
        if source == STANDARD:
            raise OutputError(f"{output}: is a folder; name the file when reading standard input")
        return Path(output) / rename(source).name
    return Path(output)


def _refuse_collisions(jobs: list[Job]) -> None:
    seen: dict[Path, Path] = {}
    for job in jobs:
        if job.target in seen:
            raise OutputError(f"{job.source} and {seen[job.target]} would both become {job.target}; rename one")
        seen[job.target] = job.source


def check_target(target: Path, force: bool) -> None:
    """Raise OutputError before any work is done for an output that cannot be written."""
    if target == STANDARD:
        return
    if not target.absolute().parent.is_dir():
        raise OutputError(f"{target}: the folder {target.parent} does not exist")
    if target.is_dir():
        raise OutputError(f"{target}: is a folder")
    if target.exists() and not force:
        raise OutputError(f"{target}: exists already; --force overwrites it")


def write(target: Path, data: bytes, force: bool) -> None:
    """Write a whole file or nothing: to a temporary file beside it, then renamed."""
    if target == STANDARD:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.absolute().parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, 0o666 & ~_umask())
        check_target(target, force)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def run(
    jobs: list[Job], work: Callable[[Job], dict[str, Any]], line: Callable[[dict[str, Any]], str], as_json: bool
) -> None:
    """Do every job; print a line each (or JSON), a progress bar for several, errors as one line; exit 1 after any."""
    import json

    to_stdout = any(job.target == STANDARD for job in jobs)
    if as_json and to_stdout:
        raise OutputError("--json and -o - both write to standard output; choose one")
    if len(jobs) == 1:
        report = work(jobs[0])
        click.echo(json.dumps(report) if as_json else line(report), err=to_stdout)
        return
    reports: list[dict[str, Any]] = []
    failed = 0
    with click.progressbar(jobs, label=f"{len(jobs)} files", file=sys.stderr) as bar:
        for job in bar:
            try:
                reports.append(work(job))
                if not as_json:
                    click.echo(line(reports[-1]))
            except (LcqError, OSError) as error:
                failed += 1
                reports.append({"input": str(job.source), "error": str(error)})
                click.echo(f"Error: {error}", err=True)
    if as_json:
        click.echo(json.dumps(reports, indent=2))
    if failed:
        raise LcqError(f"{failed} of {len(jobs)} files failed")

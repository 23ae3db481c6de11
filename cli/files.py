"""Inputs to jobs, jobs to outputs: folders, `-`, names, progress, one line an error."""

import json
import mmap
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from latticecodec import LcqError, OutputError

from . import atomic

STANDARD = Path("-")  # standard input or output
EXISTS = "{}: exists already; --force overwrites it"
EXPECTED = (LcqError, OSError, MemoryError)  # what bad input or a full machine can raise


@dataclass(frozen=True)
class Job:
    """One file to read and one to write."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Plan:
    """What a command was asked to do."""

    jobs: list[Job]
    many: bool  # several inputs or a folder: progress bar, errors do not stop the others, JSON is a list
    force: bool  # overwrite


def one_line(error: BaseException) -> str:
    """The message of an error, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def read(source: Path) -> bytes:
    """The bytes of a file, or of standard input."""
    return sys.stdin.buffer.read() if source == STANDARD else source.read_bytes()


@contextmanager
def opened(source: Path) -> Iterator[bytes | mmap.mmap]:
    """A file, mapped into memory so that only what is looked at is read; standard input as bytes."""
    if source == STANDARD or not source.is_file() or not source.stat().st_size:
        yield read(source)
        return
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        yield mapped


@contextmanager
def named(source: Path) -> Iterator[None]:
    """Errors of the library name the file they are about."""
    try:
        yield
    except LcqError as error:
        raise LcqError(f"{_called(source)}: {error}") from None


def _called(source: Path) -> str:
    """What an input is called in messages."""
    return "standard input" if source == STANDARD else str(source)


def make_plan(
    inputs: Iterable[str], output: str | None, suffixes: Set[str], rename: Callable[[Path], Path], force: bool
) -> Plan:
    """What to read and where to write it.

    Args:
        inputs: files, folders or `-`.
        output: value of -o: a file for one input file, a folder for several or for a folder, or `-`.
        suffixes: files that are picked from a folder.
        rename: source path to target path, used without -o and inside a folder.
        force: overwrite outputs that exist.

    Raises OutputError where outputs would collide or cannot be placed.
    """
    sources = [Path(item) for item in inputs]
    if len(sources) == 1 and not sources[0].is_dir():
        job = Job(sources[0], _single_target(sources[0], output, rename))
        check(job, force)
        return Plan([job], many=False, force=force)
    if output == "-" or STANDARD in sources:
        raise OutputError("standard input and output (-) take one file at a time")
    if output is not None and Path(output).exists() and not Path(output).is_dir():
        raise OutputError(f"{output}: is a file; with several inputs -o takes a folder")
    if output is not None and not Path(output).absolute().parent.is_dir():
        raise OutputError(f"{output}: the folder above it does not exist")
    jobs = []
    for source in sources:
        root = source if source.is_dir() else source.parent
        for file in _pick(source, suffixes):
            inside = rename(file)
            jobs.append(Job(file, inside if output is None else Path(output) / inside.relative_to(root)))
    _refuse_collisions(jobs)
    return Plan(jobs, many=True, force=force)


def _pick(source: Path, suffixes: Set[str]) -> list[Path]:
    from latticecodec.picture import find_files

    if not source.is_dir():
        return [source]
    files = find_files(source, suffixes)
    if not files:
        raise LcqError(f"{source}: holds no files to work on ({', '.join(sorted(suffixes))})")
    return files


def _single_target(source: Path, output: str | None, rename: Callable[[Path], Path]) -> Path:
    if output is None:
        return STANDARD if source == STANDARD else rename(source)
    if output != "-" and Path(output).is_dir():
        if source == STANDARD:
            raise OutputError(f"{output}: is a folder; name the file when reading standard input")
        return Path(output) / rename(source).name
    if output.endswith(("/", os.sep)):
        raise OutputError(f"{output}: the folder does not exist")
    return Path(output)


def _refuse_collisions(jobs: list[Job]) -> None:
    seen: dict[Path, Path] = {}
    for job in jobs:
        if job.target in seen:
            raise OutputError(f"{job.source} and {seen[job.target]} would both become {job.target}; rename one")
        seen[job.target] = job.source


def check(job: Job, force: bool) -> None:
    """Raise OutputError before any work is done for an output that cannot be written."""
    target = job.target
    if target == STANDARD:
        return
    if not target.absolute().parent.is_dir():
        raise OutputError(f"{target}: the folder {target.parent} does not exist")
    if not target.exists():
        return
    if not target.is_file():
        raise OutputError(f"{target}: is not a regular file; -o - writes to standard output")
    if job.source != STANDARD and target.samefile(job.source):
        raise OutputError(f"{target}: is the input itself")
    if not force:
        raise OutputError(EXISTS.format(target))


def write(job: Job, fill: atomic.Fill, force: bool) -> None:
    """Write a job's output, whole or not at all: `fill` gets an open file to write it to.

    Raises OutputError naming the target, and whatever `fill` raises.
    """
    if job.target == STANDARD:
        atomic.write_standard_output(fill)
        return
    job.target.parent.mkdir(parents=True, exist_ok=True)
    check(job, force)
    try:
        atomic.write_file(job.target, fill, force)
    except FileExistsError:
        raise OutputError(EXISTS.format(job.target)) from None


def run(
    plan: Plan, work: Callable[[Job], dict[str, Any]], line: Callable[[dict[str, Any]], str], as_json: bool
) -> None:
    """Do every job; print a line each (or JSON), a progress bar for several, errors as one line; exit 1 after any."""
    if as_json and plan.jobs[0].target == STANDARD:
        raise OutputError("--json and -o - both write to standard output; choose one")
    if not plan.many:
        report = _named(plan.jobs[0], work)
        click.echo(json.dumps(report) if as_json else line(report), err=plan.jobs[0].target == STANDARD)
        return
    reports: list[dict[str, Any]] = []
    failed = 0
    with click.progressbar(plan.jobs, label=f"{len(plan.jobs)} files", file=sys.stderr) as bar:
        for job in bar:
            try:
                if job.target.parent.is_dir():
                    check(job, plan.force)
                reports.append(_named(job, work))
                if not as_json:
                    click.echo(line(reports[-1]))
            except LcqError as error:
                failed += 1
                reports.append({"input": str(job.source), "error": str(error)})
                click.echo(f"Error: {error}", err=True)
    if as_json:
        click.echo(json.dumps(reports, indent=2))
    if failed:
        raise LcqError(f"{failed} of {len(plan.jobs)} files failed")


def _named(job: Job, work: Callable[[Job], dict[str, Any]]) -> dict[str, Any]:
    """Do a job; every error becomes an LcqError of one line that names the file."""
    try:
        return work(job)
    except EXPECTED as error:
        text, name = one_line(error), _called(job.source)
        named = name in text or str(job.target) in text
        raise LcqError(text if named else f"{name}: {text}") from None

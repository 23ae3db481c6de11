"""Inputs to jobs: where the output of each goes, and whether it may be written there."""

import os
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from pathlib import Path

from latticecodec import OutputError
from latticecodec.errors import reason
from latticecodec.outputs import Fill, write_file

from .inputs import STANDARD, Input, Inputs, Place, Refusal, find, name_of, place

EXISTS = "{}: exists already; --force overwrites it"
ONE_NAME = "rename one, or give each folder an -o of its own"  # where folders hold files of one name
UNLINK = "remove the links, or name another -o"


@dataclass(frozen=True)
class Job:
    """One file to read and one to write."""

    source: Place
    target: Place


@dataclass(frozen=True)
class Writing:
    """How outputs are written."""

    force: bool = False  # overwrite what is there
    skip_existing: bool = False  # leave what is there, and do nothing for it
    keep_times: bool = False  # date outputs as their inputs


@dataclass(frozen=True)
class Plan:
    """What a command was asked to do."""

    jobs: list[Job]
    many: bool  # several inputs or a folder: progress bar, errors do not stop the others, JSON is a list
    refused: list[Refusal] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    streams: bool = False  # the output goes to standard output, where nothing else may go then


def make_plan(
    arguments: Iterable[str],
    output: str | None,
    suffixes: Set[str],
    rename: Callable[[Path], Path],
    writing: Writing,
    advice: str,
) -> Plan:
    """What to read and where to write it.

    Args:
        arguments: files, folders or `-`.
        output: value of -o: a file for one input file, a folder for several or for a folder, or `-`.
        suffixes: files that are picked from a folder.
        rename: source path to target path, used without -o and inside a folder.
        writing: how outputs are written.
        advice: what helps where inputs of several names would become one output.

    Raises LcqError where the call itself is wrong; single files that cannot be read or written are refused in the plan.
    """
    if output == "":
        raise OutputError("-o: is empty; name a file or a folder")
    found = find(arguments, suffixes)
    if not found.many:
        return _plan_of_one(found, output, rename, writing)
    if output == "-":
        raise OutputError("standard output (-) takes one file; give -o a folder")
    if output is not None and Path(output).exists() and not Path(output).is_dir():
        raise OutputError(f"{output}: is a file; with several inputs -o takes a folder")
    if output is not None and not Path(output).absolute().parent.is_dir():
        raise OutputError(f"{output}: the folder above it does not exist; make it first")
    jobs, collisions = _without_collisions([_mirrored(file, output, rename) for file in found.files], advice)
    return Plan(jobs, True, [*found.refused, *collisions], found.left_out)


def _plan_of_one(found: Inputs, output: str | None, rename: Callable[[Path], Path], writing: Writing) -> Plan:
    """The plan for the only file that was named: its job, or why there is none."""
    if found.refused:
        return Plan([], False, found.refused)
    source, streams = found.files[0].source, False
    try:
        job = Job(source, _single_target(source, output, rename))
        streams = job.target is STANDARD
        if not (writing.skip_existing and exists(job)):
            _check_folder(job)
            check(job, writing)
    except OutputError as error:
        return Plan([], False, [Refusal((source,), str(error))], streams=streams)
    return Plan([job], many=False, streams=streams)


def look(arguments: Iterable[str]) -> Plan:
    """What to read where nothing is written: .lcq files, folders of them or `-`; raises LcqError as `find`."""
    found = find(arguments, {".lcq"})
    return Plan([Job(file.source, STANDARD) for file in found.files], found.many, found.refused, found.left_out)


def _mirrored(file: Input, output: str | None, rename: Callable[[Path], Path]) -> Job:
    """The job of one file among several."""
    assert file.source is not STANDARD
    inside = rename(file.source)
    return Job(file.source, inside if output is None else Path(output) / inside.relative_to(file.root))


def _single_target(source: Place, output: str | None, rename: Callable[[Path], Path]) -> Place:
    if output is None:
        return STANDARD if source is STANDARD else rename(source)
    if output != "-" and Path(output).is_dir():
        if source is STANDARD:
            raise OutputError(f"{output}: is a folder; name the file when reading standard input")
        return Path(output) / rename(source).name
    if output.endswith(("/", os.sep)):
        raise OutputError(f"{output}: the folder does not exist; make it first")
    return place(output)


def _without_collisions(jobs: list[Job], advice: str) -> tuple[list[Job], list[Refusal]]:
    """The jobs that have their target for themselves, and why the others are not done."""
    groups: dict[Path, list[Job]] = {}
    for job in jobs:
        assert job.target is not STANDARD
        groups.setdefault(Path(os.path.realpath(job.target)), []).append(job)
    alone = [group[0] for group in groups.values() if len(group) == 1]
    refused = [_refusal(file, group, advice) for file, group in groups.items() if len(group) > 1]
    return alone, refused


def _refusal(file: Path, group: list[Job], advice: str) -> Refusal:
    """Why jobs that would write one file are not done."""
    sources = tuple(job.source for job in group if job.source is not STANDARD)
    names = " and ".join(name_of(source) for source in sources)
    all_of_them = "both" if len(group) == 2 else "all"
    targets = {job.target for job in group}
    if len(targets) > 1:
        return Refusal(sources, f"{names} would {all_of_them} be written to {name_of(file)}, through links; {UNLINK}")
    apart = advice if len({source.name for source in sources}) == len(sources) else ONE_NAME
    return Refusal(sources, f"{names} would {all_of_them} become {name_of(targets.pop())}; {apart}")


def exists(job: Job) -> bool:
    """Whether there is something in the place of the output."""
    return job.target is not STANDARD and os.path.lexists(job.target)


def check(job: Job, writing: Writing) -> None:
    """Raise OutputError before any work is done for an output that cannot be written."""
    target = job.target
    if target is STANDARD:
        _check_standard_output()
        return
    called, folder = name_of(target), Path(os.path.realpath(target)).parent
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{called}: the folder {folder} is write-protected; write to another one with -o")
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        if os.path.lexists(target) and not writing.force:
            raise OutputError(EXISTS.format(called)) from None
        return
    except OSError as error:
        raise OutputError(f"{called}: cannot be written: {reason(error)}") from None
    if not stat.S_ISREG(mode):
        raise OutputError(f"{called}: is not a regular file; -o - writes to standard output")
    if job.source is not STANDARD and target.samefile(job.source):
        raise OutputError(f"{called}: is the input itself; name another output with -o")
    if not writing.force:
        raise OutputError(EXISTS.format(called))
    if not os.access(target, os.W_OK):
        raise OutputError(f"{called}: is write-protected, and --force does not change that; remove it first")


def _check_folder(job: Job) -> None:
    """Raise OutputError where the folder of a single output does not exist."""
    if job.target is not STANDARD and not job.target.absolute().parent.is_dir():
        called = name_of(job.target)
        raise OutputError(f"{called}: the folder {job.target.parent} does not exist; make it first")


def _check_standard_output() -> None:
    """Raise OutputError where a file cannot go to standard output."""
    if sys.stdout is None:
        raise OutputError("standard output: is closed; name a file with -o")
    if sys.stdout.isatty():
        raise OutputError("standard output: is a terminal, which cannot show this; name a file with -o, or add > FILE")


def write(job: Job, fill: Fill, writing: Writing) -> None:
    """Write a job's output, whole or not at all: `fill` gets an open file to write it to.

    Raises OutputError naming the target, and whatever `fill` raises.
    """
    if job.target is STANDARD:
        from .spool import write_standard_output

        write_standard_output(fill)
        return
    folder = job.target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{name_of(job.target)}: the folder {folder} cannot be made: {reason(error)}") from None
    check(job, writing)
    times = None
    if writing.keep_times and job.source is not STANDARD:
        source = job.source.stat()
        times = source.st_atime_ns, source.st_mtime_ns
    try:
        write_file(job.target, fill, writing.force, times, name_of(job.target))
    except FileExistsError:
        raise OutputError(EXISTS.format(name_of(job.target))) from None

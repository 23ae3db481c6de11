"""What a part holds, one sample after the other: a picture, with what lies beside it."""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import PurePosixPath
from typing import IO, Any

from .. import tars
from ..errors import LcqError
from . import parquet
from .source import Failure, Part
from .store import Store
from .task import LCQ


@dataclass(frozen=True)
class Picture:
    """A file that is to be worked on: its name, its bytes, when it was changed last in nanoseconds."""

    name: str
    data: bytes
    modified: int | None = None


@dataclass(frozen=True)
class Sample:
    """What belongs together.

    Attributes:
        pictures: to be worked on.
        beside: other files of the same sample in a tar, by name.
        row: other columns of the same row of a Parquet file, see `parquet.Row`.
        schema: of that file, of pyarrow.
    """

    pictures: tuple[Picture, ...]
    beside: dict[str, bytes] = field(default_factory=dict)
    row: Any = None
    schema: Any = None


def samples(store: Store, part: Part, suffixes: frozenset[str], column: str, apart: bool) -> Iterator[Sample | Failure]:
    """The samples of a part in order, and what cannot be read of it; of loose pictures the next is read ahead.

    Args:
        store: what the part's files lie in.
        part: the part.
        suffixes: of the pictures that are wanted.
        column: of Parquet files, with the pictures.
        apart: put what an archive holds into a folder of its own, since others can hold the same names.
    """
    if part.kind == "files":
        yield from _loose(store, part.files)
        return
    name, above = part.files[0], part.folder if apart else ""
    try:
        with store.opened(name) as file:
            if part.kind == "tar":
                yield from _of_tar(store.called(name), file, suffixes, above)
            else:
                yield from _of_rows(store.called(name), part, file, column, above)
    except LcqError as error:  # a whole copy may come
        yield Failure(name, str(error), lasting=False)


def _loose(store: Store, names: tuple[str, ...]) -> Iterator[Sample | Failure]:
    from concurrent.futures import ThreadPoolExecutor

    def read(name: str) -> Picture:
        return Picture(name, store.read(name), store.modified(name))

    with ThreadPoolExecutor(1) as ahead:
        waiting = ahead.submit(read, names[0])
        for number, name in enumerate(names):
            now = waiting
            if number + 1 < len(names):
                waiting = ahead.submit(read, names[number + 1])
            try:
                yield Sample((now.result(),))
            except LcqError as error:
                yield Failure(name, str(error), lasting=False)


def _of_tar(called: str, file: IO[bytes], suffixes: frozenset[str], above: str) -> Iterator[Sample | Failure]:
    """Samples as WebDataset has them: neighbours in the tar, called alike up to the first dot of their names."""
    try:
        with tarfile.open(fileobj=file, mode="r|*", tarinfo=tars.Member) as tar:
            for _, members in groupby(_members(tar), lambda member: _key(member[0])):
                pictures, beside = [], {}
                for name, data, modified in members:
                    if PurePosixPath(name).suffix.lower() not in suffixes:
                        beside[name] = data
                    elif not _inside(name):
                        yield Failure(name, f"{called}: {name}: is named outside of the tar; rename it")
                    else:
                        pictures.append(Picture(above + name, data, modified))
                yield Sample(tuple(pictures), beside)
    except (tarfile.TarError, EOFError, OSError) as error:
        told = " ".join(str(error).split()) or "it ends too early"
        raise LcqError(f"{called}: is no tar, damaged or cut short ({told}); take a whole copy of it") from None


def _members(tar: tarfile.TarFile) -> Iterator[tuple[str, bytes, int | None]]:
    """Name, bytes and time of last change of each file in a tar; links and folders left out."""
    for member in tars.files(tar):
        opened = tar.extractfile(member)
        if opened is not None:
            yield member.name.removeprefix("./"), opened.read(), _time(member.mtime)


def _time(seconds: float) -> int | None:
    """A time of a tar in nanoseconds; None for one that files cannot have: NaN, or beyond 64 bits."""
    nanoseconds = seconds * 10**9
    return int(nanoseconds) if -(2**63) <= nanoseconds < 2**63 else None


def _key(name: str) -> str:
    """What a file in a tar shares with the others of its sample."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.split(".")[0]


def _inside(name: str) -> bool:
    """Whether a name stays in the folder that it is counted from."""
    return not name.startswith("/") and "\\" not in name and ".." not in name.split("/")


def _of_rows(called: str, part: Part, file: IO[bytes], column: str, above: str) -> Iterator[Sample | Failure]:
    table = parquet.Rows(file, called, part.group, column)
    for row in table:
        ours = row.path.endswith(LCQ) and _inside(row.path)  # written by a run, under names that differ
        picture = above + row.path if ours else f"{above or part.name + '/'}{row.number:06d}"
        if row.data is None:
            yield Failure(picture, f"{called}: row {row.number:,} of group {part.group} has no picture in {column}")
        else:
            yield Sample((Picture(picture, row.data),), row=row.others, schema=table.schema)

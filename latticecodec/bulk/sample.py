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
from .store import HINT, Store
from .task import SUFFIX


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
    for _, members in groupby(_members(called, file), lambda member: key_of(member[0])):
        pictures, beside = [], {}
        for name, data, modified in members:
            if data is None:
                yield Failure(name, f"{called}: {name}: is a sparse file, with gaps; pack the tar without such files")
            elif not _inside(name):
                told = "leads out of the tar, or is a name that no file can have; rename it"
                yield Failure(name, f"{called}: {name}: {told}")
            elif PurePosixPath(name).suffix.lower() in suffixes:
                pictures.append(Picture(above + name, data, modified))
            else:
                beside[name] = data
        yield Sample(tuple(pictures), beside)


def _members(called: str, file: IO[bytes]) -> Iterator[tuple[str, bytes | None, int | None]]:
    """Name, bytes and time of last change of each file in a tar; no bytes of a sparse one, which can claim any size.

    Raises LcqError naming the tar where it is damaged.
    """
    try:
        with tarfile.open(fileobj=file, mode="r|*", tarinfo=tars.Member) as tar:
            for member in tars.files(tar):
                opened = None if member.issparse() else tar.extractfile(member)
                yield _plain(member.name), None if opened is None else opened.read(), _time(member.mtime)
    except tars.DAMAGE as error:
        told = " ".join(str(error).split())[:HINT] or "it ends too early"
        raise LcqError(f"{called}: is no tar, damaged or cut short ({told}); take a whole copy of it") from None


def _time(seconds: float) -> int | None:
    """A time of a tar in nanoseconds; None for one that files cannot have: NaN, or beyond 64 bits."""
    nanoseconds = seconds * 10**9
    return int(nanoseconds) if -(2**63) <= nanoseconds < 2**63 else None


def key_of(name: str) -> str:
    """What a file in a tar shares with the others of its sample."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.split(".")[0]


def _plain(name: str) -> str:
    """The one spelling of a name: x/a.png also for x//a.png and x/./a.png; one from the root on stays so."""
    return "/" * name.startswith("/") + "/".join(part for part in name.split("/") if part not in ("", "."))


def _inside(name: str) -> bool:
    """Whether a name is one that a file can have, and stays in the folder that it is counted from."""
    return not {"", ".."} & set(name.split("/")) and "\\" not in name and "\0" not in name


def _of_rows(called: str, part: Part, file: IO[bytes], column: str, above: str) -> Iterator[Sample | Failure]:
    table = parquet.Rows(file, called, part.group, column)
    for row in table:
        path = _plain(row.path)
        ours = path.endswith(SUFFIX) and _inside(path)  # written by a run, under names that differ
        picture = above + path if ours else f"{above or part.name + '/'}{row.number:06d}"
        if row.data is None:
            yield Failure(picture, f"{called}: row {row.number:,} of group {part.group} has no picture in {column}")
        else:
            yield Sample((Picture(picture, row.data),), row=row.others, schema=table.schema)

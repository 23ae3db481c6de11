"""A collection in parts: so many loose pictures, a tar, or a row group of a Parquet file.

Parts are what workers take, and what is done or not where a run goes on. They come in an order that follows from the
names alone, one folder after the other, so that none but those of one folder are in memory.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from posixpath import splitext
from typing import Literal

from ..errors import LcqError, on_one_line
from ..picture.folder import DOUBLE
from . import parquet
from .store import Sizes, Store

TARS = (".tar", ".tar.gz", ".tgz")
PARQUET = ".parquet"
ARCHIVES = (*TARS, PARQUET)
HIDDEN = ".lcodec-bulk"  # the folder with what is known of a run
Kind = Literal["files", "tar", "parquet"]


@dataclass(frozen=True)
class Part:
    """What is done at once.

    Attributes:
        name: of the part, without suffix; of its output where that is one file.
        kind: what the files are.
        files: loose pictures, or the one tar or Parquet file.
        group: of the Parquet file.
        rows: pictures in it, where that is known before it is read.
        sizes: bytes of the files, None where their storage does not say.
    """

    name: str
    kind: Kind
    files: tuple[str, ...]
    group: int = 0
    rows: int | None = None
    sizes: tuple[int | None, ...] = ()

    @property
    def folder(self) -> str:
        """Where files go that are taken out of an archive: called as that is, which no folder beside it can be."""
        return f"{self.files[0]}/{self.group:05d}/" if self.kind == "parquet" else f"{self.files[0]}/"

    @property
    def digest(self) -> str:
        """Of what it is made of: other names make another part."""
        return hashlib.sha256("\0".join((self.kind, str(self.group), *self.files)).encode(errors="replace")).hexdigest()

    @property
    def state(self) -> str:
        """Of what these files are now: a whole copy in the place of a cut one makes another state."""
        return hashlib.sha256(" ".join(map(str, self.sizes)).encode()).hexdigest()


@dataclass(frozen=True)
class Failure:
    """A file that cannot be worked on, and one line that says why.

    Attributes:
        name: of the file.
        error: the line, which names it; without what moves a cursor, which names can hold.
        lasting: whether another try would end alike.
    """

    name: str
    error: str
    lasting: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "error", on_one_line(self.error))


@dataclass(frozen=True)
class Source:
    """A collection.

    Attributes:
        store: the folder.
        only: its one file that is meant; None for all.
        suffixes: of loose pictures.
        target: what the output for a picture is called.
        size: loose pictures in a part.
        advice: what helps where several outputs would be called alike.
    """

    store: Store
    only: str | None
    suffixes: frozenset[str]
    target: Callable[[str], str]
    size: int
    advice: str = "rename one"

    @staticmethod
    def at(
        url: str, suffixes: frozenset[str], target: Callable[[str], str], size: int, advice: str = "rename one"
    ) -> "Source":
        """What a URL names, a folder or a file; raises LcqError where there is nothing."""
        store = Store(url)
        if not store.is_file():
            return Source(store, None, suffixes, target, size, advice)
        above, _, name = url.rpartition("/")
        folder = Store(above or ("/" if url.startswith("/") else "."))
        return Source(folder, name, suffixes, target, size, advice)

    @property
    def place(self) -> str:
        """Where it is, for processes that work in other folders too."""
        return self.store.place if self.only is None else f"{self.store.place}/{self.only}"

    def parts(self, left_out: Counter[str]) -> Iterator[Part | Failure]:
        """The parts, and what can be in none; `left_out` counts what is no picture, by kind."""
        waiting: list[tuple[str, int | None]] = []
        taken: set[str] = set()  # names of parts that the first folder's archives have
        number = 0
        closed: list[str] = []
        for folder, files, links in self._folders(closed):
            if links:
                left_out["link"] += links
            loose, archives = {}, {}
            for name, size in files.items():
                suffix = splitext(name)[1].lower()
                if ".." in f"{folder}{name}".split("/"):  # as keys of object storage can be
                    told = "leads out of the source; rename it"
                    yield Failure(folder + name, f"{self.store.called(folder + name)}: {told}")
                elif name.startswith(DOUBLE):
                    left_out["._*"] += 1
                elif name.lower().endswith(ARCHIVES):
                    archives[folder + name] = size
                elif suffix in self.suffixes:
                    loose[folder + name] = size
                else:
                    left_out[kind_of(name)] += 1
            for found in self._archives(archives):
                if isinstance(found, Part) and not folder:
                    taken.add(found.name)
                yield found
            alone, failures = self._apart(list(loose))
            yield from failures
            waiting += ((name, loose[name]) for name in alone)
            while len(waiting) >= self.size:
                number = _free(number, taken)
                yield _loose(number, waiting[: self.size])
                del waiting[: self.size]
                number += 1
        if waiting:
            yield _loose(_free(number, taken), waiting)
        yield from (Failure(self.store.url, line, lasting=False) for line in closed)

    def _folders(self, closed: list[str]) -> Iterator[tuple[str, Sizes, int]]:
        if self.only is not None:
            yield "", {self.only: self.store.size(self.only)}, 0
            return
        for folder, files, links in self.store.folders(closed):
            if HIDDEN not in folder.split("/"):
                yield folder, files, links

    def _archives(self, files: Sizes) -> Iterator[Part | Failure]:
        """The parts of a folder's tars and Parquet files, which must be called differently."""
        taken: set[str] = set()
        for name, size in files.items():
            tar = name.lower().endswith(TARS)
            parts = [Part(_stem(name), "tar", (name,), sizes=(size,))] if tar else self._groups(name, size)
            for found in parts:
                if isinstance(found, Part) and found.name in taken:
                    told = f"and another file here would both become {found.name}; rename one"
                    yield Failure(name, f"{self.store.called(name)} {told}")
                    continue
                if isinstance(found, Part):
                    taken.add(found.name)
                yield found

    def _groups(self, name: str, size: int | None) -> Iterator[Part | Failure]:
        """A part for each row group of a Parquet file."""
        try:
            with self.store.opened(name) as file:
                groups = parquet.groups(file, self.store.called(name))
        except LcqError as error:
            yield Failure(name, str(error), lasting=False)
            return
        for number, rows in enumerate(groups):
            yield Part(f"{_stem(name)}-{number:05d}", "parquet", (name,), number, rows, (size,))

    def _apart(self, names: list[str]) -> tuple[list[str], list[Failure]]:
        """The files of a folder that have an output of their own, and why the others are not worked on."""
        targets = [self.target(name) for name in names]
        count = Counter(targets)
        if len(count) == len(names):
            return names, []
        alone, failures = [], []
        for name, target in zip(names, targets, strict=True):
            if count[target] == 1:
                alone.append(name)
                continue
            told = f"is one of {count[target]} files that would become {target}; {self.advice}"
            failures.append(Failure(name, f"{self.store.called(name)}: {told}"))
        return alone, failures


def kind_of(name: str) -> str:
    """What a file that is not taken along is counted as."""
    return splitext(name)[1].lower() or "without suffix"


def _loose(number: int, found: list[tuple[str, int | None]]) -> Part:
    """A part of loose pictures, which are so large."""
    names, sizes = zip(*found, strict=True)
    return Part(_numbered(number), "files", names, sizes=sizes)


def _numbered(number: int) -> str:
    """The name of a part of loose pictures."""
    return f"pictures-{number:08d}"


def _free(number: int, taken: set[str]) -> int:
    """The first number from this one on whose name no archive has."""
    while _numbered(number) in taken:
        number += 1
    return number


def _stem(name: str) -> str:
    """A tar's or Parquet file's name without its suffix."""
    suffix = next(suffix for suffix in ARCHIVES if name.lower().endswith(suffix))
    return name[: -len(suffix)]

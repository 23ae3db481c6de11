"""What a command is given, files, folders and `-`, to the list of files to work on."""

import io
import mmap
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from latticecodec import LcqError
from latticecodec.errors import reason

STANDARD: Final = None  # standard input or output, `-` on the command line; `./-` is a file of that name
Place = Path | None
PIECE = 1 << 24  # bytes
KINDS_TOLD = 5  # of what a folder holds besides
PLURALS = {"link to a folder": "links to folders", "link to nothing": "links to nothing", "no file": "no files"}


@dataclass(frozen=True)
class Input:
    """A file to read."""

    source: Place
    root: Path  # the folder it is mirrored from


@dataclass(frozen=True)
class Refusal:
    """What will not be worked on, while the rest is, and why."""

    sources: tuple[Place, ...]
    message: str


@dataclass
class Inputs:
    """What was found.

    Attributes:
        files: to work on, in order, each once.
        many: several were named, or a folder: errors do not stop the others, and JSON is a list.
        refused: what cannot be worked on.
        left_out: how many files of each kind lie in the folders that were named and are not worked on.
    """

    files: list[Input] = field(default_factory=list)
    many: bool = False
    refused: list[Refusal] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def place(text: str) -> Place:
    """What an argument names; raises LcqError where it is empty, which Python would take for the current folder."""
    if not text:
        raise LcqError("an input is empty; name a file or a folder")
    return STANDARD if text == "-" else Path(text)


def called(source: Place) -> str:
    """What an input is called in messages."""
    return "standard input" if source is STANDARD else name_of(source)


def name_of(place: Place) -> str:
    """What a place is called in reports: as it can be given on the command line."""
    if place is STANDARD:
        return "-"
    return f"./{place}" if str(place).startswith("-") else str(place)


def find(arguments: Iterable[str], suffixes: Set[str]) -> Inputs:
    """The files that were named, and those with one of the suffixes in the folders that were named, each once.

    Raises LcqError where one is empty, or standard input is among several.
    """
    places = [place(argument) for argument in arguments]
    several = len(places) > 1
    found = Inputs(many=several)
    seen: set[Path] = set()  # however they were spelt
    for given in places:
        if given is STANDARD:
            if several:
                raise LcqError("standard input (-) is read alone; leave out the other inputs, or name a file")
            found.files.append(Input(STANDARD, Path()))
        elif _is_missing(given):
            found.refused.append(Refusal((given,), f"{name_of(given)}: no such file or folder"))
        elif os.path.isdir(given):
            found.many = True
            _add_folder(found, given, suffixes, seen)
        elif (known := Path(os.path.realpath(given.parent), given.name)) not in seen:
            seen.add(known)
            found.files.append(Input(given, given.parent))
    return found


def _is_missing(path: Path) -> bool:
    """Whether there is nothing; what cannot be looked at may be there, and reading it says more."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _add_folder(found: Inputs, folder: Path, suffixes: Set[str], seen: set[Path]) -> None:
    from latticecodec.picture import search

    below = search(folder, suffixes)
    real = Path(os.path.realpath(folder))
    for path in below.wanted:
        known = real / path.relative_to(folder)
        if known not in seen:
            seen.add(known)
            found.files.append(Input(path, folder))
    found.left_out.update(_kind(path) for path in below.others)
    for error in below.closed:
        closed = Path(error.filename)
        found.refused.append(Refusal((closed,), f"{closed}: the folder cannot be read: {reason(error)}"))
    if not below.wanted and not below.closed:
        wanted = ", ".join(sorted(suffixes))
        found.refused.append(Refusal((folder,), f"{folder}: holds no files to work on ({wanted})"))


def _kind(path: Path) -> str:
    """What a file that is left out counts as; links to folders, which may lead in circles, are not followed."""
    if not path.is_file():
        return "link to a folder" if path.is_dir() else "link to nothing" if path.is_symlink() else "no file"
    return "._*" if path.name.startswith("._") else path.suffix.lower() or "without suffix"


def count_of(left_out: Counter[str]) -> str:
    """What was left out, as text: "3 left out: 2 .mov, 1 .txt"."""
    kinds = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{number:,} {kind if number == 1 else PLURALS.get(kind, kind)}" for kind, number in kinds[:KINDS_TOLD]]
    if len(kinds) > KINDS_TOLD:
        shown.append(f"{sum(number for _, number in kinds[KINDS_TOLD:]):,} of other kinds")
    return f"{left_out.total():,} left out: {', '.join(shown)}"


def read(source: Place) -> bytes:
    """The bytes of a file, or of standard input; raises LcqError naming it where it cannot be read."""
    if source is STANDARD and sys.stdin is None:
        raise LcqError("standard input: is closed; give it something to read, or name a file")
    try:
        return _piped(sys.stdin.buffer) if source is STANDARD else source.read_bytes()
    except OSError as error:
        raise LcqError(f"{called(source)}: cannot be read: {reason(error)}") from None


def _piped(stream: IO[bytes]) -> bytes:
    """All of a stream, in pieces: within one read of a stream that does not end no signal would be heeded."""
    whole = io.BytesIO()
    while whole.write(stream.read(PIECE) or b"") == PIECE:
        pass
    return whole.getvalue()


@contextmanager
def mapped(source: Place) -> Iterator[bytes | mmap.mmap]:
    """A file, mapped into memory so that only what is looked at is read; standard input as bytes.

    Raises LcqError naming it where it cannot be read.
    """
    if source is STANDARD or not source.is_file() or not source.stat().st_size:
        yield read(source)
        return
    try:
        with source.open("rb") as file:
            view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise LcqError(f"{called(source)}: cannot be read: {reason(error)}") from None
    try:
        yield view
    finally:
        with suppress(BufferError):  # an error on its way out can still hold a part; the rest goes with it
            view.close()

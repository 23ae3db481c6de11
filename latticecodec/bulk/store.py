"""Folders anywhere, on the disk or in object storage, by their URL; fsspec knows how each is reached.

What is written is whole or not there: on the disk by way of a temporary file, in object storage since that gives an
object its name when it has all of it. Of other storage nobody knows, and what lies there proves nothing.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from operator import itemgetter
from pathlib import Path
from typing import IO

from ..errors import LcqError, OutputError, reason
from ..outputs import Fill, write_file

WHOLE = {"file", "s3", "s3a", "gs", "gcs", "abfs", "az", "adl", "hf", "memory"}  # storage with whole files alone
Sizes = dict[str, int | None]  # bytes of files by their names, None where their storage does not say
HINT = 200  # characters of what a library says
# of a name: too long, or a file where a folder is, or the other way round
OF_NAMES = {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EILSEQ}


class StorageError(LcqError):
    """What cannot be read just now, and perhaps can another time."""


class NamingError(OutputError):
    """What cannot have its name there, another time either; all else can be written."""


class Store:
    """A folder; names in it are relative, with / between folders."""

    def __init__(self, url: str, place: str | None = None) -> None:
        """`place` is where it is, if not at `url`, as messages call it; raises LcqError if nothing reaches it."""
        from fsspec.core import url_to_fs

        if not os.fspath(place or url):
            raise LcqError("a source or target is empty; give a folder, or a URL as s3://")
        self.url = url
        try:
            self._storage, path = url_to_fs(os.fspath(place or url), use_listings_cache=False)
        except ImportError as error:
            raise LcqError(f"{url}: needs {error.name or _words(error)}; install it with pip") from None
        except Exception as error:
            raise LcqError(
                f"{url}: no place that is known ({_words(error)}); give a folder, or a URL as s3://"
            ) from None
        protocol = self._storage.protocol
        self.protocols = {protocol} if isinstance(protocol, str) else set(protocol)
        self.path = os.path.realpath(path) if self.local else path.rstrip("/") or "/"  # without links, . and ..

    def __reduce__(self) -> tuple[type["Store"], tuple[str, str]]:
        return Store, (self.url, self.place)

    @property
    def local(self) -> bool:
        """Whether it is on a disk of this machine."""
        return "file" in self.protocols

    @property
    def place(self) -> str:
        """Where it is, for processes that work in other folders too."""
        return self.path if self.local else self.url.rstrip("/")

    @property
    def whole(self) -> bool:
        """Whether a file that is there has all of its content, whatever was stopped while it was written."""
        return bool(self.protocols & WHOLE)

    def called(self, name: str = "") -> str:
        """A file of it as messages call it."""
        return f"{self.url.rstrip('/')}/{name}" if name else self.url

    def is_file(self) -> bool:
        """Whether the URL is that of a file; raises StorageError where there is nothing."""
        with self._reading(""):
            kind = self._storage.info(self.path)["type"]
        return bool(kind == "file")

    @cached_property
    def _prefix(self) -> str:
        return "/" if self.path == "/" else f"{self.path}/"

    def folders(self, closed: list[str]) -> Iterator[tuple[str, Sizes, int]]:
        """Folder by folder: its name with / behind, "" for this one; its files, sorted; how much else there is.

        Links to files are files, those to folders are not followed.

        Only one folder's names are in memory. Errors of folders that cannot be read are appended to `closed`.
        """
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                with self._reading(folder):
                    found = self._storage.ls(f"{self._prefix}{folder}".rstrip("/") or "/", detail=True)
            except LcqError as error:
                closed.append(str(error))
                continue
            files, links, below = [], 0, []
            for entry in found:
                path, kind = entry["name"].rstrip("/"), entry["type"]
                name = path.rpartition("/")[2]
                if f"{self._prefix}{folder}".rstrip("/") == path:
                    continue  # an object that stands for the folder itself
                if entry.get("islink"):  # to a folder it may lead in circles
                    kind = "file" if os.path.isfile(path) else "link"
                if kind == "directory":
                    below.append(f"{folder}{name}/")
                elif kind == "file":
                    files.append((name, entry.get("size")))
                else:
                    links += 1
            del found
            waiting += sorted(below, reverse=True)
            yield folder, dict(sorted(files, key=itemgetter(0))), links

    def below(self, folder: str) -> Iterator[str]:
        """The files in a folder and in those below, none where there is no such folder; raises StorageError."""

        def failed(error: OSError) -> None:
            if not isinstance(error, FileNotFoundError):
                raise error

        with self._reading(folder):
            for above, _, names in self._storage.walk(f"{self._prefix}{folder}".rstrip("/"), on_error=failed):
                yield from (f"{above}/{name}".removeprefix(self._prefix) for name in names)

    def read(self, name: str) -> bytes:
        """A whole file; raises StorageError naming it."""
        with self._reading(name):
            data: bytes = self._storage.cat_file(self._prefix + name)
        return data

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """A file, open for reading; raises StorageError naming it where that fails."""
        with self._reading(name):
            file = self._storage.open(self._prefix + name, "rb")
        with file:
            yield file

    def exists(self, name: str) -> bool:
        """Whether there is such a file; raises StorageError where that cannot be found out."""
        with self._reading(name):
            return bool(self._storage.isfile(self._prefix + name))

    def size(self, name: str) -> int | None:
        """How many bytes a file has, None where its storage does not say; raises StorageError naming it."""
        with self._reading(name):
            size: int | None = self._storage.info(self._prefix + name).get("size")
        return size

    def modified(self, name: str) -> int | None:
        """When a file on the disk was changed last, in nanoseconds; raises StorageError naming it."""
        if not self.local:
            return None
        with self._reading(name):
            return os.stat(self._prefix + name).st_mtime_ns

    def write(self, name: str, data: bytes, modified: int | None = None) -> None:
        """Write a file, replacing what is there; raises OutputError naming it, NamingError where that is its name's."""
        with self._writing(name):
            if self.local:
                times = None if modified is None else (modified, modified)
                self._write_file(name, lambda file: file.write(data), times)
            else:
                self._storage.pipe_file(self._prefix + name, data)

    def put(self, name: str, file: Path) -> None:
        """Write a file that lies on the disk; raises as `write`."""
        with self._writing(name):
            if self.local:
                with file.open("rb") as source:
                    self._write_file(name, partial(shutil.copyfileobj, source))
            else:
                self._storage.put_file(str(file), self._prefix + name)

    def remove(self, name: str) -> None:
        """Remove a file, where there is one; raises OutputError naming it."""
        try:
            self._storage.rm_file(self._prefix + name)
        except FileNotFoundError:
            pass
        except Exception as error:
            raise OutputError(f"{self.called(name)}: cannot be removed: {_words(error)}") from None

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise StorageError(f"{self.called(name)}: no such file or folder") from None
        except MemoryError:
            raise
        except Exception as error:
            raise StorageError(f"{self.called(name)}: cannot be read: {_words(error)}") from None

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        try:
            yield
        except MemoryError:
            raise
        except OutputError as error:  # made of what the system said
            raise _class_of(error.__context__)(str(error)) from None
        except Exception as error:
            raise _class_of(error)(f"{self.called(name)}: cannot be written: {_words(error)}") from None

    def _write_file(self, name: str, fill: Fill, times: tuple[int, int] | None = None) -> None:
        """A file on the disk; of several that write it the last one wins."""
        target = Path(self._prefix + name)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, fill, times=times, called=self.called(name))


def _class_of(error: BaseException | None) -> type[OutputError]:
    """What an error becomes that the system gave: NamingError where it refused the name."""
    return NamingError if isinstance(error, OSError) and error.errno in OF_NAMES else OutputError


def _words(error: BaseException) -> str:
    """What an error of a library says, on one line."""
    words = reason(error) if isinstance(error, OSError) else " ".join(str(error).split())
    return words[:HINT] or type(error).__name__

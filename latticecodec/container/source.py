"""Where the bytes of a file can be: in memory, in a file that is open, or under a path."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import mmap
from typing import IO, Any

from ..errors import LcqError, reason
from .header import MAGIC

Bytes = bytes | bytearray | memoryview | mmap  # a whole file, in memory or mapped
Source = Bytes | str | os.PathLike[str] | IO[bytes]


@contextmanager
def named(source: Source) -> Iterator[None]:
    """Errors of the library inside name the path, where the source is one."""
    try:
        yield
    except LcqError as error:
        if not isinstance(source, str | os.PathLike):
            raise
        raise type(error)(f"{os.fsdecode(source) or repr('')}: {error}") from None


@contextmanager
def opened(source: Source) -> Iterator[IO[bytes]]:
    """A path or an open file as a file at its beginning; raises LcqError where it is none, or cannot be read."""
    try:
        if isinstance(source, str | os.PathLike):
            with open(source, "rb") as file:
                yield file
        else:
            yield _at_its_beginning(source)
    except FileNotFoundError:
        raise LcqError("no such file") from None
    except OSError as error:
        raise LcqError(f"cannot be read: {reason(error)}") from None
    except (LcqError, MemoryError):
        raise
    except Exception as error:
        if isinstance(source, str | os.PathLike):  # with a null byte in it
            raise LcqError("no file can have such a name") from None
        raise LcqError(f"cannot be read: {' '.join(str(error).split()) or type(error).__name__}") from None


def contents(source: Source) -> Bytes:
    """All bytes of a source; of a file that does not begin as .lcq only the beginning. Raises as `opened`."""
    if isinstance(source, Bytes):
        return source
    with opened(source) as file:
        start = beginning(file, len(MAGIC))
        return start + file.read() if start == MAGIC else start


def beginning(file: IO[bytes], size: int) -> bytes:
    """The next `size` bytes of an open file, fewer only where it ends; an unbuffered one may give them in parts."""
    data = file.read(size)
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data


def _at_its_beginning(source: Any) -> IO[bytes]:
    """An open file, rewound where it can be."""
    if isinstance(source, io.TextIOBase):
        raise LcqError("the file is open as text; open it in binary mode, 'rb'")
    if not callable(getattr(source, "read", None)):
        kind = type(source).__name__
        raise LcqError(f"the file is given as {kind}; expected its bytes, a path, or a file open in binary mode")
    if getattr(source, "closed", False):
        raise LcqError("the file is closed; open it again")
    if hasattr(source, "seekable") and source.seekable():
        source.seek(0)
    if not isinstance(source.read(0), bytes):
        raise LcqError("the file does not give bytes when it is read; open it in binary mode, 'rb'")
    file: IO[bytes] = source
    return file

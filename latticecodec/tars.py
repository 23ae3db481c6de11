"""Tars as they are read to their end, which is zeros: `tarfile` alone takes whatever it cannot read for the end."""

import tarfile
from collections.abc import Iterator
from typing import Any, Self

AT_ONCE = 2**20  # bytes that are read at once of what follows the end


class Member(tarfile.TarInfo):
    """A member, for `tarfile.open(..., tarinfo=Member)`: damaged or cut in its header, it is no end but a ReadError."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """From a block, which may be short; raises ReadError, or HeaderError where the block is empty or zeros."""
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if buf.strip(b"\0"):
                raise tarfile.ReadError(str(error)) from None
            raise


def files(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The files of a tar that was opened with `Member`, links and folders left out.

    It ends with zeros, or, as some writers leave it, behind a member; raises TarError where anything else follows.
    """
    yield from (member for member in tar if member.isreg())
    file: Any = tar.fileobj
    while rest := file.read(AT_ONCE):
        if rest.strip(b"\0"):
            raise tarfile.ReadError("more follows its end")

"""Tars of strangers: their members one by one, whatever their headers say, and what reading them can raise."""

import tarfile
from collections.abc import Iterator
from typing import Any, Self

# what tarfile raises on damage: nonsense where numbers belong, and headers of headers without end, among it
DAMAGE = (tarfile.TarError, EOFError, OSError, ValueError, LookupError, OverflowError, RecursionError)
AT_ONCE = 2**20  # bytes that are read at once of what follows the end


class Member(tarfile.TarInfo):
    """A member, for `tarfile.open(..., tarinfo=Member)`: a header that cannot be read is damage, not the tar's end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """From a block, or what there is of it; raises ReadError, or HeaderError where that is empty or zeros."""
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if buf.strip(b"\0"):
                raise tarfile.ReadError(str(error)) from None
            raise


def files(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The files of a tar opened with `Member`, links and folders left out.

    Its end is a block of zeros, or where the last member ends, as some writers leave it. Raises one of DAMAGE where it
    is damaged, leads in circles, or holds more after its end.

    A sparse one (`issparse`) claims what is not in the tar, and is not to be read.
    """
    for member in tar:
        if tar.offset <= member.offset:  # of a size below 0
            raise tarfile.ReadError("a member leads back to where it begins")
        if member.isreg():
            yield member
    opened: Any = tar.fileobj
    while rest := opened.read(AT_ONCE):
        if rest.strip(b"\0"):
            raise tarfile.ReadError("more follows its end")

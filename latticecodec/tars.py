"""Tars of strangers: their members one by one, whatever their headers say, and what reading them can raise."""

import tarfile
from collections.abc import Iterator

# what tarfile raises on damage: nonsense where numbers belong, and headers of headers without end, among it
DAMAGE = (tarfile.TarError, EOFError, OSError, ValueError, LookupError, OverflowError, RecursionError)


def files(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The files of a tar, links and folders left out; raises one of DAMAGE where it is damaged, or leads in circles.

    A sparse one (`issparse`) claims what is not in the tar, and is not to be read.
    """
    for member in tar:
        if tar.offset <= member.offset:  # of a size below 0
            raise tarfile.ReadError("a member leads back to where it begins")
        if member.isreg():
            yield member

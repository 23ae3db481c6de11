"""Outputs that are whole or not there: a file by way of a temporary one beside it, standard output by way of a spool.

The temporary file is called `.lcodec-<16 hexadecimal digits>.part`. Every way out removes it but the two that leave no
time: SIGKILL and a power cut.
"""

import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from latticecodec import OutputError
from latticecodec.errors import reason

from .inputs import name_of
from .messages import output_error

Fill = Callable[[IO[bytes]], object]  # writes the output to a file that is open for reading and writing

_parts: set[Path] = set()  # temporary files that may be there


class Numberless:
    """A file without a number: Pillow would use that, and take a short write on a full disk for a whole one."""

    def fileno(self) -> int:
        """Not to be had."""
        raise io.UnsupportedOperation("fileno")


class _File(Numberless, io.BufferedRandom):
    """A file on the disk."""


def write_file(target: Path, fill: Fill, overwrite: bool, times: tuple[int, int] | None = None) -> None:
    """Write a file, whole or not at all; on the disk when this returns.

    Of several processes that write one target, each writes a whole file, and without `overwrite` only the first. A file
    that is replaced keeps its mode, and its owner where the system allows that; a symbolic link is followed.

    Args:
        target: the file.
        fill: writes the content.
        overwrite: replace what is there.
        times: when the file shall have been used and changed last, in nanoseconds; now without.

    Raises FileExistsError where the target exists and is not to be overwritten, OutputError naming it where it cannot
    be written, and whatever `fill` raises.
    """
    place = Path(os.path.realpath(target)) if overwrite else target.absolute()
    part = place.parent / f".lcodec-{os.urandom(8).hex()}.part"
    _parts.add(part)
    try:
        with io.FileIO(part, "x+") as raw, _File(raw) as file:
            if overwrite and place.exists():
                _take_over(place.stat(), part)
            fill(file)
            file.flush()
            os.fsync(raw.fileno())
        if times is not None:
            os.utime(part, ns=times)
        if overwrite:
            os.replace(part, place)
        else:
            _place(part, place)
    except FileExistsError:
        raise
    except OSError as error:
        raise OutputError(f"{name_of(target)}: cannot be written: {reason(error)}") from None
    finally:
        part.unlink(missing_ok=True)
        _parts.discard(part)


def _take_over(before: os.stat_result, part: Path) -> None:
    """Give the temporary file owner and mode of the one that it will replace."""
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # only root may give files away
            os.chown(part, before.st_uid, before.st_gid)
    os.chmod(part, before.st_mode & 0o777)


def _place(part: Path, target: Path) -> None:
    """Give a finished file its name; raises FileExistsError where that is taken, at whatever moment it was."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # no hard links on this file system: take the name with an empty file, then replace that
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.replace(part, target)
        except FileExistsError:
            raise
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def remove_parts() -> None:
    """Remove temporary files whose own removal was interrupted."""
    for part in _parts:
        part.unlink(missing_ok=True)
    _parts.clear()


def write_standard_output(fill: Fill) -> None:
    """Write to standard output once `fill` is done, so that nothing goes out when it fails.

    Raises OutputError where it cannot be written, ReaderGone where nobody reads it, and whatever `fill` raises.
    """
    from .spool import Spool

    try:
        with Spool() as spool:
            fill(spool)
            spool.copy_to(sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise output_error(error) from None

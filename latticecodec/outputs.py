"""Outputs: files that are whole or not there, and in the place of what may be replaced alone.

A file is written by way of a temporary one beside it, `.lcodec-<16 hexadecimal digits>.part`. Every way out removes
that but the two that leave no time: SIGKILL and a power cut.
"""

import io
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from .errors import OutputError, reason

Fill = Callable[[IO[bytes]], object]  # writes the output to a file that is open for reading and writing
LOOKED_AT = 4096  # bytes

_parts: set[Path] = set()  # temporary files that may be there


class Numberless:
    """A file without a number: Pillow would use that, and take a short write on a full disk for a whole one."""

    def fileno(self) -> int:
        """Not to be had."""
        raise io.UnsupportedOperation("fileno")


class _File(Numberless, io.BufferedRandom):
    """A file on the disk."""


def write_file(
    target: Path, fill: Fill, overwrite: bool = True, times: tuple[int, int] | None = None, called: str = ""
) -> None:
    """Write a file, whole or not at all; on the disk when this returns.

    Of several processes that write one target, each writes a whole file, and without `overwrite` only the first. A file
    that is replaced keeps its mode, and its owner where the system allows that; a symbolic link is followed.

    Args:
        target: the file.
        fill: writes the content.
        overwrite: replace what is there.
        times: when the file shall have been used and changed last, in nanoseconds; now without.
        called: how messages name the target; by its path without.

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
        raise OutputError(f"{called or target}: cannot be written: {reason(error)}") from None
    finally:
        part.unlink(missing_ok=True)
        _parts.discard(part)


def write_text(path: Path, text: str) -> Path:
    """Write a text in UTF-8 in the place of what is there; its path. Raises OutputError as `write_file`."""
    write_file(path, lambda file: file.write(text.encode("utf-8", "backslashreplace")))
    return path


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


def check_own(path: Path, mark: str, what: str) -> None:
    """Raise OutputError where a file is there that is none of ours: without this text near its beginning.

    One that is empty may be replaced. `what` it should be is for the message.
    """
    if not os.path.lexists(path):
        return
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: is not a regular file; name another one")
    try:
        with path.open("rb") as file:
            start = file.read(LOOKED_AT)
    except FileNotFoundError:  # a link to a file that is not there yet
        return
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {reason(error)}") from None
    if start and mark.encode() not in start:
        raise OutputError(f"{path}: is not {what}, and is not replaced; name another one")


def check_apart(uses: Iterable[tuple[Path, str]]) -> None:
    """Raise OutputError where one file would be written for two uses, which are told in words."""
    seen: dict[str, str] = {}
    for path, use in uses:
        if use != seen.setdefault(place := os.path.realpath(path), use):
            raise OutputError(f"{path}: would be both {seen[place]} and {use}; name another file for one of them")


def check_kept(path: Path) -> None:
    """Raise OutputError where nothing can be added to a file, or, where it is not there, none can be made."""
    if not os.path.exists(path):
        check_folder(path.parent)
    elif not os.access(path, os.W_OK):
        raise OutputError(f"{path}: is write-protected; name another one")


def check_folder(folder: Path) -> None:
    """Raise OutputError where nothing can be written into a folder that is there, or none can be made."""
    above = folder.absolute()
    while not os.path.lexists(above):
        above = above.parent
    if not above.is_dir():
        raise OutputError(f"{folder}: the folder cannot be made: a part of its path is a file, not a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: the folder {above} is write-protected; name another one")

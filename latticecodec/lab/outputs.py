"""Files that a command writes anew each time: whole or not there, and in the place of its own alone."""

import os
import secrets
import stat
from pathlib import Path

from ..errors import OutputError, reason

LOOKED_AT = 4096  # bytes


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


def check_folder(folder: Path) -> None:
    """Raise OutputError where nothing can be written into a folder that is there, or none can be made."""
    above = folder.absolute()
    while not os.path.lexists(above):
        above = above.parent
    if not above.is_dir():
        raise OutputError(f"{folder}: the folder cannot be made: a part of its path is a file, not a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: the folder {above} is write-protected; name another one")


def write_whole(path: Path, text: str) -> Path:
    """Write a file whole or not at all: to a temporary one beside it, which then takes its name.

    A file that is replaced keeps its mode, and a symbolic link is followed. Raises OutputError naming the file.
    """
    place = Path(os.path.realpath(path))
    part = place.with_name(f".lcodec-{secrets.token_hex(8)}.part")
    try:
        with part.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            if place.exists():
                part.chmod(stat.S_IMODE(place.stat().st_mode))
            file.write(text)
        part.replace(place)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {reason(error)}") from None
    finally:
        part.unlink(missing_ok=True)
    return path

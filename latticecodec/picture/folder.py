"""The files of a folder: the ones that are wanted, and what else lies there."""

import os
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from ..errors import ImageError, reason
from . import formats

DOUBLE = "._"  # before the names of what macOS keeps beside files on other file systems


@dataclass(frozen=True)
class Found:
    """What lies below a folder, sorted.

    Attributes:
        wanted: files with one of the suffixes that were asked for.
        others: everything else but folders: other files, the doubles of macOS, links to folders, which are not
            followed since they may lead in circles, links to nothing, devices.
        closed: of folders that cannot be read, why.
    """

    wanted: list[Path]
    others: list[Path]
    closed: list[OSError]


def search(folder: Path, suffixes: Set[str]) -> Found:
    """The files below `folder` whose names end in one of `suffixes`, in small letters with their dots."""
    found = Found([], [], [])
    walked = []
    for top, folders, names in os.walk(folder, onerror=found.closed.append):
        walked += [Path(top, name) for name in names]
        walked += [Path(top, name) for name in folders if Path(top, name).is_symlink()]
    for path in sorted(walked):
        named = path.suffix.lower() in suffixes and not path.name.startswith(DOUBLE)
        (found.wanted if named and path.is_file() else found.others).append(path)
    return found


def find_images(folder: Path) -> list[Path]:
    """All image files below `folder`, sorted; raises ImageError where there are none, or a folder cannot be read."""
    if not folder.is_dir():
        raise ImageError(f"{folder}: no such folder")
    found = search(folder, formats.IMAGE_SUFFIXES)
    for error in found.closed:
        raise ImageError(f"{os.fsdecode(error.filename)}: the folder cannot be read: {reason(error)}")
    if not found.wanted:
        raise ImageError(f"{folder}: holds no image files ({', '.join(sorted(formats.IMAGE_SUFFIXES))})")
    return found.wanted

"""The files of a folder that are wanted."""

from collections.abc import Set
from pathlib import Path

from ..errors import ImageError
from .formats import IMAGE_SUFFIXES

DOUBLE = "._"  # before the names of what macOS keeps beside files on other file systems


def find_images(folder: Path) -> list[Path]:
    """All image files below `folder`, sorted; raises ImageError where there are none."""
    if not folder.is_dir():
        raise ImageError(f"{folder}: no such folder")
    files = sorted(path for path in folder.rglob("*") if is_wanted(path, IMAGE_SUFFIXES) and path.is_file())
    if not files:
        raise ImageError(f"{folder}: holds no image files ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return files


def is_wanted(path: Path, suffixes: Set[str]) -> bool:
    """Whether a file of a folder has one of these suffixes, in small letters with their dots, and is not a double."""
    return path.suffix.lower() in suffixes and not path.name.startswith(DOUBLE)

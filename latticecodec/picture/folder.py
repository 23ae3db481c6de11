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
    files = find_files(folder, IMAGE_SUFFIXES)
    if not files:
        raise ImageError(f"{folder}: holds no image files ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return files


def find_files(folder: Path, suffixes: Set[str]) -> list[Path]:
    """All files below `folder` with one of these suffixes, in small letters with their dots, sorted."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in suffixes)
    return sorted(path for path in found if not path.name.startswith(DOUBLE) and path.is_file())

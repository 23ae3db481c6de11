"""The image files of a folder."""

from pathlib import Path

from ..errors import ImageError

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".gif"}


def find_images(folder: Path) -> list[Path]:
    """All image files below `folder`, sorted; raises ImageError where there are none."""
    if not folder.is_dir():
        raise ImageError(f"{folder}: no such folder")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    if not files:
        raise ImageError(f"{folder}: holds no image files ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return files

"""The pictures of an evaluation: one file or a folder of them, as a codec takes them."""

from pathlib import Path

from PIL import Image

from ...errors import ImageError
from ...picture import Pixels, find_images, plain, to_pillow
from ...picture import read as read_picture


def listed(images: Path) -> list[Path]:
    """The image file itself, or all below a folder; raises ImageError where there are none."""
    return [images] if images.is_file() else find_images(images)


def label(file: Path, images: Path) -> str:
    """How a picture is called in a report: its path below the folder that was named."""
    return file.name if file == images else file.relative_to(images).as_posix()


def read(file: Path) -> Image.Image:
    """A picture as the model sees it: mode L or RGB, no metadata, unrotated; raises ImageError naming the file."""
    try:
        return to_pillow(Pixels(plain(read_picture(file))))
    except ImageError as error:
        raise ImageError(str(error) if str(error).startswith(f"{file}: ") else f"{file}: {error}") from None

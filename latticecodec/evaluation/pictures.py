"""The pictures of an evaluation: one file or a folder of them, as a codec takes them."""

from pathlib import Path

from PIL import Image

from ..errors import ImageError
from ..image import find_images, open_picture, to_pixels


def listed(images: Path) -> list[Path]:
    """The image file itself, or all below a folder; raises ImageError where there are none."""
    return [images] if images.is_file() else find_images(images)


def label(file: Path, images: Path) -> str:
    """How a picture is called in a report: its path below the folder that was named."""
    return file.name if file == images else file.relative_to(images).as_posix()


def read(file: Path) -> Image.Image:
    """A picture as the model sees it: mode L or RGB, upright, without metadata; raises ImageError naming the file."""
    try:
        pixels = to_pixels(open_picture(file))  # [H, W, C]
    except ImageError as error:
        raise ImageError(str(error) if str(file) in str(error) else f"{file}: {error}") from None
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)

"""Pictures of every kind in and out: Pixels between files, PIL images, arrays and tensors."""

from typing import TYPE_CHECKING

from .fidelity import psnr
from .folder import IMAGE_SUFFIXES, find_images
from .metadata import upright
from .pillow import to_pillow
from .pixels import GREY, RGB, Pixels, plain, to_array
from .reading import read, read_file
from .tensors import from_tensor, to_tensor
from .writing import KINDS, kind_of, save

if TYPE_CHECKING:
    from .reading import Picture as Picture

__all__ = [
    "GREY",
    "IMAGE_SUFFIXES",
    "KINDS",
    "RGB",
    "Pixels",
    "find_images",
    "from_tensor",
    "kind_of",
    "plain",
    "psnr",
    "read",
    "read_file",
    "save",
    "to_array",
    "to_pillow",
    "to_tensor",
    "upright",
]

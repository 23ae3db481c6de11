"""Pictures of every kind in and out: Pixels between files, PIL images, arrays and tensors."""

from typing import TYPE_CHECKING

from .fidelity import psnr
from .folder import find_images, search
from .formats import IMAGE_SUFFIXES, KINDS
from .metadata import upright
from .pillow import to_pillow
from .pixels import GREY, RGB, Pixels, Samples, plain, to_array
from .reading import read, read_file
from .strip import STRIPS, stripped
from .tensors import from_planes, to_planes
from .writing import kind_of, save

if TYPE_CHECKING:
    from .reading import Picture as Picture

__all__ = [
    "GREY",
    "IMAGE_SUFFIXES",
    "KINDS",
    "RGB",
    "STRIPS",
    "Pixels",
    "Samples",
    "find_images",
    "from_planes",
    "kind_of",
    "plain",
    "psnr",
    "read",
    "read_file",
    "save",
    "search",
    "stripped",
    "to_array",
    "to_pillow",
    "to_planes",
    "upright",
]

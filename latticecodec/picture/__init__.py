"""Pictures of every kind in and out: Pixels between files, PIL images, arrays and tensors.

Names are loaded on first use: who decodes needs none of the readers and writers of files.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .fidelity import psnr
    from .folder import find_images, search
    from .formats import IMAGE_SUFFIXES
    from .metadata import check_metadata, upright
    from .pillow import to_pillow
    from .pixels import Pixels, Samples, plain, to_array
    from .reading import Picture as Picture
    from .reading import read, read_file
    from .strip import STRIPS, strip_of, stripped
    from .tensors import from_planes, to_planes
    from .writing import kind_of, save

_NAMES = {
    "fidelity": ("psnr",),
    "folder": ("find_images", "search"),
    "formats": ("IMAGE_SUFFIXES",),
    "metadata": ("check_metadata", "upright"),
    "pillow": ("to_pillow",),
    "pixels": ("Pixels", "Samples", "plain", "to_array"),
    "reading": ("read", "read_file"),
    "strip": ("STRIPS", "strip_of", "stripped"),
    "tensors": ("from_planes", "to_planes"),
    "writing": ("kind_of", "save"),
}

__all__ = [
    "IMAGE_SUFFIXES",
    "STRIPS",
    "Pixels",
    "Samples",
    "check_metadata",
    "find_images",
    "from_planes",
    "kind_of",
    "plain",
    "psnr",
    "read",
    "read_file",
    "save",
    "search",
    "strip_of",
    "stripped",
    "to_array",
    "to_pillow",
    "to_planes",
    "upright",
]

__getattr__, __dir__ = lazy(__name__, _NAMES)

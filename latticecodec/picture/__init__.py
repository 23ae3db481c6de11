"""Pictures of every kind in and out: Pixels between files, PIL images, arrays and tensors.

Names are loaded on first use: who decodes needs none of the readers and writers of files.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fidelity import psnr
    from .folder import find_images, search
    from .formats import IMAGE_SUFFIXES
    from .metadata import check_metadata, upright
    from .pillow import to_pillow
    from .pixels import GREY, RGB, Pixels, Samples, plain, to_array
    from .reading import Picture as Picture
    from .reading import read, read_file
    from .strip import STRIPS, strip_of, stripped
    from .tensors import from_planes, to_planes
    from .writing import kind_of, save

_HOME = {
    "GREY": "pixels",
    "IMAGE_SUFFIXES": "formats",
    "RGB": "pixels",
    "STRIPS": "strip",
    "Pixels": "pixels",
    "Samples": "pixels",
    "check_metadata": "metadata",
    "find_images": "folder",
    "from_planes": "tensors",
    "kind_of": "writing",
    "plain": "pixels",
    "psnr": "fidelity",
    "read": "reading",
    "read_file": "reading",
    "save": "writing",
    "search": "folder",
    "strip_of": "strip",
    "stripped": "strip",
    "to_array": "pixels",
    "to_pillow": "pillow",
    "to_planes": "tensors",
    "upright": "metadata",
}

__all__ = [
    "GREY",
    "IMAGE_SUFFIXES",
    "RGB",
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


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]

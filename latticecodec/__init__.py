"""latticecodec: a neural image codec with learned lattice quantization and exact integer entropy coding.

    data = latticecodec.encode("photo.png", quality=50)    # bytes of an .lcq file
    picture = latticecodec.decode(data)                    # PIL image

Names are loaded on first use, so that importing the package, reading headers and listing models never import torch.
"""

from importlib import import_module

TYPE_CHECKING = False  # as in typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from typing import Any

    from .api import decode, encode
    from .codec import Codec, Damage
    from .container import Header, read_header
    from .errors import (
        ChecksumError,
        FormatError,
        ImageError,
        LcqError,
        LimitError,
        ModelError,
        OutputError,
        TargetError,
        TrainingError,
        VersionError,
    )
    from .zoo import list_models, load, models_path

__version__ = "0.1.0"

_HOME = {
    "encode": "api",
    "decode": "api",
    "Codec": "codec",
    "Damage": "codec",
    "Header": "container",
    "read_header": "container",
    "list_models": "zoo",
    "load": "zoo",
    "models_path": "zoo",
    "ChecksumError": "errors",
    "FormatError": "errors",
    "ImageError": "errors",
    "LcqError": "errors",
    "LimitError": "errors",
    "ModelError": "errors",
    "OutputError": "errors",
    "TargetError": "errors",
    "TrainingError": "errors",
    "VersionError": "errors",
}

__all__ = [
    "ChecksumError",
    "Codec",
    "Damage",
    "FormatError",
    "Header",
    "ImageError",
    "LcqError",
    "LimitError",
    "ModelError",
    "OutputError",
    "TargetError",
    "TrainingError",
    "VersionError",
    "decode",
    "encode",
    "list_models",
    "load",
    "models_path",
    "read_header",
]


def __getattr__(name: str) -> "Any":
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]

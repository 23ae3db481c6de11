"""latticecodec: a neural image codec with learned lattice quantization and exact integer entropy coding.

    data = latticecodec.encode("photo.png", quality=50)    # bytes of an .lcq file
    picture = latticecodec.decode(data)                    # PIL image

Names are loaded on first use, so that importing the package, reading headers and listing models never import torch.
"""

from .lazy import lazy

TYPE_CHECKING = False  # as in typing, which takes longer to import than all of this
if TYPE_CHECKING:
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

_NAMES = {
    "api": ("decode", "encode"),
    "codec": ("Codec", "Damage"),
    "container": ("Header", "read_header"),
    "errors": (
        "ChecksumError",
        "FormatError",
        "ImageError",
        "LcqError",
        "LimitError",
        "ModelError",
        "OutputError",
        "TargetError",
        "TrainingError",
        "VersionError",
    ),
    "zoo": ("list_models", "load", "models_path"),
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

__getattr__, __dir__ = lazy(__name__, _NAMES)

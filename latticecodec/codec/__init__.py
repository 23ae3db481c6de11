"""Codec: a picture to the bytes of an .lcq file and back, with one loaded model.

Names are loaded on first use, and so is what `Codec` needs for each of the things that it can do.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .codec import Codec, silent
    from .decoder import Damage, indices_of, pixels_of
    from .encoder import Encoding, indices_sha256
    from .encoding import check, encoded
    from .options import EncodeOptions

_HOME = {
    "Codec": "codec",
    "Damage": "decoder",
    "EncodeOptions": "options",
    "Encoding": "encoder",
    "check": "encoding",
    "encoded": "encoding",
    "indices_of": "decoder",
    "indices_sha256": "encoder",
    "pixels_of": "decoder",
    "silent": "codec",
}

__all__ = [
    "Codec",
    "Damage",
    "EncodeOptions",
    "Encoding",
    "check",
    "encoded",
    "indices_of",
    "indices_sha256",
    "pixels_of",
    "silent",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]

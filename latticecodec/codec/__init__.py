"""Codec: a picture to the bytes of an .lcq file and back, with one loaded model.

Names are loaded on first use, and so is what `Codec` needs for each of the things that it can do.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .call import silent
    from .codec import Codec
    from .compress import encoded_without_loss
    from .decoder import Damage, indices_of, pixels_of
    from .encoding import Encoding, indices_sha256
    from .options import EncodeOptions
    from .search import ReachError

_HOME = {
    "Codec": "codec",
    "Damage": "decoder",
    "EncodeOptions": "options",
    "Encoding": "encoding",
    "ReachError": "search",
    "encoded_without_loss": "compress",
    "indices_of": "decoder",
    "indices_sha256": "encoding",
    "pixels_of": "decoder",
    "silent": "call",
}

__all__ = [
    "Codec",
    "Damage",
    "EncodeOptions",
    "Encoding",
    "ReachError",
    "encoded_without_loss",
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

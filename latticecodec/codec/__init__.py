"""Codec: a picture to the bytes of an .lcq file and back, with one loaded model.

Names are loaded on first use, and so is what `Codec` needs for each of the things that it can do.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .call import silent
    from .codec import Codec
    from .compress import check, encoded
    from .decoder import Damage, indices_of, pixels_of
    from .encoding import Encoding, indices_sha256
    from .options import EncodeOptions

_NAMES = {
    "call": ("silent",),
    "codec": ("Codec",),
    "compress": ("check", "encoded"),
    "decoder": ("Damage", "indices_of", "pixels_of"),
    "encoding": ("Encoding", "indices_sha256"),
    "options": ("EncodeOptions",),
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

__getattr__, __dir__ = lazy(__name__, _NAMES)

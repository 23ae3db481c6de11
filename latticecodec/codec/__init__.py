"""Codec: a picture to the bytes of an .lcq file and back, with one loaded model."""

from .codec import Codec
from .decoder import Damage
from .encoder import Encoding, indices_sha256
from .options import EncodeOptions

__all__ = ["Codec", "Damage", "EncodeOptions", "Encoding", "indices_sha256"]

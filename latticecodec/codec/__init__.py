"""Codec: a picture to the bytes of an .lcq file and back, with one loaded model."""

from .codec import Codec
from .decoder import Damage
from .encoder import Encoding, indices_sha256

__all__ = ["Codec", "Damage", "Encoding", "indices_sha256"]

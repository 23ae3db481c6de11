"""What an encode gives: the bytes, and what they were made of."""

import hashlib
from dataclasses import dataclass

from ..container import Box, Header
from ..entropy.coder import Int32
from ..picture import Samples
from .tiling import Indices, gather, index_bytes, latent_size


@dataclass(frozen=True)
class Encoding:
    """What `Codec.encode_detailed` returns."""

    data: bytes  # the .lcq file
    header: Header
    tiles: dict[int, Indices]  # index tensor of each tile
    positions: int  # of the index tensor for a latent position, each way
    estimated_bits: float  # the prior's information content of the coded symbols
    layer: Samples | None = None  # what exact squares show, [H, W, C]; None: what the picture does
    note: str = ""  # where a target lies beyond the range of rates: why the file is at its end

    @property
    def quality(self) -> float:
        """0..100."""
        return self.header.quality

    @property
    def indices(self) -> Int32:
        """Index tensor of the whole picture, [C, h, w]."""
        whole = Box(0, 0, *latent_size(self.header))
        return gather(self.header, self.tiles, whole, len(self.tiles[0]), self.positions)

    @property
    def indices_sha256(self) -> str:
        """SHA-256 of the index tensor, little-endian int32 in C order; channel by channel, for the sake of memory."""
        digest, whole = hashlib.sha256(), Box(0, 0, *latent_size(self.header))
        for channel in range(len(self.tiles[0])):
            plane = {number: indices[channel : channel + 1] for number, indices in self.tiles.items()}
            digest.update(index_bytes(gather(self.header, plane, whole, 1, self.positions)))  # [1, h, w]
        return digest.hexdigest()


def indices_sha256(indices: Int32) -> str:
    """SHA-256 of an index tensor, over little-endian int32 in C order, in hex."""
    return hashlib.sha256(index_bytes(indices)).hexdigest()

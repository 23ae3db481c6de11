"""One file to one picture, or to a region of it.

pixels ◄─ painter ◄─ index tensors ◄─ bottleneck ◄─ payloads ◄─ container ◄─ bytes
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from ..coder import Int32
from ..config import PATCH
from ..container import Box, Reader, Tile
from ..errors import ChecksumError, FormatError
from ..picture import Pixels, Samples
from ..picture import alpha as coding
from .networks import Networks
from .painter import Painter
from .tiling import Indices, compact, gather, index_bytes, latent_box, latent_size, view


@dataclass(frozen=True)
class Damage:
    """A tile that cannot be decoded."""

    tile: int  # number, counted row by row
    box: Box  # where it lies
    error: FormatError


class PictureDecoder:
    """A file, ready to be decoded."""

    def __init__(
        self,
        networks: Networks,
        reader: Reader,
        on_damage: Callable[[Damage], None] | None = None,
    ) -> None:
        """`on_damage` is called with each tile that is damaged; without it the first one raises.

        Raises ModelError or FormatError where the header does not fit the model.
        """
        self._painter = Painter(networks, reader.header)
        self._bottleneck, self._reader, self._header = networks.bottleneck, reader, reader.header
        self._on_damage = on_damage
        self._damaged: list[Box] = []

    def indices(self) -> Int32:
        """Index tensor [C, h, w] of the whole picture, checked against the file's CRC of each tile."""
        header, bottleneck = self._header, self._bottleneck
        tiles = {number: self._decode(number, self._reader.tile(number)) for number in range(header.tiles)}
        whole = Box(0, 0, *latent_size(header))
        return gather(header, tiles, whole, bottleneck.channels, bottleneck.positions)

    def pixels(self, region: Box, report: Callable[[int, int], None]) -> Pixels:
        """The pixels of a region, with the metadata of the file.

        Only tiles that the region depends on are read. Those that are damaged are grey, and opaque.
        """
        header = self._header
        read = self._read(region.grown(PATCH * self._painter.reach, header.width, header.height))
        peak = (1 << header.bit_depth) - 1
        alpha = self._painter.blank(region, value=peak) if header.alpha else None
        tiles: dict[int, Indices] = {}
        for done, (number, tile) in enumerate(read.items()):
            try:
                indices = self._decode(number, tile)
                if alpha is not None:
                    self._place_alpha(alpha, region, header.box(number), tile.alpha)
                tiles[number] = indices
            except FormatError as error:
                self._damage(number, error)
            report(done + 1, 2 * len(read))
        colour = self._painter.colour(tiles, region, lambda done, total: report(total + done, 2 * total))  # [H, W, C]
        for box in self._damaged:
            view(colour, region, box)[:] = (peak + 1) // 2
        return Pixels(colour, alpha, header.icc, header.exif, header.xmp)

    def _read(self, seen: Box) -> dict[int, Tile]:
        """The tiles that have pixels of `seen`, by number."""
        found = {}
        for number, box in enumerate(self._header.boxes()):
            if box.meets(seen):
                try:
                    found[number] = self._reader.tile(number)
                except FormatError as error:
                    self._damage(number, error)
        return found

    def _damage(self, number: int, error: FormatError) -> None:
        if self._on_damage is None:
            raise error
        box = self._header.box(number)
        self._damaged.append(box)
        self._on_damage(Damage(number, box, error))

    def _decode(self, number: int, tile: Tile) -> Indices:
        """Index tensor of a tile; raises FormatError where the payload is none, or does not match its checksum."""
        box = latent_box(self._header.box(number))
        indices = self._bottleneck.decode(tile.payload, self._painter.rate, box.height, box.width)  # [C, h, w]
        if zlib.crc32(index_bytes(indices)) != tile.indices_crc:
            raise ChecksumError(f"tile {number}: the decoded indices do not match their checksum, the file is damaged")
        return compact(indices)

    def _place_alpha(self, alpha: Samples, region: Box, box: Box, data: bytes) -> None:
        """Decode the alpha channel of a tile into that of the region."""
        if box.meets(region):
            plane = coding.decode(data, box.height, box.width, self._header.bit_depth)  # [h, w]
            view(alpha, region, box)[:] = view(plane, box, region)

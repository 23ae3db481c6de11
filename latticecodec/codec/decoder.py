"""One file to one picture, or to a region of it.

pixels ◄─ painter ◄─ index tensors ◄─ kind ◄─ payloads ◄─ container ◄─ bytes
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ..config import PATCH
from ..container import Box, Reader, Tile
from ..entropy.coder import Int32
from ..errors import ChecksumError, FormatError
from .model import Model
from .tiling import Indices, compact, gather, index_bytes, latent_box, latent_size, view

if TYPE_CHECKING:
    from ..picture import Pixels, Samples


@dataclass(frozen=True)
class Damage:
    """A tile that cannot be decoded.

    Attributes:
        tile: number, counted row by row.
        box: where it lies, in pixels of the whole picture.
        error: what is wrong with it.
        inside: what of `box` lies in the region that was asked for, and is grey there. None where the tile lies beside
            the region, of which only pixels near the tile are off.
    """

    tile: int
    box: Box
    error: FormatError
    inside: Box | None


class PictureDecoder:
    """A file, ready to be decoded."""

    def __init__(
        self,
        model: Model,
        reader: Reader,
        on_damage: Callable[[Damage], None] | None = None,
    ) -> None:
        """`on_damage` is called with each tile that is damaged and needed; without it the first one raises.

        Raises ModelError where the header does not fit the model.
        """
        self._model, self._rate = model, model.rate_of(reader.header)
        self._reader, self.header = reader, reader.header
        self._on_damage = on_damage
        self._damaged: list[Damage] = []

    def indices(self) -> Int32:
        """Index tensor [C, h, w] of the whole picture, checked against the file's CRC of each tile; 0 if damaged."""
        header, kind = self.header, self._model.kind
        picture = Box(0, 0, header.width, header.height)
        tiles: dict[int, Indices] = {}
        results = _in_order(lambda number: self._decode(number, self._reader.tile(number)), range(header.tiles))
        for number, result in enumerate(results):
            try:
                tiles[number] = result()
            except FormatError as error:
                self._damage(number, picture, error)
        whole = Box(0, 0, *latent_size(header))
        return gather(header, tiles, whole, kind.channels, kind.positions)

    def pixels(self, region: Box, report: Callable[[int, int], None]) -> "Pixels":
        """The pixels of a region, with the metadata of the file.

        Only tiles that the region depends on are read: those in it, and those around it as far as the synthesis sees.
        Those that are damaged are grey, and opaque; pixels that far around them are not as they were.
        """
        from ..picture import Pixels
        from .painter import Painter

        header, painter = self.header, Painter(self._model, self.header)
        read = self._read(region, painter.reach)
        peak = (1 << header.bit_depth) - 1
        alpha = painter.blank(region, value=peak) if header.alpha else None
        tiles: dict[int, Indices] = {}
        results = _in_order(lambda number: self._decode(number, read[number]), list(read))
        for done, (number, result) in enumerate(zip(read, results, strict=True)):
            try:
                indices = result()
                if alpha is not None:
                    self._place_alpha(alpha, region, header.box(number), read[number].alpha)
                tiles[number] = indices
            except FormatError as error:
                self._damage(number, region, error)
            report(done + 1, 2 * len(read))
        colour = painter.colour(tiles, region, lambda done, total: report(total + done, 2 * total))  # [H, W, C]
        for damage in self._damaged:
            view(colour, region, damage.box)[:] = (peak + 1) // 2
        return Pixels(colour, alpha, header.icc, header.exif, header.xmp, header.cicp)

    def _read(self, region: Box, reach: int) -> dict[int, Tile]:
        """The tiles that a region depends on, as far as `reach` latent positions around it, by number."""
        seen = region.grown(PATCH * reach, self.header.width, self.header.height)
        found = {}
        for number, box in enumerate(self.header.boxes()):
            if box.meets(seen):
                try:
                    found[number] = self._reader.tile(number)
                except FormatError as error:
                    self._damage(number, region, error)
        return found

    def _damage(self, number: int, region: Box, error: FormatError) -> None:
        """Tell of a damaged tile that `region` depends on, or raise its error."""
        if self._on_damage is None:
            raise error
        box = self.header.box(number)
        self._damaged.append(Damage(number, box, error, _common(box, region)))
        self._on_damage(self._damaged[-1])

    def _decode(self, number: int, tile: Tile) -> Indices:
        """Index tensor of a tile; raises FormatError where the payload is none, or does not match its checksum."""
        box = latent_box(self.header.box(number))
        indices = self._model.kind.decode(tile.payload, self._rate, box.height, box.width)  # [C, h, w]
        if zlib.crc32(index_bytes(indices)) != tile.indices_crc:
            raise ChecksumError(f"tile {number}: the decoded indices do not match their checksum, the file is damaged")
        return compact(indices)

    def _place_alpha(self, alpha: "Samples", region: Box, box: Box, data: bytes) -> None:
        """Decode the alpha channel of a tile into that of the region."""
        from ..picture import alpha as coding

        if box.meets(region):
            plane = coding.decode(data, box.height, box.width, self.header.bit_depth)  # [h, w]
            view(alpha, region, box)[:] = view(plane, box, region)


def _in_order(decode: Callable[[int], Indices], numbers: Sequence[int]) -> Iterator[Callable[[], Indices]]:
    """See `parallel.in_order`, which is not imported for a single tile."""
    if len(numbers) == 1:
        return iter([partial(decode, numbers[0])])
    from .parallel import in_order

    return in_order(decode, numbers)


def _common(box: Box, region: Box) -> Box | None:
    """What of `box` lies in `region`; None where they do not meet."""
    if not box.meets(region):
        return None
    left, top = max(box.left, region.left), max(box.top, region.top)
    return Box(left, top, min(box.right, region.right) - left, min(box.bottom, region.bottom) - top)

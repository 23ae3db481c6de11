"""One file to one picture, or to a region of it.

pixels ◄─ painter ◄─ index tensors ◄─ kind ◄─ payloads ◄─ container ◄─ bytes
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..config import PATCH
from ..container import Box, Reader, Tile
from ..entropy.coder import Int32
from ..errors import ChecksumError, FormatError, ModelError
from .call import own_errors, silent
from .model import Model
from .tiling import Indices, compact, gather, index_crc, latent_box, latent_size, view

if TYPE_CHECKING:
    from ..backends.backend import Report
    from ..picture import Pixels, Samples
    from .region import Region


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

    def __init__(self, model: Model | None, reader: Reader, on_damage: Callable[[Damage], None] | None) -> None:
        """`on_damage` is called with each tile that is damaged and needed; without it the first one raises.

        A file that names no model takes none. Raises ModelError where it is of another model, or its header does not
        fit, and without `on_damage` FormatError where it is longer or shorter than it says.
        """
        header = reader.header
        if header.names_model and (model is None or header.model != model.digest):
            given = "none" if model is None else model.digest.hex()
            raise ModelError(f"the file was written with model {header.model.hex()}, but this is {given}")
        if on_damage is None:
            reader.check_length()
        self._model = model if header.names_model else None
        if self._model is not None:
            self._rate = self._model.rate_of(header)
        self._reader, self.header, self._on_damage = reader, header, on_damage
        self._damaged: list[Damage] = []

    def indices(self, stored: bool = False) -> Int32:
        """Index tensor [C, h, w] of the whole picture, checked against the file's CRC of each tile; 0 if damaged.

        C is 0 without a model. With `stored` a tile whose alpha or exact colours are none is damaged too; else these
        are not looked at.
        """
        header = self.header
        channels, positions = self._shape
        picture = Box(0, 0, header.width, header.height)
        tiles: dict[int, Indices] = {}

        def decode(number: int) -> Indices:
            tile = self._reader.tile(number)
            indices = self._decode(number, tile)
            with _of_tile(number):
                if stored:
                    self._stored(header.box(number), tile)
            return indices

        results = _in_order(decode, range(header.tiles))
        for number, result in enumerate(results):
            try:
                tiles[number] = result()
            except FormatError as error:
                self._damage(number, picture, error)
        whole = Box(0, 0, *latent_size(header))
        return gather(header, tiles, whole, channels, positions)

    def pixels(self, region: Box, report: "Report") -> "Pixels":
        """The pixels of a region, with the metadata of the file.

        Only tiles that the region depends on are read: those in it, and those around it as far as the synthesis sees.
        Those that are damaged are grey, and opaque; pixels that far around them are not as they were.
        """
        from ..picture import Pixels
        from .painter import Painter, blank

        header = self.header
        painter = None
        if self._model is not None and header.squares.any(region, exact=False):
            painter = Painter(self._model, header)
        read = self._read(region, 0 if painter is None else painter.reach)
        peak = (1 << header.bit_depth) - 1
        alpha = blank(header, region, value=peak) if header.alpha else None
        colour = blank(header, region, header.colours)  # [H, W, C]
        tiles: dict[int, Indices] = {}
        results = _in_order(lambda number: self._decode(number, read[number]), list(read))
        for done, (number, result) in enumerate(zip(read, results, strict=True)):
            try:
                indices = result()
                with _of_tile(number):
                    self._place(colour, alpha, region, header.box(number), read[number])
                tiles[number] = indices
            except FormatError as error:
                self._damage(number, region, error)
            report(done + 1, 2 * len(read))
        if painter is None:
            report(1, 1)
        else:
            painter.paint(colour, tiles, region, lambda done, total: report(total + done, 2 * total))
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
        self._damaged.append(Damage(number, box, error, box.common(region) if box.meets(region) else None))
        self._on_damage(self._damaged[-1])

    def _decode(self, number: int, tile: Tile) -> Indices:
        """Index tensor of a tile; raises FormatError where the payload is none, or does not match its checksum."""
        window = latent_box(self.header.box(number))
        coded = tile.payload.strip(b"\0") or self.header.squares.any(self.header.box(number), exact=False)
        if not coded:  # a tile that is wholly exact
            channels, positions = self._shape
            indices = np.zeros((channels, positions * window.height, positions * window.width), np.int32)  # [C, h, w]
        elif self._model is None:
            raise FormatError(f"tile {number}: it has more than exact colours and names no model, the file is damaged")
        else:
            with _of_tile(number):
                indices = self._model.kind.decode(tile.payload, self._rate, window.height, window.width)  # [C, h, w]
        if index_crc(indices) != tile.indices_crc:
            raise ChecksumError(f"tile {number}: the decoded indices do not match their checksum, the file is damaged")
        return compact(indices)

    @property
    def _shape(self) -> tuple[int, int]:
        """Channels of the index tensor, and its positions for a latent position, each way."""
        return (0, 1) if self._model is None else (self._model.kind.channels, self._model.kind.positions)

    def _place(self, colour: "Samples", alpha: "Samples | None", region: Box, box: Box, tile: Tile) -> None:
        """Put what a tile stores without the networks into a region's colours [H, W, C] and alpha [H, W]."""
        if not box.meets(region):
            return
        exact, plane = self._stored(box, tile)
        if exact is not None:
            for piece in self.header.squares.within(box.common(region), exact=True):
                view(colour, region, piece)[:] = view(exact, box, piece)
        if alpha is not None and plane is not None:
            view(alpha, region, box)[:] = view(plane, box, region)

    def _stored(self, box: Box, tile: Tile) -> "tuple[Samples | None, Samples | None]":
        """Exact colours [h, w, C] and alpha [h, w] of a tile, None where it has none; raises FormatError."""
        from ..picture import alpha as coding
        from ..picture import exact

        header, colour, plane = self.header, None, None
        if tile.exact:
            samples = header.colours, header.bit_depth, header.alpha and not tile.alpha
            colour, plane = exact.decode(tile.exact, box.height, box.width, *samples)
        if header.alpha and plane is None:
            plane = coding.decode(tile.alpha, box.height, box.width, header.bit_depth)
        return colour, plane


@contextmanager
def _of_tile(number: int) -> Iterator[None]:
    """What is wrong inside with the contents of a tile says which it is."""
    try:
        yield
    except FormatError as error:
        raise type(error)(f"tile {number}: {error}") from None


def _in_order(decode: Callable[[int], Indices], numbers: Sequence[int]) -> Iterator[Callable[[], Indices]]:
    """See `parallel.in_order`, which is not imported for a single tile."""
    if len(numbers) == 1:
        return iter([partial(decode, numbers[0])])
    from .parallel import in_order

    return in_order(decode, numbers)


def pixels_of(
    model: Model | None,
    reader: Reader,
    region: "Region | None" = None,
    on_damage: Callable[[Damage], None] | None = None,
    report: "Report" = silent,
) -> "Pixels":
    """See `Codec.decode_pixels`; `model` may be None for a file that names none."""
    from .region import box_of

    with own_errors():
        decoder = PictureDecoder(model, reader, on_damage)
        return decoder.pixels(box_of(region, decoder.header), report)


def indices_of(
    model: Model | None, reader: Reader, on_damage: Callable[[Damage], None] | None = None, stored: bool = False
) -> Int32:
    """See `Codec.decode_indices`; `model` may be None for a file that names none. `stored`: see `PictureDecoder`."""
    with own_errors():
        return PictureDecoder(model, reader, on_damage).indices(stored)

"""Colours that squares may be stored in, and what that costs."""

from dataclasses import replace
from functools import cached_property

import numpy as np

from ...container import Header, mask_of
from ...picture import Pixels, Samples
from ..call import silent
from ..encoder import PictureEncoder
from ..encoding import Encoding
from .lossless import lossless
from .mixed import stored_tile
from .statistics import PerSquare, Statistics, by_squares, strips
from .stored import Stored


class Layer:
    """A picture in its own colours or in fewer, ready to be stored, all of it or some squares."""

    def __init__(
        self, pixels: Pixels, colour: Samples, tile: int | None, encoder: PictureEncoder, found: Statistics
    ) -> None:
        """`colour` is stored of `pixels`, [H, W, C]; `tile` is as asked for, `encoder` that without exact squares."""
        self.colour = colour
        self._pixels, self._tile, self._encoder, self._statistics = pixels, tile, encoder, found

    def cost(self, weight: float) -> PerSquare:
        """Bits of each square, and `weight` times its error."""
        return self._bits + weight * self.errors

    @cached_property
    def errors(self) -> PerSquare:
        """Squared errors of the squares; 0 where the colours are the picture's own."""
        return squared_errors(self.colour, self._pixels)

    @cached_property
    def whole(self) -> Encoding:
        """The file of which all is stored."""
        own = replace(self._pixels, colour=self.colour)
        return replace(lossless(own, self._tile, silent), layer=self.colour)

    def coded(self, header: Header) -> list[Stored]:
        """What is stored of each tile of a file, by the mask in its header."""
        boxes = zip(header.boxes(), self._encoder.stored, strict=True)
        return [stored_tile(header, self.colour, self._pixels.alpha, box, tile.alpha) for box, tile in boxes]

    @cached_property
    def _bits(self) -> PerSquare:
        """What squares take: as the statistics say, and all plain ones together what a trial takes."""
        bits, plain = self._statistics.bits.copy(), self._statistics.plain
        before = sum(tile.size for tile in self._encoder.stored)  # alpha, which is there in any case
        if plain.all():
            bits *= 8 * (len(self.whole.data) - before) / bits.sum()
        elif plain.any():
            header = replace(self._encoder.header, exact=mask_of(plain.ravel().tolist()))
            bits[plain] *= 8 * (sum(tile.size for tile in self.coded(header)) - before) / bits[plain].sum()
        return bits


def squared_errors(colour: Samples, pixels: Pixels) -> PerSquare:
    """Squared errors of colours [H, W, C], of 255^2 MSE a pixel, summed over the pixels of each square.

    Where alpha is 0 nothing is seen, and there is no error.
    """
    unit = 255 / ((1 << pixels.depth) - 1)
    sums = []
    for rows in strips(pixels.height):
        difference = np.subtract(colour[rows], pixels.colour[rows], dtype=np.float32)  # [h, W, C]
        if pixels.alpha is not None:
            difference[pixels.alpha[rows] == 0] = 0
        sums.append(by_squares(np.square(unit * difference).mean(axis=2)))
    return np.concatenate(sums)

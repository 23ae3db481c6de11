"""Colours that squares may be stored in, and what that costs."""

from dataclasses import replace
from functools import cached_property

import numpy as np

from ..container import Header, mask_of
from ..picture import Pixels, Samples
from .encoder import Encoding
from .lossless import exact_colours, lossless
from .statistics import Squares, Statistics, by_squares, strips


class Layer:
    """A picture in its own colours or in fewer, ready to be stored, all of it or some squares."""

    def __init__(self, pixels: Pixels, colour: Samples, header: Header, tile: int | None, found: Statistics) -> None:
        """`colour` is what is stored of `pixels`, [H, W, C]; `header` is that of a neural file, `tile` as asked for."""
        self.colour = colour
        self._pixels, self._header, self._tile, self._statistics = pixels, header, tile, found

    def cost(self, weight: float) -> Squares:
        """Bits of each square, and `weight` times its error."""
        return self._bits + weight * self.errors

    @cached_property
    def errors(self) -> Squares:
        """Squared errors of the squares; 0 where the colours are the picture's own."""
        return squared_errors(self.colour, self._pixels)

    @cached_property
    def whole(self) -> Encoding:
        """The file of which all is stored."""
        own = replace(self._pixels, colour=self.colour)
        return replace(lossless(own, self._tile, lambda done, total: None), layer=self.colour)

    def coded(self, header: Header) -> dict[int, bytes]:
        """What is stored of each tile of a file, by the mask in its header."""
        return {number: exact_colours(header, self.colour, box) for number, box in enumerate(header.boxes())}

    @cached_property
    def _bits(self) -> Squares:
        """What squares take: as the statistics say, and all plain ones together what a trial takes."""
        bits, plain = self._statistics.bits.copy(), self._statistics.plain
        if plain.any():
            header = replace(self._header, exact=mask_of(plain.ravel().tolist()))
            bits[plain] *= 8 * sum(map(len, self.coded(header).values())) / bits[plain].sum()
        return bits


def squared_errors(colour: Samples, pixels: Pixels) -> Squares:
    """Squared errors of colours [H, W, C], of 255^2 MSE a pixel, summed over the pixels of each square."""
    unit = 255 / ((1 << pixels.depth) - 1)
    sums = []
    for rows in strips(pixels.height):
        difference = np.subtract(colour[rows], pixels.colour[rows], dtype=np.float32)  # [h, W, C]
        sums.append(by_squares(np.square(unit * difference).mean(axis=2)))
    return np.concatenate(sums)

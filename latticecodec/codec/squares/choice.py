"""Which squares are stored, and in what colours: those that cost less so, by rate and distortion.

neural ─► what each square costs: its bits, and lambda times its squared error ─┐
statistics ─► the layers: own colours, and fewer, as the quality allows         │
layers, trials ─► what each square costs so ────────────────────────────────────┴─► mask ─► the cheapest of
                                        neural, a layer where the mask says, a layer alone
"""

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ... import container
from ...config import PATCH
from ...container import SQUARE, Box, mask_of
from ...kinds import Rate
from ...picture import Pixels, Samples
from ..encoder import PictureEncoder
from ..encoding import Encoding
from ..model import Model
from ..painter import Painter
from .hidden import black
from .layer import Layer, squared_errors
from .mixed import seen_by_networks
from .palette import Palette
from .repeats import repeated
from .statistics import PerSquare, Statistics, by_squares, has_few_colours, statistics_of

DRAWN = 0.04  # part of the squares that must look drawn for a trial; 0.03 of one photograph of Kodak do
CHEAP = 1.0  # bits a pixel without loss, below which a picture gets one too
HEADROOM = 0.4  # a payload of more than this part of what statistics expect without loss is compared with that
SLACK = 64  # bytes that a picture that is cheap may take more to be exact
REDUCED = 0.05  # bits a pixel that the error of fewer colours may cost
FINER = (10.0, 1.0, 0.1, 0.01)  # mean squared errors below that, tried as long as they are better


class Choice:
    """A picture, ready to be encoded at any rate, stored where that is cheaper."""

    def __init__(self, model: Model, pixels: Pixels, tile: int | None, encoder: PictureEncoder) -> None:
        """`tile` is as asked for; `encoder` has the picture without exact squares."""
        self._model, self._pixels, self._tile, self._encoder = model, pixels, tile, encoder
        self._whole = Box(0, 0, pixels.width, pixels.height)
        self._fewer: dict[int, Layer] = {}  # of the last rate, by the number of colours

    def attempt(self, rate: Rate) -> Encoding:
        """The file at a rate."""
        neural = self._encoder.attempt(rate, embed_basis=False)
        statistics = self._statistics
        expected = statistics.bits.sum()
        cheap = expected < CHEAP * self._pixels.width * self._pixels.height
        if not (cheap or statistics.drawn.mean() >= DRAWN or self._few):
            if neural.estimated_bits < HEADROOM * expected * (1 - self._repeated):
                return neural
            return self._within_promise(neural, rate)
        weight = self._model.config.rate_weight(rate.t)  # bits a pixel, of 255^2 MSE
        drawn = Painter(self._model, neural.header).colour(neural.tiles, self._whole)  # [H, W, C]
        lost = weight * squared_errors(drawn, self._pixels)  # bits, [rows, columns]
        spent = self._neural_bits(neural) + lost  # [rows, columns]
        best = self._best_layer(rate, weight, spent)
        stored = best.cost(weight) < spent  # [rows, columns]
        costs = [(8.0 * len(neural.data) + lost.sum(), neural)]
        if stored.any() and not stored.all():
            mixed = self._mixed(rate, best, stored)
            costs.append((8 * len(mixed.data) + np.where(stored, weight * best.errors, lost).sum(), mixed))
        for layer in dict.fromkeys((self._own, best)):
            whole = self._alone(layer, rate)
            slack = SLACK * cheap if layer is self._own else 0
            costs.append((8.0 * (len(whole.data) - slack) + weight * layer.errors.sum(), whole))
        return self._within_promise(min(costs, key=lambda cost: cost[0])[1], rate)

    def _within_promise(self, encoding: Encoding, rate: Rate) -> Encoding:
        """No file is larger than that which is wholly exact."""
        exact = self._alone(self._own, rate)
        return encoding if len(encoding.data) < len(exact.data) else exact

    @cached_property
    def _colour(self) -> Samples:
        """What is stored at best, [H, W, C]."""
        return black(self._pixels)

    @cached_property
    def _statistics(self) -> Statistics:
        return statistics_of(self._colour)

    @cached_property
    def _few(self) -> bool:
        return has_few_colours(self._colour)

    @cached_property
    def _repeated(self) -> float:
        return repeated(self._colour)

    @cached_property
    def _own(self) -> Layer:
        return self._layer(self._colour)

    def _best_layer(self, rate: Rate, weight: float, spent: PerSquare) -> Layer:
        """In the picture's own colours, or in fewer where it is drawn and quality 100 was not asked for.

        After the fewest colours that the quality allows come those of higher ones, as far as they are better or the own
        colours are best: or more would be lost at a higher quality, where only fewer colours cost less than these.
        """
        palette, known, best, most = self._palette, self._fewer, self._own, REDUCED / weight
        if palette is None or rate.quality >= 100:
            return best
        self._fewer = {}
        for error in (most, *(error for error in FINER if error < most)):
            counts = palette.counts(error)[: 2 if error == most else 1]
            found = {count: known.get(count) or self._layer(palette.reduced(count)) for count in counts}
            known, self._fewer = known | found, self._fewer | found
            last = best
            best = min([best, *found.values()], key=lambda layer: float(np.minimum(layer.cost(weight), spent).sum()))
            if found and best is last is not self._own:
                break
        return best

    @cached_property
    def _palette(self) -> Palette | None:
        """Of the plain squares, where the picture is drawn and has 8 bits a sample."""
        plain = self._statistics.plain
        if self._statistics.drawn.mean() < DRAWN or self._pixels.depth != 8:
            return None
        where = plain.repeat(SQUARE, axis=0).repeat(SQUARE, axis=1)  # [H', W']
        return Palette(self._colour, where[: self._pixels.height, : self._pixels.width])

    def _layer(self, colour: Samples) -> Layer:
        return Layer(self._pixels, colour, self._tile, self._encoder, self._statistics)

    def _alone(self, layer: Layer, rate: Rate) -> Encoding:
        """The file of which all is stored, with the quality that was asked for in its header."""
        header, tiles = container.read(layer.whole.data)
        header = replace(header, quality=rate.quality)
        return replace(layer.whole, data=container.write(header, tiles), header=header)

    def _neural_bits(self, neural: Encoding) -> PerSquare:
        """What squares take of a neural file: its bits, shared out by the magnitude of the indices."""
        rows, columns = self._statistics.bits.shape
        shares = np.full((rows, columns), 1.0)
        wide = neural.positions * SQUARE // PATCH  # indices of a square, each way
        for number, box in enumerate(neural.header.boxes()):
            magnitude = np.log2(1 + np.abs(neural.tiles[number].astype(np.float32))).sum(axis=0)  # [h, w]
            top, left = box.top // SQUARE, box.left // SQUARE
            found = by_squares(magnitude, wide)  # [rows, columns] of the tile
            shares[top : top + len(found), left : left + found.shape[1]] += found
        found_bits: PerSquare = neural.estimated_bits * shares / shares.sum()
        return found_bits

    def _mixed(self, rate: Rate, layer: Layer, stored: NDArray[np.bool_]) -> Encoding:
        """The file with some squares stored."""
        header = replace(self._encoder.header, exact=mask_of(stored.ravel().tolist()))
        encoder = self._encoder.with_exact(
            header, seen_by_networks(header, self._encoder.pixels.colour), layer.coded(header)
        )
        return replace(encoder.attempt(rate, embed_basis=False), layer=layer.colour)

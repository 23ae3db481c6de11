"""Which squares are exact: those that take fewer bits so for what it gives, by rate and distortion.

neural ─► what each square costs: its bits, and lambda times its squared error ─┐
statistics, a trial ─► what each square takes without loss ─────────────────────┴─► mask ─► the cheapest of
                                                               neural, exact where the mask says, wholly exact
"""

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .. import container
from ..config import PATCH
from ..container import SQUARE, Box, Header, mask_of
from ..kinds import Rate
from ..picture import Pixels
from .encoder import Encoding, PictureEncoder
from .lossless import exact_colours, lossless, seen_by_networks
from .model import Model
from .painter import Painter
from .statistics import Statistics, by_squares, statistics_of, strips

DRAWN = 0.04  # part of the squares that must look drawn for a trial; 0.03 of one photograph of Kodak do
CHEAP = 1.0  # bits a pixel without loss, below which a picture gets one too
HEADROOM = 0.4  # a payload of more than this part of what statistics expect without loss is compared with that
SLACK = 64  # bytes that a picture that is cheap may take more to be exact

Squares = NDArray[np.float64]  # a number a square, [rows, columns]


class Choice:
    """A picture, ready to be encoded at any rate, exact where that is cheaper."""

    def __init__(self, model: Model, pixels: Pixels, header: Header, tile: int | None, encoder: PictureEncoder) -> None:
        """`header` says all but the rate and what is exact, `tile` what was asked for; `encoder` is of both."""
        self._model, self._pixels, self._header, self._encoder = model, pixels, header, encoder
        self._tile = tile
        self._whole = Box(0, 0, pixels.width, pixels.height)

    def attempt(self, rate: Rate) -> Encoding:
        """The file at a rate."""
        neural = self._encoder.attempt(rate, embed_basis=False)
        statistics = self._statistics
        expected = statistics.bits.sum()
        cheap = expected < CHEAP * self._pixels.width * self._pixels.height
        if not (cheap or statistics.drawn.mean() >= DRAWN):
            if neural.estimated_bits < HEADROOM * expected:
                return neural
            return self._smaller(neural, rate)
        weight = self._model.config.rate_weight(rate.t)  # bits a pixel, of 255^2 MSE
        lost = weight * self._errors(neural)  # bits
        bits = self._neural_bits(neural)
        exact = self._exact_bits < bits + lost  # [rows, columns]
        costs = [(8.0 * len(neural.data) + lost.sum(), neural)]
        if exact.any() and not exact.all():
            mixed = self._mixed(rate, exact)
            costs.append((8 * len(mixed.data) + lost[~exact].sum(), mixed))
        whole = self._wholly_exact(rate)
        costs.append((8.0 * (len(whole.data) - SLACK * cheap), whole))
        return self._within_promise(min(costs, key=lambda cost: cost[0])[1], whole)

    def _smaller(self, neural: Encoding, rate: Rate) -> Encoding:
        """What is wholly exact where that is smaller: of pictures that statistics take for photographs."""
        return self._within_promise(neural, self._wholly_exact(rate))

    @staticmethod
    def _within_promise(encoding: Encoding, whole: Encoding) -> Encoding:
        """No file is larger than that which is wholly exact."""
        return encoding if len(encoding.data) < len(whole.data) else whole

    @cached_property
    def _statistics(self) -> Statistics:
        return statistics_of(self._pixels.colour)

    @cached_property
    def _exact_bits(self) -> Squares:
        """What squares take without loss: as the statistics say, and all plain ones together what a trial takes."""
        bits, plain = self._statistics.bits.copy(), self._statistics.plain
        if plain.any():
            header = replace(self._header, exact=mask_of(plain.ravel().tolist()))
            taken = sum(len(exact_colours(header, self._pixels.colour, box)) for box in header.boxes())
            bits[plain] *= 8 * taken / bits[plain].sum()
        return bits

    @cached_property
    def _lossless(self) -> Encoding:
        return lossless(self._pixels, self._tile, lambda done, total: None)

    def _wholly_exact(self, rate: Rate) -> Encoding:
        """The file that is wholly exact, with the quality that was asked for in its header."""
        header, tiles = container.read(self._lossless.data)
        header = replace(header, quality=rate.quality)
        return replace(self._lossless, data=container.write(header, tiles), header=header)

    def _errors(self, neural: Encoding) -> Squares:
        """Squared errors, of 255^2 MSE a pixel, summed over the pixels of each square."""
        drawn = Painter(self._model, neural.header).colour(neural.tiles, self._whole)  # [H, W, C]
        unit = 255 / ((1 << self._pixels.depth) - 1)
        sums = []
        for rows in strips(self._pixels.height):
            difference = np.subtract(drawn[rows], self._pixels.colour[rows], dtype=np.float32)  # [h, W, C]
            sums.append(by_squares(np.square(unit * difference).mean(axis=2)))
        return np.concatenate(sums)

    def _neural_bits(self, neural: Encoding) -> Squares:
        """What squares take of a neural file: its bits, shared out by the magnitude of the indices."""
        rows, columns = self._statistics.bits.shape
        shares = np.full((rows, columns), 1.0)
        wide = neural.positions * SQUARE // PATCH  # indices of a square, each way
        for number, box in enumerate(neural.header.boxes()):
            magnitude = np.log2(1 + np.abs(neural.tiles[number].astype(np.float32))).sum(axis=0)  # [h, w]
            top, left = box.top // SQUARE, box.left // SQUARE
            found = by_squares(magnitude, wide)  # [rows, columns] of the tile
            shares[top : top + len(found), left : left + found.shape[1]] += found
        found_bits: Squares = neural.estimated_bits * shares / shares.sum()
        return found_bits

    def _mixed(self, rate: Rate, exact: NDArray[np.bool_]) -> Encoding:
        """The file with some squares exact."""
        header = replace(self._header, exact=mask_of(exact.ravel().tolist()))
        colour = self._pixels.colour
        coded = {number: exact_colours(header, colour, box) for number, box in enumerate(header.boxes())}
        encoder = self._encoder.with_exact(header, seen_by_networks(header, colour), coded)
        return encoder.attempt(rate, embed_basis=False)

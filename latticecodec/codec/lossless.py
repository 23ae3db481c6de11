"""Colours that stay as they are: all of a picture's, without a model, or those of its exact squares."""

import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .. import container
from ..container import DIAGONAL, LATTICE, NO_MODEL, Box, Header, Tile, mask_of
from ..picture import Pixels, Samples, alpha, exact
from .encoder import Encoding
from .tiling import EXACT_TILE, latent_box, tile_side, view

QUALITY = 100.0  # what the header says of a picture that is wholly exact because that was asked for
THOROUGH = 2  # the effort from which WebP gets more time


def lossless(
    pixels: Pixels, tile: int | None, effort: int, report: Callable[[int, int], None], quality: float = QUALITY
) -> Encoding:
    """A picture as a file that is wholly exact and names no model; see `Codec.encode` for the options."""
    header = Header(
        pixels.width,
        pixels.height,
        pixels.channels,
        NO_MODEL,
        scale=0,
        quality=quality,
        quantizer=LATTICE,
        family=DIAGONAL,
        bit_depth=pixels.depth,
        tile=tile_side(tile, pixels.width, pixels.height, EXACT_TILE),
        icc=pixels.icc,
        exif=pixels.exif,
        xmp=pixels.xmp,
    )
    header = replace(header, exact=mask_of(header.squares.count * [True]))
    whole = Box(0, 0, pixels.width, pixels.height)
    tiles = []
    for number, box in enumerate(header.boxes()):
        plane = b"" if pixels.alpha is None else alpha.encode(view(pixels.alpha, whole, box))
        colours = exact.encode(view(pixels.colour, whole, box), effort >= THOROUGH)
        tiles.append(Tile(b"", zlib.crc32(b""), plane, colours))
        report(number + 1, header.tiles)
    windows = [latent_box(box) for box in header.boxes()]
    none = {number: np.zeros((0, box.height, box.width), np.int8) for number, box in enumerate(windows)}
    return Encoding(container.write(header, tiles), header, none, 1, 0.0)


def exact_colours(header: Header, colour: Samples, box: Box, effort: int) -> bytes:
    """The exact colours of a tile, whose other squares are painted as the most of its pixels are; b"" without any.

    Args:
        header: of the picture, with its exact squares.
        colour: of the picture, [H, W, C].
        box: where the tile lies.
        effort: of the encoder.
    """
    pieces = list(header.squares.within(box, exact=True))
    if not pieces:
        return b""
    whole = Box(0, 0, header.width, header.height)
    painted = np.empty((box.height, box.width, header.colours), colour.dtype)  # [h, w, C]
    painted[:] = _most_frequent(view(colour, whole, pieces[0]))
    for piece in pieces:
        view(painted, box, piece)[:] = view(colour, whole, piece)
    return exact.encode(painted, effort >= THOROUGH)


def _most_frequent(colour: Samples) -> Samples:
    """The colour [C] that most pixels of [H, W, C] have."""
    colours, counts = np.unique(colour.reshape(-1, colour.shape[2]), axis=0, return_counts=True)  # [N, C], [N]
    found: Samples = colours[counts.argmax()]
    return found

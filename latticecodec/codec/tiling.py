"""Which tiles a picture has, in what areas they are worked on, and tiles of indices put together.

A tile is coded by itself: neither the prior nor the range coder sees its neighbours. The networks in floating point do
see them, so that there are no seams: they work on areas of many tiles, with a margin around.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np

from ..config import PATCH, TILE, WHOLE_MAX
from ..container import Box, Header
from ..entropy.coder import Int32

EXACT_TILE = 2048  # pixels a side where all is exact, and no latents take memory
AREA = 2048  # pixels a side that the networks work on at a time, about

Indices = np.ndarray[tuple[int, ...], np.dtype[np.int8 | np.int16]]  # of a tile, in less memory than int32 takes


@dataclass(frozen=True)
class Area:
    """Tiles that are encoded together."""

    box: Box
    tiles: tuple[int, ...]


def tile_side(asked: int | None, width: int, height: int, usual: int = TILE) -> int | None:
    """The side of a tile in a new file; None where the picture is one tile.

    Args:
        asked: pixels, a multiple of 64; 0 for a picture in one tile; None for what suits the size.
        width: of the picture.
        height: of the picture.
        usual: what suits a large picture.
    """
    if asked is None:
        asked = usual if width * height > WHOLE_MAX else 0
    return None if not asked or max(width, height) <= asked else asked


def areas(header: Header) -> list[Area]:
    """The tiles of a picture in areas of about AREA pixels a side."""
    columns, rows = header.columns, header.tiles // header.columns
    found = []
    for (top, bottom), (left, right) in product(_shares(rows, header.tile), _shares(columns, header.tile)):
        first, last = header.box(top * columns + left), header.box((bottom - 1) * columns + right - 1)
        box = Box(first.left, first.top, last.right - first.left, last.bottom - first.top)
        numbers = tuple(row * columns + column for row in range(top, bottom) for column in range(left, right))
        found.append(Area(box, numbers))
    return found


def _shares(count: int, side: int | None) -> list[tuple[int, int]]:
    """0..count tiles in equal shares of about AREA pixels."""
    shares = -(-count // max(1, AREA // (side or AREA)))
    return list(pairwise(count * number // shares for number in range(shares + 1)))


def parts(region: Box) -> list[Box]:
    """A region in boxes of AREA pixels a side, as far as latent positions allow."""
    lefts = range(region.left // PATCH * PATCH, region.right, AREA)
    tops = range(region.top // PATCH * PATCH, region.bottom, AREA)
    found = []
    for top, left in product(tops, lefts):
        inner_left, inner_top = max(left, region.left), max(top, region.top)
        right, bottom = min(left + AREA, region.right), min(top + AREA, region.bottom)
        found.append(Box(inner_left, inner_top, right - inner_left, bottom - inner_top))
    return found


def latent_box(box: Box) -> Box:
    """The latent positions that pixels lie in."""
    left, top = box.left // PATCH, box.top // PATCH
    return Box(left, top, -(-box.right // PATCH) - left, -(-box.bottom // PATCH) - top)


def latent_size(header: Header) -> tuple[int, int]:
    """Width and height in latent positions."""
    return -(-header.width // PATCH), -(-header.height // PATCH)


def gather(
    header: Header, tiles: Mapping[int, "Indices | Int32"], window: Box, channels: int, positions: int = 1
) -> Int32:
    """Index tensor int32 [C, h, w] of a window of latent positions, 0 where a tile is not there.

    Args:
        header: of the picture.
        tiles: index tensors by number of tile.
        window: in latent positions.
        channels: C.
        positions: of the index tensor for a latent position, each way.
    """
    out = np.zeros((channels, positions * window.height, positions * window.width), dtype=np.int32)
    for number, indices in tiles.items():
        box = latent_box(header.box(number))
        if not box.meets(window):
            continue
        left, right = max(box.left, window.left), min(box.right, window.right)
        top, bottom = max(box.top, window.top), min(box.bottom, window.bottom)
        target = _slices(window, top, bottom, left, right, positions)
        out[target] = indices[_slices(box, top, bottom, left, right, positions)]
    return out


def _slices(box: Box, top: int, bottom: int, left: int, right: int, positions: int) -> tuple[slice, slice, slice]:
    """Rows and columns of a picture as slices of what holds `box` of it."""
    rows = slice(positions * (top - box.top), positions * (bottom - box.top))
    return slice(None), rows, slice(positions * (left - box.left), positions * (right - box.left))


def view(plane: Any, region: Box, box: Box) -> Any:
    """What of `box` lies in `region`, in an array [H, W, ...] that holds the region."""
    rows = slice(max(0, box.top - region.top), max(0, box.bottom - region.top))
    return plane[rows, max(0, box.left - region.left) : max(0, box.right - region.left)]


def compact(indices: Int32) -> Indices:
    """An index tensor in the smallest type that holds it; no index of the format is beyond int16."""
    inside: Any = np.int8 if not indices.size or -128 <= indices.min() <= indices.max() <= 127 else np.int16
    small: Indices = indices.astype(inside)
    return small


def index_bytes(indices: "Indices | Int32") -> bytes:
    """Index tensor as little-endian int32 in C order, as checksums are of it."""
    return indices.astype("<i4").tobytes()


def index_crc(indices: "Indices | Int32") -> int:
    """The CRC-32 of an index tensor that stands in a file."""
    return zlib.crc32(index_bytes(indices))

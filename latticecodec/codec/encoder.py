"""One picture to one file, at one rate after the other until the rate fits.

pixels ─► analysis ─► y ─► kind ─► index tensor, payload ─► container ─► bytes
"""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import cache

import numpy as np

from .. import container
from ..backends.backend import Report
from ..config import PATCH
from ..container import Box, Header, Tile
from ..entropy.coder import Float32
from ..errors import ModelError
from ..kinds import Budget, Rate
from ..picture import Pixels, Samples, to_planes
from .call import silent
from .encoding import Encoding
from .memory import give_back
from .model import Model
from .parallel import in_order
from .squares.stored import Stored, coded_alpha
from .tiling import Area, Indices, areas, compact, index_crc, latent_box, view

NEEDED = 32  # pixels around a square that is not exact whose latents it needs, or a seam would be seen


class PictureEncoder:
    """A picture, ready to be encoded at any rate."""

    def __init__(self, model: Model, pixels: Pixels, header: Header, effort: int, report: Report) -> None:
        """`header` says all but the rate: its scale, quality and basis are those of the attempt."""
        self._model, self.pixels, self.header = model, pixels, header
        self._effort, self._refiner, self._report = effort, model.refiner(effort), report
        self._areas, self._whole = areas(header), Box(0, 0, pixels.width, pixels.height)
        planes = (None if pixels.alpha is None else view(pixels.alpha, self._whole, box) for box in header.boxes())
        self.stored = [Stored(coded_alpha(plane)) for plane in planes]  # of each tile
        self._latents: Callable[[Area], tuple[Float32, Box]] = self._analyse

    def with_exact(self, header: Header, colour: Samples, stored: list[Stored]) -> "PictureEncoder":
        """The same with exact squares, and nothing reported.

        Args:
            header: with the mask.
            colour: [H, W, C], what the networks are to see.
            stored: what each tile has beside its range-coded part.
        """
        other = copy(self)
        other.header, other.stored = header, stored
        other.pixels = replace(self.pixels, colour=colour)
        other._report, other._latents = silent, other._analyse
        return other

    def keep_latents(self) -> None:
        """Analyse but once, for a search: y does not depend on the rate."""
        self._latents = cache(self._analyse)

    def attempt(self, rate: Rate, embed_basis: bool) -> Encoding:
        """The file at a rate."""
        kind = self._model.kind
        basis = kind.own_basis(rate) if embed_basis else None
        header = replace(self.header, scale=rate.scale, quality=rate.quality, basis=basis)
        tiles: dict[int, Indices] = {}
        coded: dict[int, Tile] = {}
        bits = 0.0
        for number, area in enumerate(self._areas):
            far = [tile for tile in area.tiles if not self._is_seen(header.box(tile))]
            for tile in far:
                tiles[tile] = self._zeros(header.box(tile))
                coded[tile] = Tile(b"", index_crc(tiles[tile]), *self.stored[tile])
            if len(far) == len(area.tiles):
                continue
            y, window = self._latents(area)  # [M, h, w]
            u = kind.prepare(y, rate, basis, self._budget(number, area, window))  # [M, h, w]
            if not np.isfinite(u).all():
                told = "its networks give values that are not numbers"
                raise ModelError(f"model {self._model.config.name}: {told}; take another model")
            near = [tile for tile in area.tiles if tile not in far]
            boxes = [_within(latent_box(header.box(tile)), window) for tile in near]
            encoded = in_order(lambda inside, u=u: kind.encode(u[:, *inside], rate, self._effort), boxes)  # type: ignore[misc]
            for tile, finished in zip(near, encoded, strict=True):
                result = finished()
                payload, tiles[tile] = result.payload, compact(result.indices)
                if not payload.strip(b"\0") and not header.squares.any(header.box(tile), exact=False):
                    tiles[tile] = self._zeros(header.box(tile))  # which is what a reader takes it for
                coded[tile] = Tile(payload, index_crc(tiles[tile]), *self.stored[tile])
                bits += result.bits
            give_back()
            self._report(number + 1, len(self._areas))
        data = container.write(header, [coded[tile] for tile in range(header.tiles)])
        return Encoding(data, header, tiles, kind.positions, bits)

    def _is_seen(self, box: Box) -> bool:
        """Whether squares that are not exact lie in a tile, or so near that they need its latents."""
        header = self.header
        return header.exact is None or header.squares.any(box.grown(NEEDED, header.width, header.height), exact=False)

    def _zeros(self, box: Box) -> Indices:
        """The index tensor [C, h, w] of a tile without a range-coded part."""
        kind, window = self._model.kind, latent_box(box)
        return np.zeros((kind.channels, kind.positions * window.height, kind.positions * window.width), np.int8)

    def _analyse(self, area: Area) -> tuple[Float32, Box]:
        """Latents y [M, h, w] of an area and as much around it as its kind looks at, and where they lie."""
        header, config = self.header, self._model.config
        margin = self._model.kind.margin(self._effort, header.tune)
        seen = area.box.grown(PATCH * margin, header.width, header.height)
        around = seen.grown(PATCH * config.analysis_reach, header.width, header.height)
        x = to_planes(view(self.pixels.colour, self._whole, around), PATCH)  # [3, H', W']
        window = latent_box(seen)
        rows, columns = _within(window, latent_box(around))
        return self._model.backend.analysis(x)[:, rows, columns].copy(), window

    def _budget(self, number: int, area: Area, window: Box) -> Budget:
        """What may be spent on an area, of that number, whose latents and some around are those of `window`."""
        left, top = PATCH * window.left, PATCH * window.top
        right, bottom = min(self.header.width, PATCH * window.right), min(self.header.height, PATCH * window.bottom)
        colour = view(self.pixels.colour, self._whole, Box(left, top, right - left, bottom - top))  # [H, W, C]

        def report(done: int, total: int) -> None:
            if done < total:  # the end of an area is told when it is coded
                self._report(number * total + done, len(self._areas) * total)

        inside = _within(latent_box(area.box), window)
        return Budget(self._effort, self.header.tune, colour, inside, self._refiner, report)


def _within(inner: Box, outer: Box) -> tuple[slice, slice]:
    """Rows and columns of `inner` in what holds `outer`."""
    rows = slice(inner.top - outer.top, inner.bottom - outer.top)
    return rows, slice(inner.left - outer.left, inner.right - outer.left)

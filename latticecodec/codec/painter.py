"""Index tensors to pixels.

pixels ◄─ synthesis ◄─ y_hat ◄─ kind ◄─ index tensors of the tiles around
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..backends.backend import Report
from ..config import PATCH
from ..container import Box, Header
from ..entropy.coder import Int32
from ..picture import Samples, from_planes
from .memory import give_back
from .model import Model
from .tiling import Indices, gather, latent_box, latent_size, parts, view


def blank(header: Header, region: Box, *shape: int, value: int = 0) -> Samples:
    """Samples [H, W, ...] of a region, all of one value."""
    dtype: Any = np.uint8 if header.bit_depth == 8 else np.uint16
    return np.full((region.height, region.width, *shape), value, dtype)


class Painter:
    """What a header says about a picture, ready to be drawn."""

    def __init__(self, model: Model, header: Header) -> None:
        """Raises ModelError where the header does not fit the model."""
        self._backend, self._kind, self._header = model.backend, model.kind, header
        self._rate = model.rate_of(header)
        self.reach = model.config.synthesis_reach  # latent positions that a pixel depends on, each way

    def colour(self, tiles: Mapping[int, "Indices | Int32"], region: Box, report: Report | None = None) -> Samples:
        """Colours [H, W, C] of a region from the index tensors of the tiles around it; tiles that are missing are 0.

        Exact squares are 0.
        """
        out = blank(self._header, region, self._header.colours)
        self.paint(out, tiles, region, report)
        return out

    def paint(
        self,
        out: Samples,
        tiles: Mapping[int, "Indices | Int32"],
        region: Box,
        report: Report | None = None,
    ) -> None:
        """The same into colours [H, W, C], of which exact squares stay as they are."""
        areas = parts(region)
        for done, area in enumerate(areas):
            neural = self._neural(area)
            if neural is not None:
                drawn = self._area(tiles, neural)  # [h, w, C]
                for piece in [neural] if self._header.exact is None else self._header.squares.within(neural, False):
                    view(out, region, piece)[:] = view(drawn, neural, piece)
                give_back()
            if report is not None:
                report(done + 1, len(areas))

    def _neural(self, area: Box) -> Box | None:
        """The least part of an area that has all of its squares that are not exact; None where there are none."""
        if self._header.exact is None:
            return area
        boxes = list(self._header.squares.within(area, False))
        if not boxes:
            return None
        left, top = min(box.left for box in boxes), min(box.top for box in boxes)
        return Box(left, top, max(box.right for box in boxes) - left, max(box.bottom for box in boxes) - top)

    def _area(self, tiles: Mapping[int, "Indices | Int32"], area: Box) -> Samples:
        """Colours [H, W, C] of an area small enough for the networks."""
        header = self._header
        window = latent_box(area).grown(self.reach, *latent_size(header))
        indices = gather(header, tiles, window, self._kind.channels, self._kind.positions)  # [C, h', w']
        y_hat = self._kind.values(indices, self._rate, header.basis)  # [M, h, w]
        x_hat = self._backend.synthesis(y_hat, self._rate.t)  # [3, 16 h, 16 w]
        left, top = area.left - PATCH * window.left, area.top - PATCH * window.top
        return from_planes(x_hat[:, top:, left:], area.width, area.height, header.colours, header.bit_depth)

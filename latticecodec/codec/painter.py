"""Index tensors to pixels.

pixels ◄─ synthesis ◄─ y_hat ◄─ bottleneck ◄─ index tensors of the tiles around
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..config import PATCH
from ..container import Box, Header
from ..entropy.coder import Int32
from ..errors import ModelError
from ..lab.arithmetic import exact_arithmetic
from ..lab.nets import synthesis_reach
from ..picture import Samples, from_planes
from .memory import give_back
from .networks import Networks
from .tiling import Indices, gather, latent_box, latent_size, parts, view


class Painter:
    """What a header says about a picture, ready to be drawn."""

    def __init__(self, networks: Networks, header: Header) -> None:
        """Raises ModelError or FormatError where the header does not fit the model."""
        self._networks, self._header, self._bottleneck = networks, header, networks.bottleneck
        if (header.quantizer, header.family) != self._bottleneck.format_id:
            told = f"the file has quantizer {header.quantizer}, family {header.family} where its model has another"
            raise ModelError(f"{told}: damaged")
        self._bottleneck.check_basis(header.basis)
        self.rate = self._bottleneck.rate_of(header.scale)
        self.reach = synthesis_reach(networks.config)  # latent positions that a pixel depends on, each way

    def blank(self, region: Box, *shape: int, value: int = 0) -> Samples:
        """Samples [H, W, ...] of a region, all of one value."""
        dtype: Any = np.uint8 if self._header.bit_depth == 8 else np.uint16
        return np.full((region.height, region.width, *shape), value, dtype)

    def colour(
        self, tiles: Mapping[int, "Indices | Int32"], region: Box, report: Callable[[int, int], None]
    ) -> Samples:
        """Colours [H, W, C] of a region from the index tensors of the tiles around it; tiles that are missing are 0."""
        out = self.blank(region, self._header.colours)
        areas = parts(region)
        for done, area in enumerate(areas):
            view(out, region, area)[:] = self._area(tiles, area)
            give_back()
            report(done + 1, len(areas))
        return out

    def _area(self, tiles: Mapping[int, "Indices | Int32"], area: Box) -> Samples:
        """Colours [H, W, C] of an area small enough for the networks."""
        window = latent_box(area).grown(self.reach, *latent_size(self._header))
        indices = gather(self._header, tiles, window, self._bottleneck.channels, self._bottleneck.positions)
        with exact_arithmetic(self._networks.device):
            y_hat, t = self._bottleneck.values(indices, self.rate, self._header.basis)  # [1, M, h, w]
            x_hat = self._networks.decoded(y_hat, t)  # [1, 3, 16 h, 16 w]
            left, top = area.left - PATCH * window.left, area.top - PATCH * window.top
            header = self._header
            x = x_hat[0, :, top:, left:].cpu().numpy()  # [3, H', W']
            return from_planes(x, area.width, area.height, header.colours, header.bit_depth)

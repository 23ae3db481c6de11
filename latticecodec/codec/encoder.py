"""One picture to one file, at one rate after the other until the rate fits.

pixels ─► analysis ─► y ─► bottleneck ─► index tensor, payload ─► container ─► bytes
"""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from .. import container
from ..config import PATCH
from ..container import Box, Header, Tile
from ..entropy.coder import Int32
from ..errors import ModelError
from ..kinds import Bottleneck, Effort
from ..lab.arithmetic import exact_arithmetic
from ..lab.distortion import DISTORTIONS
from ..lab.nets import analysis_reach
from ..picture import Pixels, alpha, to_planes
from .memory import give_back
from .networks import Networks
from .tiling import Area, Indices, areas, compact, gather, index_bytes, latent_box, latent_size, view

MARGIN = 12  # latent positions around an area that are refined with it; with one patch enough for MS-SSIM

Report = Callable[[int, int], None]  # called with (iterations done, iterations in all)


@dataclass(frozen=True)
class Encoding:
    """What `Codec.encode_detailed` returns."""

    data: bytes  # the .lcq file
    header: Header
    tiles: dict[int, Indices]  # index tensor of each tile
    positions: int  # of the index tensor for a latent position, each way
    estimated_bits: float  # the prior's information content of the coded symbols
    note: str = ""  # where a target lies beyond the range of rates: why the file is at its end

    @property
    def quality(self) -> float:
        """0..100."""
        return self.header.quality

    @property
    def indices(self) -> Int32:
        """Index tensor of the whole picture, [C, h, w]."""
        whole = Box(0, 0, *latent_size(self.header))
        return gather(self.header, self.tiles, whole, len(self.tiles[0]), self.positions)

    @property
    def indices_sha256(self) -> str:
        """SHA-256 of the index tensor, little-endian int32 in C order; channel by channel, for the sake of memory."""
        digest, whole = hashlib.sha256(), Box(0, 0, *latent_size(self.header))
        for channel in range(len(self.tiles[0])):
            plane = {number: indices[channel : channel + 1] for number, indices in self.tiles.items()}
            digest.update(index_bytes(gather(self.header, plane, whole, 1, self.positions)))  # [1, h, w]
        return digest.hexdigest()


def indices_sha256(indices: Int32) -> str:
    """SHA-256 of an index tensor, over little-endian int32 in C order, in hex."""
    return hashlib.sha256(index_bytes(indices)).hexdigest()


class PictureEncoder:
    """A picture, ready to be encoded at any rate."""

    def __init__(self, networks: Networks, pixels: Pixels, header: Header, effort: int, report: Report) -> None:
        """`header` says all but the rate: its scale, quality and basis are those of the attempt."""
        self._networks, self._pixels, self._header = networks, pixels, header
        self._bottleneck: Bottleneck = networks.bottleneck
        self._level, self._report = effort, report
        self._areas, self._whole = areas(header), Box(0, 0, pixels.width, pixels.height)
        self._alphas = [
            b"" if pixels.alpha is None else alpha.encode(view(pixels.alpha, self._whole, box))
            for box in header.boxes()
        ]
        self._latents: Callable[[Area], tuple[Tensor, Box]] = self._analyse

    def keep_latents(self) -> None:
        """Analyse but once, for a search: y does not depend on the rate."""
        self._latents = cache(self._analyse)

    def attempt(self, rate: int, embed_basis: bool) -> Encoding:
        """The file at a rate."""
        bottleneck = self._bottleneck
        header = replace(
            self._header,
            scale=bottleneck.scale(rate),
            quality=bottleneck.quality(rate),
            basis=bottleneck.own_basis(rate) if embed_basis else None,
        )
        tiles: dict[int, Indices] = {}
        coded: dict[int, Tile] = {}
        bits = 0.0
        for number, area in enumerate(self._areas):
            y, window = self._latents(area)  # [M, h, w]
            effort = self._effort(number, window, header.tune)
            u = bottleneck.prepare(y, rate, header.basis, effort)  # [M, h, w]
            for tile in area.tiles:
                inside = _within(latent_box(header.box(tile)), window)
                result = bottleneck.encode(u[:, inside[0], inside[1]], rate, self._level)
                coded[tile] = Tile(result.payload, zlib.crc32(index_bytes(result.indices)), self._alphas[tile])
                tiles[tile] = compact(result.indices)
                bits += result.bits
            give_back()
            self._report(number + 1, len(self._areas))
        data = container.write(header, [coded[tile] for tile in range(header.tiles)])
        return Encoding(data, header, tiles, bottleneck.positions, bits)

    def _analyse(self, area: Area) -> tuple[Tensor, Box]:
        """Latents y [M, h, w] of an area and as much around it as a refinement wants, and where they lie."""
        header, reach = self._header, PATCH * analysis_reach(self._networks.config)
        seen = area.box.grown(PATCH * MARGIN if self._level else 0, header.width, header.height)
        around = seen.grown(reach, header.width, header.height)
        with exact_arithmetic(self._networks.device):
            y = self._networks.analysis(self._tensor(around))[0]  # [M, h', w']
        window = latent_box(seen)
        rows, columns = _within(window, latent_box(around))
        y = y[:, rows, columns].contiguous()  # [M, h, w]
        if not bool(y.isfinite().all()):
            raise ModelError(f"model {self._networks.config.name}: its analysis gives values that are not numbers")
        return y, window

    def _tensor(self, box: Box) -> Tensor:
        """Pixels of a box [1, 3, H, W] in [0, 1], filled up to whole latent positions."""
        x = torch.from_numpy(to_planes(view(self._pixels.colour, self._whole, box), PATCH))[None]
        return x.contiguous(memory_format=torch.channels_last).to(self._networks.device)

    def _effort(self, number: int, window: Box, tune: str) -> Effort:
        """What may be spent on area `number`, whose latents are those of `window`."""
        left, top = PATCH * window.left, PATCH * window.top
        right, bottom = min(self._header.width, PATCH * window.right), min(self._header.height, PATCH * window.bottom)
        networks = self._networks

        def distortion(y_hat: Tensor, t: float, row: int, column: int) -> Tensor:
            x_hat = networks.decoded(y_hat, t)  # [1, 3, 16 h, 16 w]
            x, y = left + PATCH * column, top + PATCH * row
            box = Box(x, y, min(x_hat.shape[3], right - x), min(x_hat.shape[2], bottom - y))
            shown = self._tensor(box)[:, :, : box.height, : box.width]  # [1, 3, H, W]
            return DISTORTIONS[tune](x_hat[:, :, : box.height, : box.width], shown, networks.config.rate_weight(t))

        def report(done: int, total: int) -> None:
            if done < total:  # the end of an area is told when it is coded
                self._report(number * total + done, len(self._areas) * total)

        return Effort(self._level, distortion, report)


def _within(inner: Box, outer: Box) -> tuple[slice, slice]:
    """Rows and columns of `inner` in what holds `outer`."""
    rows = slice(inner.top - outer.top, inner.bottom - outer.top)
    return rows, slice(inner.left - outer.left, inner.right - outer.left)

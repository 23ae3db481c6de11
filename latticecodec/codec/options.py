"""What an encode is asked for."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from ..arguments import choice, positive, real, switch, whole
from ..config import DEFAULT_EFFORT, DEFAULT_QUALITY, EFFORTS, TUNES
from ..container import PIXELS_MAX, SIZE_MAX, TILE_UNIT
from ..errors import TargetError


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """Checked, and as plain numbers of Python; `Codec.encode` says what each means. Raises TargetError."""

    quality: float = DEFAULT_QUALITY
    bpp: float | None = None
    size: int | None = None
    psnr: float | None = None
    embed_basis: bool = False
    effort: int = DEFAULT_EFFORT
    tune: str | None = None
    tile: int | None = None
    lossless: bool = False
    exact: bool = True  # whether squares that cost less without the networks are stored
    max_pixels: int = PIXELS_MAX

    def __post_init__(self) -> None:
        plain = {
            "quality": real("quality", self.quality, 0, 100),
            "bpp": None if self.bpp is None else positive("bpp", self.bpp),
            "size": None if self.size is None else whole("size", self.size, 1, sys.maxsize),
            "psnr": None if self.psnr is None else positive("psnr", self.psnr),
            "embed_basis": switch("embed_basis", self.embed_basis),
            "effort": whole("effort", self.effort, EFFORTS[0], EFFORTS[-1]),
            "tune": None if self.tune is None else choice("tune", self.tune, TUNES),
            "tile": None if self.tile is None else whole("tile", self.tile, 0, SIZE_MAX),
            "lossless": switch("lossless", self.lossless),
            "exact": switch("exact", self.exact),
            "max_pixels": whole("max_pixels", self.max_pixels, 1),
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        if sum(target is not None for target in (self.bpp, self.size, self.psnr)) > 1:
            raise TargetError("bpp, size and psnr exclude each other; give one")
        networks = self.embed_basis or self.tune or self.effort != DEFAULT_EFFORT
        if self.lossless and (self.bpp or self.size or self.psnr or networks):
            told = "leave out bpp, size, psnr, embed_basis, effort and tune"
            raise TargetError(f"lossless keeps every pixel, without rate and networks; {told}")
        side = self.tile or 0
        if side % TILE_UNIT:
            told = f"it must be a multiple of {TILE_UNIT}, or 0 for one tile"
            raise TargetError(f"a tile of {side} pixels a side; {told}")

    def for_model(self, model: str | Path | None) -> "EncodeOptions":
        """The same where this is what a caller names: without model and tune, a PSNR as target means tune "psnr".

        Raises TargetError for a model where all is exact.
        """
        if self.lossless and model is not None:
            raise TargetError("lossless takes no model; leave out model")
        unsaid = model is None and self.tune is None
        return replace(self, tune="psnr") if unsaid and self.psnr is not None else self

"""Rate and distortion of models over a folder of pictures, beside the peers; from real files, really decoded."""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import ImageError, LcqError
from ..image import find_images, open_picture, psnr, to_pixels
from ..zoo import load
from .bdrate import bd_rate
from .msssim import decibels, ms_ssim
from .peers import PEERS

QUALITIES = tuple(12.5 * step for step in range(9))  # of the model, 0 to 100
ESTIMATE_FACTOR, ESTIMATE_BYTES = 1.01, 48  # a file may exceed the prior's estimate by 1 % and a header


@dataclass(frozen=True)
class Point:
    """Means over all pictures at one quality."""

    quality: float  # on the codec's own scale
    bpp: float  # bits per pixel of the whole file
    psnr: float  # dB, of RGB
    ms_ssim: float  # of RGB, 0 to 1; NaN where a picture is too small for it


@dataclass(frozen=True)
class Curve:
    """One codec: its points by rising quality, and which build of it they belong to."""

    codec: str
    build: str
    points: tuple[Point, ...]

    @property
    def rate_distortion(self) -> list[tuple[float, float]]:
        """(bpp, PSNR) of the points, as `bd_rate` takes them."""
        return [(point.bpp, point.psnr) for point in self.points]

    @property
    def rate_similarity(self) -> list[tuple[float, float]]:
        """(bpp, MS-SSIM in dB) of the points, as `bd_rate` takes them."""
        return [(point.bpp, decibels(point.ms_ssim)) for point in self.points]


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` returns."""

    images: int
    models: tuple[Curve, ...]
    peers: tuple[Curve, ...]
    missing: tuple[str, ...]  # peers that this build of Pillow cannot write
    worst_size_ratio: float  # largest bytes / (1.01 estimated_bits / 8 + 48) of all the models' files


def compared(curve: Curve, anchor: Curve) -> tuple[float | None, float | None]:
    """BD-rates in per cent of a codec against another, by PSNR and by MS-SSIM; negative: the first is smaller.

    None where the two have no range of quality in common, or a picture was too small.
    """
    pairs = ((anchor.rate_distortion, curve.rate_distortion), (anchor.rate_similarity, curve.rate_similarity))
    by_psnr, by_ms_ssim = (_bd_rate(*pair) for pair in pairs)
    return by_psnr, by_ms_ssim


def _bd_rate(anchor: list[tuple[float, float]], test: list[tuple[float, float]]) -> float | None:
    if not all(math.isfinite(quality) for _, quality in anchor + test):
        return None
    try:
        return bd_rate(anchor, test)
    except LcqError:
        return None


class _Tally:
    """Adds up one codec's results."""

    def __init__(self, codec: str, build: str, qualities: Sequence[float]) -> None:
        self.codec, self.build, self.qualities = codec, build, qualities
        self._sums = np.zeros((len(qualities), 3))  # bpp, PSNR, MS-SSIM

    def add(self, row: int, size: int, decoded: Image.Image, pixels: NDArray[np.uint8]) -> None:
        """Count a file of `size` bytes at the quality of this row, decoded from pixels [H, W, 3]."""
        bpp = 8 * size / (pixels.shape[0] * pixels.shape[1])
        restored = np.asarray(decoded.convert("RGB"))  # [H, W, 3]
        self._sums[row] += bpp, psnr(restored, pixels), ms_ssim(restored, pixels)

    def curve(self, images: int) -> Curve:
        """The means, once every picture has been added at every quality."""
        means = (self._sums / images).tolist()
        points = (Point(float(quality), *mean) for quality, mean in zip(self.qualities, means, strict=True))
        return Curve(self.codec, self.build, tuple(points))


def evaluate(
    folder: Path,
    models: Sequence[str | Path],
    device: str = "auto",
    report_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Compress and decode every picture of a folder at nine qualities, with each model and with each peer.

    Args:
        folder: searched recursively for image files; one picture is in memory at a time.
        models: names or folders of models.
        device: "auto", "cpu" or "cuda".
        report_progress: called with (files done, files in all) after each compressed file.

    Raises ImageError for a folder without images, and naming the file for one that cannot be read or coded.
    """
    files = find_images(folder)
    codecs = [load(model, device) for model in models]
    names = [codec.config.name for codec in codecs]
    ours = []
    for codec, name, model in zip(codecs, names, models, strict=True):
        label = name if names.count(name) == 1 else str(model)
        ours.append((codec, _Tally(label, f"weights {codec.config.weights_sha256[:16]}", QUALITIES)))
    peers = [(peer, _Tally(peer.name, peer.build, peer.qualities)) for peer in PEERS if peer.available]
    total = len(files) * (len(QUALITIES) * len(ours) + sum(len(peer.qualities) for peer, _ in peers))
    done, worst = 0, 0.0

    def advance() -> None:
        nonlocal done
        done += 1
        if report_progress is not None:
            report_progress(done, total)

    for file in files:
        picture = _read(file)
        pixels = np.asarray(picture.convert("RGB"))  # [H, W, 3]
        for codec, tally in ours:
            for row, quality in enumerate(QUALITIES):
                encoding = codec.encode_detailed(picture, quality)
                allowed = ESTIMATE_FACTOR * encoding.estimated_bits / 8 + ESTIMATE_BYTES
                worst = max(worst, len(encoding.data) / allowed)
                tally.add(row, len(encoding.data), codec.decode(encoding.data), pixels)
                advance()
        for peer, tally in peers:
            for row, peer_quality in enumerate(peer.qualities):
                data = peer.encode(picture, peer_quality)
                tally.add(row, len(data), Image.open(io.BytesIO(data)), pixels)
                advance()
    return Evaluation(
        images=len(files),
        models=tuple(tally.curve(len(files)) for _, tally in ours),
        peers=tuple(tally.curve(len(files)) for _, tally in peers),
        missing=tuple(peer.name for peer in PEERS if not peer.available),
        worst_size_ratio=worst,
    )


def _read(file: Path) -> Image.Image:
    """A picture as the model sees it: mode L or RGB, upright, without metadata."""
    try:
        pixels = to_pixels(open_picture(file))
    except ImageError as error:
        raise ImageError(str(error) if str(file) in str(error) else f"{file}: {error}") from None
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)

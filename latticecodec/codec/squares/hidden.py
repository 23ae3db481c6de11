"""Colours that alpha hides, where it is 0: nobody sees them, so they may be what takes the fewest bits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...picture import Pixels, Samples

Plane = NDArray[np.float32]  # [h, w]


def black(pixels: Pixels) -> Samples:
    """Colours [H, W, C] to be stored: black where they are hidden, as lossless WebP has it by default."""
    if pixels.alpha is None or pixels.alpha.all():
        return pixels.colour
    return pixels.colour * (pixels.alpha > 0)[:, :, None]  # [H, W, C]


def continued(pixels: Pixels) -> Samples:
    """Colours [H, W, C] for networks: where they are hidden, a smooth continuation of those around.

    Means of what is seen of 2x2, 4x4, ... pixels, the finest that there is, enlarged: push-pull (Gortler, Grzeszczuk,
    Szeliski, Cohen: The Lumigraph, 1996). All of it hidden is black.
    """
    if pixels.alpha is None or pixels.alpha.all() or not pixels.alpha.any():
        return black(pixels)
    out, seen = pixels.colour.copy(), pixels.alpha > 0  # [H, W, C], [H, W]
    for channel in range(out.shape[2]):
        plane = out[:, :, channel]  # [H, W]
        means = _means(_halved(plane * seen), _halved(seen))
        plane[~seen] = _enlarged(means, plane.shape)[~seen].round()
    return out


def _means(sums: Plane, counts: Plane) -> Plane:
    """Means [h, w] of the pixels that are seen; where there are none, of larger squares around."""
    if counts.all():
        return sums / counts
    coarser = _enlarged(_means(_halved(sums), _halved(counts)), sums.shape)
    return np.where(counts > 0, sums / np.maximum(counts, 1), coarser)


def _halved(plane: NDArray[Any]) -> Plane:
    """Sums over 2 x 2 of [h, w]: [h / 2, w / 2], rounded up."""
    even = np.pad(plane, [(0, side % 2) for side in plane.shape]).astype(np.float32)
    return even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]


def _enlarged(plane: Plane, shape: tuple[int, ...]) -> Plane:
    """[h / 2, w / 2] as [h, w], bilinearly."""
    height, width = plane.shape
    twice = Image.fromarray(plane).resize((2 * width, 2 * height), Image.Resampling.BILINEAR)
    return np.asarray(twice)[: shape[0], : shape[1]]

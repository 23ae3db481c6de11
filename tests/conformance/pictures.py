"""The pictures of the conformance files: small, and drawn here."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latticecodec.picture import Pixels, Samples

Plane = NDArray[np.float64]  # [H, W], 0 to 1


def scene(height: int, width: int, channels: int = 3, depth: int = 8, alpha: str = "noisy", **metadata: Any) -> Pixels:
    """A soft ground, a disc with a sharp edge, and some grain: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA."""
    y, x = np.mgrid[:height, :width]
    disc = np.hypot(y - 0.6 * height, x - 0.4 * width) < 0.3 * max(height, width)
    draw = np.random.default_rng(1000 * height + width)
    planes = []
    for shift in (0.0, 0.7, 1.9)[: 1 if channels < 3 else 3]:
        ground = 0.5 + 0.3 * np.sin(0.13 * y + 0.07 * x + shift)
        planes.append(np.where(disc, 0.85 - 0.2 * shift, ground) + draw.normal(0, 0.015, (height, width)))
    colour = whole(np.dstack(planes), depth)  # [H, W, C]
    return Pixels(colour, alpha_plane(alpha, height, width, depth) if channels % 2 == 0 else None, **metadata)


def drawing(height: int, width: int, channels: int = 3, depth: int = 8) -> Pixels:
    """Stripes and a disc in four colours, without grain; channels as in `scene`."""
    y, x = np.mgrid[:height, :width]
    disc = np.hypot(y - 0.5 * height, x - 0.6 * width) < 0.3 * max(height, width)
    number = (x + y) // 11 % 2 + 2 * disc  # [H, W]
    tones = np.random.default_rng(3).random((4, 1 if channels < 3 else 3))
    return Pixels(
        whole(tones[number], depth), alpha_plane("corner", height, width, depth) if channels % 2 == 0 else None
    )


def glass(height: int, width: int, channels: int, depth: int, least: int = 0) -> Pixels:
    """A drawing whose alpha follows its colours, from `least` up to opaque."""
    colour = drawing(height, width, channels, depth).colour
    peak = (1 << depth) - 1
    _, tones = np.unique(colour[:, :, 0], return_inverse=True)
    alpha = least + (peak - least) * tones.reshape(height, width) // tones.max()  # [H, W]
    return Pixels(colour, alpha.astype(colour.dtype))


def alpha_plane(kind: str, height: int, width: int, depth: int) -> Samples:
    """`opaque`, `constant` (of a third), `noisy`, or opaque but for the lower right 10 x 10: `corner`; [H, W]."""
    plane = np.ones((height, width))
    if kind == "constant":
        plane[:] = 1 / 3
    elif kind == "noisy":
        plane = np.random.default_rng(width).random((height, width))
    elif kind == "corner":
        plane[-10:, -10:] = 0
    return whole(plane, depth)


def noise(height: int, width: int) -> Pixels:
    """Every sample drawn by itself."""
    return Pixels(np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8))


def flat(height: int, width: int, value: int) -> Pixels:
    """One grey."""
    return Pixels(np.full((height, width, 3), value, dtype=np.uint8))


def spark(height: int, width: int) -> Pixels:
    """Black, and one white pixel."""
    colour = np.zeros((height, width, 3), dtype=np.uint8)
    colour[height // 2, width // 2] = 255
    return Pixels(colour)


def whole(values: Plane, depth: int) -> Samples:
    """0 to 1 as uint8 or uint16 of the same shape."""
    peak = (1 << depth) - 1
    return np.round(values.clip(0, 1) * peak).astype(np.uint8 if depth == 8 else np.uint16)

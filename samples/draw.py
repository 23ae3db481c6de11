"""Draw samples/landscape.png: mountains in haze over a lake, by midpoint noise and arithmetic, no photograph involved.

python samples/draw.py
"""

from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 512, 768


def noise(generator: np.random.Generator, height: int, width: int, roughness: float) -> np.ndarray:
    """Smooth random field [height, width] of mean 0: octaves of enlarged white noise, each `roughness` as strong."""
    field = np.zeros((height, width))
    for octave in range(1, 8):
        side = 2**octave
        coarse = Image.fromarray(generator.standard_normal((side, side)).astype(np.float32))
        field += roughness**octave * np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
    return field


def landscape(seed: int = 5) -> np.ndarray:
    """The picture: uint8 [HEIGHT, WIDTH, 3]."""
    generator = np.random.default_rng(seed)
    row = np.arange(HEIGHT)[:, None] / HEIGHT
    sky = np.stack([0.55 + 0.4 * row, 0.62 + 0.25 * row, 0.85 - 0.1 * row], axis=-1) * np.ones((1, WIDTH, 1))
    clouds = np.clip(noise(generator, HEIGHT, WIDTH, 0.6) * 0.35, 0, 1)[..., None]
    picture = sky * (1 - clouds) + clouds
    shore = int(0.66 * HEIGHT)
    for layer in range(5):
        ridge = 0.33 + 0.07 * layer + 0.11 * noise(generator, 1, WIDTH, 0.55)[0] * (1 - 0.1 * layer)
        inside = row > ridge[None]
        texture = 1 + 0.5 * noise(generator, HEIGHT, WIDTH, 0.8) * (0.2 + 0.2 * layer)
        rock = np.array([0.62, 0.68, 0.78]) * (1 - layer / 5) + np.array([0.13, 0.22, 0.1]) * layer / 4
        picture = np.where(inside[..., None], rock * texture[..., None].clip(0.4, 1.6), picture)
    depth = np.arange(HEIGHT - shore)
    ripple = (3 * noise(generator, len(depth), WIDTH, 0.85) * (1 + depth[:, None] / 40)).astype(int)
    source = np.clip(shore - 1 - depth[:, None] + ripple, 0, shore - 1)
    mirror = picture[source, np.arange(WIDTH)[None]]
    picture[shore:] = 0.75 * mirror * [0.8, 0.9, 1.0] + 0.02
    picture += generator.standard_normal(picture.shape) * 0.004
    return (picture.clip(0, 1) * 255).round().astype(np.uint8)


if __name__ == "__main__":
    Image.fromarray(landscape()).save(Path(__file__).parent / "landscape.png", optimize=True)

"""Icons and thumbnails, where header and hyper-latents weigh: no more bytes than lossy WebP at equal PSNR."""

import io
from pathlib import Path

import numpy as np
from conftest import psnr
from PIL import Image

from latticecodec import Codec

SIDE, COUNT = 32, 10
LANDSCAPE = Path(__file__).parent.parent / "samples" / "landscape.png"


def crops() -> list[Image.Image]:
    """Parts of a picture that our own code drew, from all over it."""
    whole, draw = Image.open(LANDSCAPE).convert("RGB"), np.random.default_rng(0)
    corners = draw.integers(0, (whole.width - SIDE, whole.height - SIDE), (COUNT, 2)).tolist()
    return [whole.crop((x, y, x + SIDE, y + SIDE)) for x, y in corners]


def webp_bytes(picture: Image.Image, wanted: float) -> float:
    """Bytes of lossy WebP at a PSNR in dB, between those of the qualities around it."""
    before, known = 0.0, 0.0
    for quality in range(0, 101, 4):
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=quality)
        size, reached = float(len(file.getvalue())), psnr(picture, Image.open(file))
        if reached >= wanted:
            return before + (size - before) * (wanted - known) / (reached - known) if quality else size
        before, known = size, reached
    return before


def test_crops_of_32_pixels_take_no_more_bytes_than_webp(lattice: Codec) -> None:
    ours, theirs = [], []
    for picture in crops():
        data = lattice.encode(picture, quality=50)
        ours.append(len(data))
        theirs.append(webp_bytes(picture, psnr(picture, lattice.decode(data))))
    assert np.mean(ours) <= np.mean(theirs)

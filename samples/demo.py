"""Compress and restore samples/landscape.png; print size and PSNR beside JPEG at the same number of bytes.

python samples/demo.py
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

import latticecodec
from latticecodec.picture import psnr

HERE = Path(__file__).parent


def decibels(a: Image.Image, b: Image.Image) -> float:
    """PSNR of two RGB pictures."""
    return psnr(np.asarray(a), np.asarray(b))


def jpeg_of_size(picture: Image.Image, size: int) -> bytes:
    """The best JPEG of at most `size` bytes, or the smallest there is."""
    best = b""
    for quality in range(1, 96):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        if len(buffer.getvalue()) > size and best:
            break
        best = buffer.getvalue()
    return best


if __name__ == "__main__":
    picture = Image.open(HERE / "landscape.png").convert("RGB")
    raw = picture.width * picture.height * 3
    data = latticecodec.encode(picture, quality=50)
    restored = latticecodec.decode(data)
    print(f"landscape.png  {picture.width}x{picture.height}  {raw:,} bytes of pixels")
    print(
        f"latticecodec   {len(data):>7,} bytes  {raw / len(data):5.1f} : 1   PSNR {decibels(picture, restored):.2f} dB"
    )
    jpeg = jpeg_of_size(picture, len(data))
    print(
        f"JPEG           {len(jpeg):>7,} bytes  {raw / len(jpeg):5.1f} : 1   PSNR "
        f"{decibels(picture, Image.open(io.BytesIO(jpeg))):.2f} dB"
    )

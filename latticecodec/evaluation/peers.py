"""The image formats that a model is compared with, written by Pillow.

Settings are the ones that a careful user would choose for small files: JPEG 4:2:0 progressive with optimised Huffman
tables, WebP with its most thorough method, AVIF 4:4:4 at libavif's default speed.
"""

import io
from dataclasses import dataclass, field
from typing import Any

import PIL
from PIL import Image, features


@dataclass(frozen=True)
class Peer:
    """A format and how it is used.

    Attributes:
        name: in tables and reports.
        format: Pillow's name of it.
        feature: what `PIL.features` calls the support for it.
        library: name of the library that does the work, as printed.
        version_of: what `PIL.features` calls that library.
        qualities: Pillow's `quality`, rising; about 0.1 to 3 bpp and 26 to 42 dB on photographs.
        options: for `Image.save`.
    """

    name: str
    format: str
    feature: str
    library: str
    version_of: str
    qualities: tuple[int, ...]
    options: dict[str, Any] = field(hash=False)

    @property
    def available(self) -> bool:
        """Whether this build of Pillow can write it."""
        return bool(features.check(self.feature))

    @property
    def build(self) -> str:
        """Versions of Pillow and of the library; results belong to them."""
        version = features.version(self.version_of) or features.version(self.feature) or "of unknown version"
        return f"Pillow {PIL.__version__}, {self.library} {version}"

    def encode(self, image: Image.Image, quality: int) -> bytes:
        """The file of a picture (mode L or RGB) at one of the `qualities`; without metadata."""
        buffer = io.BytesIO()
        image.save(buffer, self.format, quality=quality, **self.options)
        return buffer.getvalue()


PEERS = (
    Peer(
        name="jpeg",
        format="JPEG",
        feature="jpg",
        library="libjpeg-turbo",
        version_of="libjpeg_turbo",
        qualities=(8, 15, 25, 40, 55, 70, 82, 90, 95),
        options={"subsampling": "4:2:0", "optimize": True, "progressive": True},
    ),
    Peer(
        name="webp",
        format="WEBP",
        feature="webp",
        library="libwebp",
        version_of="webp",
        qualities=(0, 5, 15, 35, 60, 78, 88, 93, 97),
        options={"method": 6},
    ),
    Peer(
        name="avif",
        format="AVIF",
        feature="avif",
        library="libavif",
        version_of="avif",
        qualities=(10, 20, 30, 40, 50, 60, 70, 80, 90),
        options={"subsampling": "4:4:4", "speed": 6},
    ),
)

"""The twelve drawn pages of tests/twelve_pages.py as files, beside AVIF and lossless WebP of this build of Pillow.

    python docs/pages.py [NAME ...] [--size WxH] [--model NAME|DIR] [--photograph FILE]

Of each page, at effort 0: the share of what a file may have (1.02 of lossless WebP with Pillow's defaults, header,
mask, metadata and 64 bytes) at worst of all qualities; PSNR in dB at 0, 25, 50, 75 and 100, which is to fall nowhere by
more than 0.05, exact being 99; and AVIF's points (4:4:4, speed 6) between 30 and 50 dB for which a quality of ours
has fewer bytes at no less PSNR, with those that have none.
"""

import argparse
import io
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, features

import latticecodec
from latticecodec import Codec, LcqError
from latticecodec.picture import psnr, read, to_pillow

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from twelve_pages import PAGES, page  # noqa: E402

QUALITIES = (*map(float, range(10)), *(2.5 * step for step in range(4, 41)))  # finer where files grow fastest
TOLD = (0.0, 25.0, 50.0, 75.0, 100.0)
FALL = 0.05  # dB that PSNR may fall from one of TOLD to the next
AVIF_QUALITIES = (*range(20, 96, 5), 98, 100)
LOW, HIGH = 30.0, 50.0  # dB of the points of AVIF that count
EXACT = 99.0  # dB


@dataclass(frozen=True)
class Point:
    """A file of a picture."""

    size: int  # bytes
    psnr: float  # dB

    def beats(self, other: "Point") -> bool:
        """Fewer bytes at no less PSNR."""
        return self.size < other.size and self.psnr >= other.psnr


@dataclass(frozen=True)
class Found:
    """What a page's files show."""

    share: float  # of the bytes that they may have, at worst
    told: tuple[float, ...]  # dB at TOLD
    points: tuple[Point, ...]  # of AVIF, between LOW and HIGH
    lost: tuple[Point, ...]  # those that no quality beats

    @property
    def falls(self) -> bool:
        """Whether PSNR falls from one of TOLD to the next."""
        return any(high < low - FALL for low, high in itertools.pairwise(self.told))

    def __str__(self) -> str:
        told = " ".join(f"{value:4.1f}" for value in self.told) + (" FALLS" if self.falls else "")
        lost = "".join(f"; not {point.size:,} bytes at {point.psnr:.1f} dB" for point in self.lost)
        share = f"{self.share:.3f}" + (" OVER" if self.share > 1 else "")
        return f"{share} | {told} | {len(self.points) - len(self.lost)} of {len(self.points)}{lost}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Drawn pages beside AVIF and lossless WebP.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"pages: {', '.join(PAGES)} (default: all)")
    parser.add_argument("--size", type=size, default=(384, 256), metavar="WxH", help="pixels (default: 384x256)")
    parser.add_argument("--model", default="lattice-1", help="name or folder (default: lattice-1)")
    parser.add_argument(
        "--photograph", default=ROOT / "samples" / "landscape.png", help="what the page with a photograph shows"
    )
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in PAGES]
    if unknown:
        parser.error(f"no page is called {unknown[0]!r}: {', '.join(PAGES)}")
    width, height = arguments.size
    photograph = to_pillow(read(arguments.photograph)).convert("RGB")
    codec = latticecodec.load(arguments.model, device="cpu")
    print(f"{width}x{height}, {arguments.model}, Pillow {PIL.__version__}, libavif {features.version('avif')}")
    print("page | share of what WebP allows | PSNR at 0, 25, 50, 75, 100 | points of AVIF beaten")
    won = 0
    for name in arguments.names or PAGES:
        found = look(codec, page(name, width, height, photograph))
        won += not found.lost
        print(f"{name} | {found}", flush=True)
    print(f"all points beaten: {won} of {len(arguments.names or PAGES)} pages")


def size(words: str) -> tuple[int, int]:
    """Width and height of "WxH"; raises ValueError where they are not."""
    width, height = map(int, words.split("x"))
    if min(width, height) < 1:
        raise ValueError
    return width, height


def look(codec: Codec, picture: Image.Image, qualities: tuple[float, ...] = QUALITIES) -> Found:
    """What the files of a picture [H, W, 3] show; TOLD are among the qualities."""
    array = np.asarray(picture)  # [H, W, 3]
    webp = len(saved(picture, "WEBP", lossless=True))
    ours, share = {}, 0.0
    for quality in qualities:
        data = codec.encode(array, quality=quality, effort=0)
        header = int.from_bytes(data[10:14], "little") + 4  # with its checksum (FORMAT.md, section 2)
        share = max(share, len(data) / (1.02 * webp + header + 64))
        ours[quality] = Point(len(data), decibel(codec.decode(data, as_array=True), array))
    points = tuple(point for point in avif(picture) if LOW <= point.psnr <= HIGH)
    lost = tuple(point for point in points if not any(own.beats(point) for own in ours.values()))
    return Found(share, tuple(ours[quality].psnr for quality in TOLD), points, lost)


def avif(picture: Image.Image) -> Iterator[Point]:
    """Files of a picture [H, W, 3] as AVIF, 4:4:4 at speed 6."""
    for quality in AVIF_QUALITIES:
        data = saved(picture, "AVIF", quality=quality, speed=6, subsampling="4:4:4")
        with Image.open(io.BytesIO(data)) as file:
            yield Point(len(data), decibel(np.asarray(file.convert("RGB")), np.asarray(picture)))


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The file of a picture that Pillow writes."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def decibel(ours: latticecodec.picture.Samples, original: latticecodec.picture.Samples) -> float:
    """PSNR of arrays [H, W, 3], at most EXACT."""
    return min(EXACT, psnr(ours, original))


if __name__ == "__main__":
    try:
        main()
    except LcqError as error:
        sys.exit(f"Error: {error}")

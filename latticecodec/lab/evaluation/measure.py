"""One codec on one picture: files at every quality, their decoded pixels, and how near those are to the original."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...metrics import MS_SSIM_SIDE_MIN
from ...picture import psnr
from .butteraugli import butteraugli
from .contenders import Contender
from .msssim import ms_ssim
from .ssimulacra2 import ssimulacra2
from .state import State, key

OPTIONAL = {"ssimulacra2": ssimulacra2, "butteraugli": butteraugli}  # measures that are taken where asked for
THREADS = 2  # that measure decoded pictures; more would need memory for more of them


@dataclass(frozen=True)
class Measurement:
    """One file of one picture."""

    size: int  # bytes
    estimated_bits: float | None  # of a model
    encode: float  # seconds
    decode: float  # seconds
    psnr: float  # dB, of RGB
    ms_ssim: float | None  # None: the picture is too small
    ssimulacra2: float | None  # None: the picture is too small, or not asked for
    butteraugli: float | None  # the same
    asked: Sequence[str]  # of OPTIONAL


@dataclass(frozen=True)
class _Decoded:
    size: int
    estimated_bits: float | None
    encode: float
    decode: float
    pixels: NDArray[np.uint8]  # [H, W, 3]


def measurements(
    contender: Contender,
    picture: Image.Image,
    picture_digest: str,
    asked: Sequence[str],
    state: State,
) -> Iterator[Measurement]:
    """A measurement for each of the codec's qualities, taken from `state` where it is there, else made and put there.

    `asked` are the measures of OPTIONAL to take.

    First every file is written and read, alone, so that the times are those of the codec; then the decoded pictures are
    measured, on two threads.
    """
    keys = [key(contender.identity, quality, picture_digest) for quality in contender.qualities]
    found = {name: _kept(state, name, asked) for name in keys}
    todo = {name: q for name, q in zip(keys, contender.qualities, strict=True) if found[name] is None}
    if todo:
        _warm_up(contender, picture)
    decoded = [_decoded(contender, picture, quality) for quality in todo.values()]
    original = np.asarray(picture.convert("RGB"))  # [H, W, 3]
    with ThreadPoolExecutor(THREADS) as pool:
        measured = pool.map(lambda one: _measured(one, original, asked), decoded)
        for name in keys:
            kept = found[name]
            if kept is None:
                kept = next(measured)
                state.put(name, asdict(kept))
            yield kept


def _kept(state: State, name: str, asked: Sequence[str]) -> Measurement | None:
    kept = state.get(name)
    if kept is None or not set(asked) <= set(kept["asked"]):
        return None
    return Measurement(**kept)


def _warm_up(contender: Contender, picture: Image.Image) -> None:
    """What a codec does once, on first use, is not in its times."""
    side = MS_SSIM_SIDE_MIN  # the least that every codec can be tuned on
    corner = picture.crop((0, 0, min(side, picture.width), min(side, picture.height)))
    contender.decode(contender.encode(corner, contender.qualities[0]).data)


def _decoded(contender: Contender, picture: Image.Image, quality: float) -> _Decoded:
    start = time.perf_counter()
    coded = contender.encode(picture, quality)
    middle = time.perf_counter()
    image = contender.decode(coded.data)
    end = time.perf_counter()
    return _Decoded(len(coded.data), coded.estimated_bits, middle - start, end - middle, np.asarray(image))


def _measured(one: _Decoded, original: NDArray[np.uint8], asked: Sequence[str]) -> Measurement:
    """Compare decoded pixels [H, W, 3] with the original ones [H, W, 3]."""
    return Measurement(
        one.size,
        one.estimated_bits,
        one.encode,
        one.decode,
        psnr(one.pixels, original),
        _number(ms_ssim, one.pixels, original),
        **{
            name: _number(measure, one.pixels, original) if name in asked else None
            for name, measure in OPTIONAL.items()
        },
        asked=asked,
    )


def _number(
    measure: Callable[[NDArray[np.uint8], NDArray[np.uint8]], float],
    decoded: NDArray[np.uint8],
    original: NDArray[np.uint8],
) -> float | None:
    value = measure(decoded, original)
    return None if math.isnan(value) else value

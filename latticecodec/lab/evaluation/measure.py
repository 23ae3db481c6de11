"""One codec on one picture: files at every quality, their decoded pixels, and how near those are to the original."""

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...metrics import MS_SSIM_SIDE_MIN
from .contenders import Contender
from .measures import MEASURES, Measure
from .state import State, key

THREADS = 2  # that measure decoded pictures, which is how many of them are in memory


@dataclass(frozen=True)
class Measurement:
    """One file of one picture."""

    size: int  # bytes
    estimated_bits: float | None  # of a model
    encode: float  # seconds
    decode: float  # seconds
    values: dict[str, float | None]  # by the keys of MEASURES; None: the picture is too small, or it was not asked for
    measures: dict[str, str]  # that were taken, and by what: see `builds`


@dataclass(frozen=True)
class _Decoded:
    size: int
    estimated_bits: float | None
    encode: float
    decode: float
    pixels: NDArray[np.uint8]  # [H, W, 3]


def builds(measures: Sequence[Measure]) -> dict[str, str]:
    """The measures by name, and the very programs that take them."""
    return {measure.name: measure.build() for measure in measures}


def measurements(
    contender: Contender,
    picture: Image.Image,
    picture_digest: str,
    measures: dict[str, str],
    state: State,
) -> Iterator[Measurement]:
    """A measurement for each of the codec's qualities, taken from `state` where it is there, else made and put there.

    `measures` is what `builds` says. What another program measured is measured again; seconds are taken as they are.

    Two files are written and read, one after the other and alone, so that the times are those of the codec; then the
    two decoded pictures are measured, on two threads, and dropped.
    """
    keys = [key(contender.identity, quality, picture_digest) for quality in contender.qualities]
    found = {name: _kept(state, name, measures) for name in keys}
    if None in found.values():
        _warm_up(contender, picture)
    original = np.asarray(picture.convert("RGB"))  # [H, W, 3]
    pairs = list(zip(keys, contender.qualities, strict=True))
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(pairs), THREADS):
            some = pairs[start : start + THREADS]
            todo = [quality for name, quality in some if found[name] is None]
            decoded = (_decoded(contender, picture, quality) for quality in todo)
            measured = pool.map(lambda one: _measured(one, original, measures), list(decoded))
            for name, _ in some:
                kept = found[name]
                if kept is None:
                    kept = next(measured)
                    state.put(name, asdict(kept))
                yield kept


def _kept(state: State, name: str, measures: dict[str, str]) -> Measurement | None:
    kept = state.get(name)
    if kept is None or not measures.items() <= kept["measures"].items():
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


def _measured(one: _Decoded, original: NDArray[np.uint8], measures: dict[str, str]) -> Measurement:
    """Compare decoded pixels [H, W, 3] with the original ones [H, W, 3]."""
    return Measurement(
        one.size,
        one.estimated_bits,
        one.encode,
        one.decode,
        {
            name: _number(measure, one.pixels, original) if name in measures else None
            for name, measure in MEASURES.items()
        },
        measures,
    )


def _number(measure: Measure, decoded: NDArray[np.uint8], original: NDArray[np.uint8]) -> float | None:
    value = measure.function(decoded, original)
    return None if math.isnan(value) else value

"""Pictures at equal bytes: of every picture, one file of each codec near the same size, for a viewer in a browser."""

import base64
import io
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...errors import ImageError
from ...picture import psnr
from .contenders import QUALITIES, Contender, contenders
from .options import Asked
from .pictures import label, listed, read
from .state import State, digest, key

TARGET = 0.25  # bits per pixel
PICTURES = 24  # the first of them; a page of more would be slow to open
SIDE = 1024  # pixels; of a larger picture the middle is coded and shown
EXACT = 40_000_000  # pixels in all, up to which they are stored without loss
WEBP_EXACT = {"lossless": True, "quality": 40, "method": 3}
WEBP_CLOSE = {"quality": 95, "method": 4}


@dataclass(frozen=True)
class Shown:
    """A picture for the browser: the original, or what a codec makes of it."""

    codec: str  # "original" for that
    size: int  # bytes of the codec's file
    psnr: float | None  # dB, of RGB; None for the original
    media_type: str
    data: bytes  # an image file of `media_type`


@dataclass(frozen=True)
class Comparison:
    """One picture, all codecs."""

    picture: str
    width: int
    height: int
    whole: bool  # False: the middle of a larger picture
    exact: bool  # False: what browsers cannot show by themselves was stored as WebP of quality 95
    shown: tuple[Shown, ...]  # the original first


def side_by_side(
    asked: Asked,
    report_progress: Callable[[int, int], None] | None = None,
    *,
    without: Collection[str] = (),
    state: State | None = None,
) -> list[Comparison]:
    """The first 24 pictures, each as every codec restores it from a file of at most 0.25 bits per pixel.

    Where a codec has no file that small its smallest one is taken. JPEG, WebP and AVIF are kept as the files they are,
    for the browser to decode; what it cannot decode is stored as WebP, without loss where that does not make too much.
    `report_progress` as of `evaluate`; `without` are pictures to leave out, as they are called in `Evaluation.skipped`;
    `state` keeps the files. Raises ImageError for a picture that cannot be used, else as `evaluate`.
    """
    named = {file: label(file, asked.images) for file in listed(asked.images)}
    files = [file for file, name in named.items() if name not in without][:PICTURES]
    codecs = contenders(asked.models, asked.peers, asked.device, QUALITIES, asked.efforts, asked.tunes)
    state = State() if state is None else state
    pictures = [_middle(read(file)) for file in files]
    stored = 1 + sum(not codec.media_type for codec in codecs)
    exact = stored * sum(picture.width * picture.height for picture, _ in pictures) <= EXACT
    comparisons = []
    for done, (file, (picture, whole)) in enumerate(zip(files, pictures, strict=True)):
        shown = [Shown("original", 3 * picture.width * picture.height, None, "image/webp", _webp(picture, exact))]
        for number, codec in enumerate(codecs):
            try:
                shown.append(_shown(codec, picture, exact, state))
            except ImageError as error:
                raise ImageError(f"{file}: {error}") from None
            if report_progress is not None:
                report_progress(done * len(codecs) + number + 1, len(files) * len(codecs))
        comparisons.append(Comparison(named[file], picture.width, picture.height, whole, exact, tuple(shown)))
    return comparisons


def _middle(picture: Image.Image) -> tuple[Image.Image, bool]:
    """The picture, or its middle of at most 1024x1024 pixels; and whether it is the whole."""
    width, height = min(SIDE, picture.width), min(SIDE, picture.height)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height)), (width, height) == picture.size


def _shown(codec: Contender, picture: Image.Image, exact: bool, state: State) -> Shown:
    data = _file(codec, picture, state)
    decoded = codec.decode(data)
    level = psnr(np.asarray(decoded), np.asarray(picture.convert("RGB")))
    if codec.media_type:
        return Shown(codec.name, len(data), level, codec.media_type, data)
    return Shown(codec.name, len(data), level, "image/webp", _webp(decoded, exact))


def _file(codec: Contender, picture: Image.Image, state: State) -> bytes:
    """The codec's file, from `state` where it is there."""
    size = int(TARGET * picture.width * picture.height / 8)
    name = key("file", codec.identity, size, digest(np.asarray(picture)))
    kept = state.get(name)
    if kept is None:
        kept = {"file": base64.b64encode(codec.fit(picture, size)).decode()}
        state.put(name, kept)
    return base64.b64decode(kept["file"])


def _webp(picture: Image.Image, exact: bool) -> bytes:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "WEBP", **(WEBP_EXACT if exact else WEBP_CLOSE))
    return buffer.getvalue()

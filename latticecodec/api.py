"""The two functions most programs need; loaded models are kept for the next call."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from .arguments import switch
from .config import DEFAULT_EFFORT, DEFAULT_QUALITY
from .container import PIXELS_MAX, named, reader_of
from .zoo import model_for, model_to_encode

if TYPE_CHECKING:
    from PIL import Image

    from .codec.region import Region
    from .container import Source
    from .picture import Picture, Samples


def encode(
    img: "Picture",
    model: str | Path | None = None,
    quality: float = DEFAULT_QUALITY,
    bpp: float | None = None,
    size: int | None = None,
    psnr: float | None = None,
    device: str = "auto",
    effort: int = DEFAULT_EFFORT,
    tune: str | None = None,
    tile: int | None = None,
    lossless: bool = False,
    strip: str | None = None,
    max_pixels: int = PIXELS_MAX,
) -> bytes:
    """Compress a picture to the bytes of an .lcq file.

    Args:
        img: PIL image, path, image file that is open in binary mode or its bytes, array [H, W] or [H, W, 1 to 4] of
            uint8 or uint16, or tensor [1 to 4, H, W] (uint8, uint16, or float in [0, 1]): grey or RGB, with or without
            alpha.
        model: a name from `list_models`, or a model folder; None for the newest `lattice`, as trained for `tune`.
        quality: 0 (smallest) to 100, continuous; used when no target below is given.
        bpp: target in bits per pixel of the whole file; quality 100 where even that needs less.
        size: target in bytes, never exceeded; quality 100 where even that needs less.
        psnr: target in dB of the decoded pixels, of those that alpha does not hide; quality 0 where even that has more.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
        effort: 0 (fastest) to 9, time for bits, above 3 for MS-SSIM alone; files decode alike. See `Codec.encode`.
        tune: "psnr", or "ms-ssim" or "ssimulacra2" to spend the bits where eyes notice, with the model trained for that
            in place of `lattice` or `lattice-e8` where there is one; by default "ssimulacra2", or "psnr" with such a
            target, and for a model that is named what it was trained for.
        tile: side of the tiles in pixels, a multiple of 64; 0 for one tile, None for what suits the size.
        lossless: keep every pixel as it is; the file decodes without a model. `quality` is not looked at then, and a
            target, a model, a tune, or an effort other than the default is refused. Other files are exact where that
            takes fewer bits for what it gives, as with text and drawings; their alpha is, and colours where it is 0 are
            not kept.
        strip: "all" leaves out EXIF and XMP, "gps" the place of the picture in both; the ICC profile stays.
        max_pixels: of the picture; one of more is refused before it is decoded.

    Raises ImageError for the picture, ModelError for the model, TargetError for a target out of reach and an option
    that is not of the type and in the range above; all of them LcqError, as is everything else that can be wrong.
    """
    from .codec import EncodeOptions, encoded, silent
    from .picture import read, strip_of, stripped

    options = EncodeOptions(
        quality=quality,
        bpp=bpp,
        size=size,
        psnr=psnr,
        effort=effort,
        tune=tune,
        tile=tile,
        lossless=lossless,
        max_pixels=max_pixels,
    ).for_model(model)
    asked = strip_of(strip)
    loaded = model_to_encode(options, model, device)
    img = img if asked is None else stripped(read(img, max_pixels), asked)
    return encoded(loaded, img, options, silent).data


@overload
def decode(
    data: "Source",
    model: str | Path | None = None,
    device: str = "auto",
    region: "Region | None" = None,
    as_array: Literal[False] = False,
    max_pixels: int = PIXELS_MAX,
) -> "Image.Image": ...


@overload
def decode(
    data: "Source",
    model: str | Path | None = None,
    device: str = "auto",
    region: "Region | None" = None,
    *,
    as_array: Literal[True],
    max_pixels: int = PIXELS_MAX,
) -> "Samples": ...


def decode(
    data: "Source",
    model: str | Path | None = None,
    device: str = "auto",
    region: "Region | None" = None,
    as_array: bool = False,
    max_pixels: int = PIXELS_MAX,
) -> "Image.Image | Samples":
    """Restore the picture of an .lcq file: a PIL image of mode L, LA, RGB or RGBA, or I;16 for 16-bit grey.

    Args:
        data: the file: a path, a file that is open in binary mode, which is read from its beginning, or bytes,
            bytearray, memoryview or mmap.
        model: folder of the model the file was written with, when it is not installed.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
        region: (x, y, width, height), integers, to restore that part alone: pixels of the stored picture, before EXIF's
            orientation.
        as_array: an array [H, W] or [H, W, 2 to 4] of uint8 or uint16 instead. Pillow has no 16-bit modes but grey:
            PIL images of other 16-bit pictures are rounded to 8 bits.
        max_pixels: of the whole picture, also where a region is asked for; more are refused before any memory is taken.

    ICC profile, EXIF, XMP and code points (`cicp`, and as ICC profile where one says the same) are in the PIL image's
    `info`; EXIF's orientation has not been applied. Raises FormatError (or ChecksumError, VersionError, LimitError) for
    files that are damaged or not .lcq, ModelError where the model is not there, TargetError for a region that is not
    four integers inside of the picture and for options of another type, and LcqError, which all of them are, where the
    file cannot be read.
    """
    from .codec import pixels_of
    from .picture import to_array, to_pillow

    with named(data):
        reader, plain = reader_of(data, max_pixels), switch("as_array", as_array)
        pixels = pixels_of(model_for(reader.header, model, device), reader, region)
        return to_array(pixels) if plain else to_pillow(pixels)

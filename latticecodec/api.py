"""The two functions most programs need; loaded models are kept for the next call."""

from pathlib import Path
from typing import TYPE_CHECKING

from .config import DEFAULT_EFFORT
from .container import read_header
from .zoo import find_by_digest, load

if TYPE_CHECKING:
    from PIL import Image

    from .image import Picture


def encode(
    img: "Picture",
    model: str | Path = "lattice",
    quality: float = 50.0,
    bpp: float | None = None,
    size: int | None = None,
    psnr: float | None = None,
    device: str = "auto",
    effort: int = DEFAULT_EFFORT,
    tune: str | None = None,
) -> bytes:
    """Compress a picture to the bytes of an .lcq file.

    Args:
        img: PIL image, path, uint8 array [H, W] or [H, W, 3], or tensor [3, H, W] (uint8, or float in [0, 1]).
        model: a name from `list_models`, or a model folder.
        quality: 0 (smallest) to 100, continuous; used when no target below is given.
        bpp: target in bits per pixel of the whole file.
        size: target in bytes, never exceeded.
        psnr: target in dB of the decoded pixels.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
        effort: 0 (fastest) to 9 (fewest bits for the same quality); files decode alike. See `Codec.encode`.
        tune: "psnr", or "ms-ssim" to spend the bits where eyes notice, with the model trained for that in place of
            `lattice` or `lattice-e8`; by default what the model was trained for.

    Raises ImageError, ModelError or TargetError, all of them LcqError.
    """
    codec = load(model, device, tune)
    return codec.encode(img, quality=quality, bpp=bpp, size=size, psnr=psnr, effort=effort, tune=tune)


def decode(data: bytes, model: str | Path | None = None, device: str = "auto") -> "Image.Image":
    """Restore the picture of an .lcq file: a PIL image of mode RGB or L.

    Args:
        data: the whole file.
        model: folder of the model the file was written with, when it is not installed.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".

    Raises FormatError (or ChecksumError, VersionError, LimitError) for files that are damaged or not .lcq, ModelError
    where the model is not there; all of them LcqError.
    """
    info = find_by_digest(read_header(data).model, model)
    return load(info.folder, device).decode(data)

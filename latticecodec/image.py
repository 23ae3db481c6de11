"""Pictures to tensors and back: whatever `encode` accepts, padding, crop, rounding."""

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .container import PIXELS_MAX, SIZE_MAX
from .errors import ImageError

if TYPE_CHECKING:
    from torch import Tensor

    Picture = Image.Image | np.ndarray[Any, Any] | Tensor | str | Path

GREY, RGB = 1, 3
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".gif"}
PEAK = 255  # of 8-bit pixels
IDENTICAL = 100.0  # dB, where not one pixel differs, so that means over pictures stay finite
DIRECT = {"1": "L", "L": "L", "RGB": "RGB"}  # Pillow modes and what they are coded as
REFUSED = {
    "CMYK": "CMYK; convert it to RGB first",
    "LA": "grey with alpha; alpha is not supported yet, flatten it first",
    "La": "grey with alpha; alpha is not supported yet, flatten it first",
    "RGBA": "RGB with alpha; alpha is not supported yet, flatten it first",
    "RGBa": "RGB with alpha; alpha is not supported yet, flatten it first",
    "PA": "a palette with alpha; alpha is not supported yet, flatten it first",
}


def find_images(folder: Path) -> list[Path]:
    """All image files below `folder`, sorted; raises ImageError where there are none."""
    if not folder.is_dir():
        raise ImageError(f"{folder}: no such folder")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    if not files:
        raise ImageError(f"{folder}: holds no image files ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return files


def open_picture(source: str | Path | BinaryIO, name: str | Path | None = None) -> Image.Image:
    """Open an image file or stream; raises ImageError naming it (by `name`, where given) where that fails."""
    label = source if name is None else name
    ours, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, PIXELS_MAX
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow, about metadata and size
            image = Image.open(source)
            if _has_16_bits(image):
                raise ImageError(f"{label}: has 16 bits a sample; 16-bit pictures are not supported yet")
            image.load()
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{label}: no such file") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{label}: more pixels than Pillow's safety limit") from None
    except Exception as error:  # Pillow's decoders raise many types on damaged input
        reason = "not an image that Pillow can read" if isinstance(error, UnidentifiedImageError) else str(error)
        raise ImageError(f"{label}: {reason}") from None
    finally:
        Image.MAX_IMAGE_PIXELS = ours
    return image


def _has_16_bits(image: Image.Image) -> bool:
    """Whether a colour file that is open, but not loaded, has samples that Pillow would cut to 8 bits."""
    for tile in getattr(image, "tile", ()):
        settings = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        if any(isinstance(setting, str) and ";16" in setting for setting in settings):
            return image.mode == "RGB"
        if tile.codec_name.startswith("ppm") and isinstance(settings[-1], int) and settings[-1] > PEAK:
            return image.mode == "RGB"
    return False


def to_pixels(picture: "Picture") -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Any accepted picture to uint8 [H, W, C], C = 1 (grey) or 3 (RGB).

    A PIL image (EXIF orientation is applied), a path, an array [H, W] or [H, W, 1 or 3] of uint8, or a tensor
    [1 or 3, H, W] of uint8 or of floats in [0, 1]. Raises ImageError for anything else.
    """
    if isinstance(picture, str | Path):
        picture = open_picture(picture)
    if isinstance(picture, Image.Image):
        try:
            pixels = _from_pillow(picture)
        except ImageError:
            raise
        except Exception as error:  # a lazy image is read only now, and Pillow's decoders raise many types
            raise ImageError(f"the picture cannot be read: {error}") from None
    elif isinstance(picture, np.ndarray):
        pixels = picture[:, :, None] if picture.ndim == 2 else picture
        if pixels.dtype != np.uint8:
            raise ImageError(f"an array of {picture.dtype}; arrays must be uint8 (16-bit is not supported yet)")
    else:
        pixels = _from_tensor(picture)
    if pixels.ndim != 3 or pixels.shape[2] not in (GREY, RGB):
        raise ImageError(f"pixels of shape {tuple(pixels.shape)}; expected [H, W], [H, W, 1] or [H, W, 3]")
    height, width, _ = pixels.shape
    if not (1 <= width <= SIZE_MAX and 1 <= height <= SIZE_MAX) or width * height > PIXELS_MAX:
        raise ImageError(f"{width}x{height} pixels; each side must be 1 to {SIZE_MAX:,} and the area at most 2^28")
    return np.ascontiguousarray(pixels)


def _from_pillow(image: Image.Image) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)  # MPO: a JPEG with previews
    if frames > 1:
        raise ImageError(f"an animation of {frames} frames; save one frame as a still picture first")
    if "transparency" in image.info:
        raise ImageError("the picture has a transparent colour; alpha is not supported yet, flatten it first")
    mode = image.mode
    if mode == "P":
        image, mode = image.convert("RGB"), "RGB"
    if mode not in DIRECT:
        reason = REFUSED.get(mode, f"of mode {mode}; 16-bit and floating-point pictures are not supported yet")
        raise ImageError(f"the picture is {reason}")
    image = ImageOps.exif_transpose(image)
    pixels = np.asarray(image.convert(DIRECT[mode]))
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _from_tensor(tensor: Any) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    import torch

    if not isinstance(tensor, torch.Tensor):
        raise ImageError(f"a {type(tensor).__name__}; expected a PIL image, a path, a uint8 array or a tensor")
    if tensor.ndim == 4 and tensor.shape[0] == 1:
        tensor = tensor[0]
    if tensor.ndim != 3:
        raise ImageError(f"a tensor of shape {tuple(tensor.shape)}; expected [3, H, W] or [1, H, W]")
    if tensor.is_floating_point():
        if not bool(torch.isfinite(tensor).all()) or float(tensor.min()) < 0 or float(tensor.max()) > 1:
            raise ImageError("a floating-point tensor with values outside [0, 1]")
        tensor = (tensor.float() * 255).round().to(torch.uint8)
    if tensor.dtype != torch.uint8:
        raise ImageError(f"a tensor of {tensor.dtype}; expected uint8 or floats in [0, 1]")
    pixels: np.ndarray[Any, np.dtype[np.uint8]] = tensor.permute(1, 2, 0).cpu().numpy()
    return pixels


def to_tensor(pixels: "np.ndarray[Any, np.dtype[np.uint8]]", multiple: int) -> "Tensor":
    """uint8 [H, W, C] -> float32 [1, 3, H', W'] in [0, 1]; edges repeated up to a multiple of `multiple`."""
    import torch

    height, width, _ = pixels.shape
    pad = ((0, -height % multiple), (0, -width % multiple), (0, 0))
    padded = np.pad(pixels, pad, mode="edge")
    x = torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 255  # [1, C, H', W']
    return x.expand(-1, RGB, -1, -1).contiguous(memory_format=torch.channels_last)  # [1, 3, H', W']


def from_tensor(x: "Tensor", width: int, height: int, channels: int) -> Image.Image:
    """Float [1, 3, H', W'] -> PIL image of width x height, mode L for one channel, RGB for three."""
    x = x[0, :, :height, :width]  # [3, H, W]
    if channels == GREY:
        x = x.mean(0, keepdim=True)  # [1, H, W]
    pixels = x.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).cpu().numpy()  # [H, W, C]
    return Image.fromarray(pixels[:, :, 0] if channels == GREY else pixels)


def psnr(a: "np.ndarray[Any, np.dtype[np.uint8]]", b: "np.ndarray[Any, np.dtype[np.uint8]]") -> float:
    """Peak signal-to-noise ratio in dB of two uint8 arrays of one shape, over all their values together.

    10 log10(255^2 / mean squared error). For RGB [H, W, 3] that is the PSNR of the error averaged over the three
    channels, not the mean of three PSNRs. Identical arrays give 100 dB. Raises ImageError where shapes or types differ.
    """
    if a.shape != b.shape or a.dtype != np.uint8 or b.dtype != np.uint8:
        raise ImageError(f"{a.dtype} {a.shape} and {b.dtype} {b.shape}; expected uint8 arrays of one shape")
    error = float(np.square(np.subtract(a, b, dtype=np.int32)).mean())
    return 10 * math.log10(PEAK**2 / error) if error else IDENTICAL

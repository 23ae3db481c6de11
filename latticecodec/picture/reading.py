"""Whatever people have a picture in, to Pixels."""

import io
import os
import re
from dataclasses import replace
from pkgutil import resolve_name
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageFile

from ..container import PIXELS_MAX
from ..errors import ImageError, reason
from . import failures
from .formats import OWN, identify, of_pillow
from .formats.format import Format
from .pillow import check_mode, samples, waits
from .pixels import Pixels, at_most, check_size, from_array
from .tensors import pixels_of_tensor

if TYPE_CHECKING:
    from torch import Tensor

    InMemory = Pixels | Image.Image | np.ndarray[Any, Any] | Tensor
    Picture = InMemory | str | os.PathLike[str] | IO[bytes] | bytes | bytearray | memoryview


LOADED = Format("picture", (), re.compile(b"(?!)"), "", ())  # of PIL images that belong to no file of a known format


def read(picture: "Picture", max_pixels: int = PIXELS_MAX) -> Pixels:
    """Any accepted picture to Pixels. EXIF orientation is kept as metadata, not applied.

    Pixels, as they are; a path; an image file that is open in binary mode, or its bytes; a PIL image (grey, RGB,
    palette or 1-bit, with alpha or a transparent colour, 16-bit grey); an array [H, W] or [H, W, 1 to 4] of uint8 or
    uint16; or a tensor [1 to 4, H, W] of uint8, uint16 or floats in [0, 1]. Two and four channels have alpha. Of a file
    that holds more, `notes` tell what is left out. Nothing of the process is changed: what Pillow warns of, as damaged
    tags of TIFF files, goes through the caller's own filters. Raises ImageError for anything else, of a path naming it,
    and for more than `max_pixels`, before they are decoded.
    """
    with at_most(max_pixels):
        return _read(picture)


def _read(picture: "Picture") -> Pixels:
    if isinstance(picture, Pixels):
        check_size(picture.width, picture.height)
        return picture
    if isinstance(picture, str | os.PathLike):
        try:
            with open(picture, "rb") as file:
                return _read_file(file if file.seekable() else io.BytesIO(file.read()), os.fsdecode(picture))
        except FileNotFoundError:
            raise ImageError(f"{os.fsdecode(picture) or repr('')}: no such file") from None
        except OSError as error:
            raise ImageError(f"{os.fsdecode(picture)}: cannot be read: {reason(error)}") from None
        except ValueError:  # with a null byte in it
            raise ImageError(f"{os.fsdecode(picture)}: no file can have such a name") from None
    if isinstance(picture, bytes | bytearray | memoryview):
        return _read_file(io.BytesIO(bytes(picture)), "the bytes given")
    if isinstance(picture, io.TextIOBase):
        raise ImageError("the file is open as text; open it in binary mode, 'rb'")
    if callable(getattr(picture, "read", None)):
        return _read_open(picture)
    if isinstance(picture, Image.Image):
        with failures.told(picture.format or "picture"):
            return from_pillow(picture)
    return from_array(picture) if isinstance(picture, np.ndarray) else pixels_of_tensor(picture)


def _read_open(file: Any) -> Pixels:
    """The picture in an open file, from its beginning where it can be sought in."""
    if getattr(file, "closed", False):
        raise ImageError("the file is closed; open it again")
    try:
        whole = file if getattr(file, "seekable", bool)() else io.BytesIO(file.read())
    except TypeError:  # not of bytes
        raise ImageError("the file does not give bytes when it is read; open it in binary mode, 'rb'") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"the open file cannot be read: {error}") from None
    name = getattr(file, "name", None)
    return _read_file(whole, name if isinstance(name, str) else "the open file")


def read_file(file: IO[bytes], name: str, max_pixels: int = PIXELS_MAX) -> Pixels:
    """The picture in an open image file that can be sought in; raises ImageError naming it by `name`, as `read`."""
    with at_most(max_pixels):
        return _read_file(file, name)


def _read_file(file: IO[bytes], name: str) -> Pixels:
    try:
        with failures.told("picture"):
            known = identify(file)
        with failures.told(known.name, known.extra):
            opened = resolve_name(known.opens)(file)
            if isinstance(opened, Pixels):
                return opened
            with opened:
                return from_pillow(opened)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None


def from_pillow(image: Image.Image) -> Pixels:
    """A PIL image to Pixels; one that is not loaded yet keeps 16 bits where Pillow would cut them to 8.

    Raises ImageError for animations, CMYK, floating point and other modes, and for a file of a format that is not read
    here, unless it is loaded: loading can start programs, which is for the caller to decide.
    """
    known, pixels = (of_pillow(image.format) if image.format else None) or LOADED, None
    waiting = isinstance(image, ImageFile.ImageFile) and waits(image)
    if waiting and known is LOADED and image.format != OWN:
        raise ImageError(f"{image.format} is not a format that is read; load the picture before, or make it PNG")
    notes = known.notes(image)
    check_size(image.width, image.height)
    if isinstance(image, ImageFile.ImageFile) and image.tile and image.fp is not None:
        pixels = known.anew(image, image.fp)
    if pixels is None:
        check_mode(image)
        image.load()
        pixels = known.described(samples(image), image)
    return replace(pixels, notes=(*notes, *pixels.notes))

"""Files that hold more than one picture: which one is taken, what is told of it, and which files are refused."""

from typing import Any

from PIL import Image

from ..errors import ImageError
from . import jpeg
from .formats import BY_PILLOW

PSD_VERSION = 1057  # image resource: 4 bytes of version, then whether there is a composite


def check(image: Image.Image) -> list[str]:
    """What the user should know of the other pictures in the file of an open image, one line each.

    Raises ImageError for animations and files of several pages, and for a PSD file without a composite.
    """
    known = BY_PILLOW.get(image.format or "")
    if known is None or not known.taken:
        _refuse(image)
        return []
    if image.format == "PSD":
        _check_composite(image)
    others = _others(image)
    notes = [f"holds {others}; {known.taken} was taken"] if others else []
    if jpeg.has_gain_map(image):
        notes.append("its HDR gain map is left out, though its metadata may speak of one")
    return notes


def _refuse(image: Image.Image) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format == "TIFF":
        raise ImageError(f"has {frames} pages; save one of them first")
    if frames > 1:
        raise ImageError(f"an animation of {frames} frames; save one frame as a still picture first")


def _others(image: Any) -> str:
    """What a file holds that has more pictures than one; empty for others."""
    if image.format in ("JPEG", "MPO"):
        return "several pictures" if jpeg.has_more_pictures(image) else ""
    if image.format == "PSD":
        return _layers(image)
    count = len(image.info.get("sizes", ())) if image.format == "ICO" else getattr(image, "n_frames", 1)
    return f"{count} pictures" if count > 1 else ""


def _layers(image: Any) -> str:
    try:
        count = len(getattr(image, "layers", ()))
    except Exception:  # of damaged layers, on which the composite does not depend
        return "layers that are damaged"
    return f"{count} layers" if count > 1 else ""


def _check_composite(image: Any) -> None:
    for number, _, body in getattr(image, "resources", ()):
        if number == PSD_VERSION and body[4:5] == b"\0":
            raise ImageError("holds layers but no composite of them; save it with maximized compatibility first")

"""A region of a picture, as callers give it."""

from ..arguments import shown, whole
from ..container import Box, Header
from ..errors import TargetError

Region = tuple[int, int, int, int]  # x, y, width, height in pixels


def box_of(region: Region | None, header: Header) -> Box:
    """A region as a box; raises TargetError where it is not four integers inside of the picture."""
    if region is None:
        return Box(0, 0, header.width, header.height)
    try:
        left, top, width, height = (whole("region", max(number, -1), -1) for number in region)  # any integer
    except (TypeError, ValueError, TargetError):
        raise TargetError(f"region {shown(region)} is not four integers: (x, y, width, height)") from None
    if left < 0 or top < 0 or width < 1 or height < 1 or left + width > header.width or top + height > header.height:
        size = f"{header.width}x{header.height}"
        raise TargetError(f"region {shown(region)} is not inside of a picture of {size}: (x, y, width, height)")
    return Box(left, top, width, height)

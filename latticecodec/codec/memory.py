"""Memory that is free goes back to the system between areas of a large picture.

The allocator of glibc keeps what it got in pieces, and a hundred megapixels would take a third more memory.
"""

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from typing import Any


def give_back() -> None:
    """Return free memory to the system where the C library can be asked to; does nothing elsewhere."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], Any] | None:
    """malloc_trim of glibc."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)

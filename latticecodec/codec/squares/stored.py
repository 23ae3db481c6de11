"""What of a tile is coded without loss: its alpha channel, and the colours of its exact squares."""

from typing import NamedTuple

from ...picture import Samples, alpha, exact

LITTLE = 64  # times the bytes of alpha: colours that take more save next to nothing by sharing its stream


class Stored(NamedTuple):
    """As the file has it."""

    alpha: bytes = b""  # the coded alpha channel; empty where all is opaque, or the colours have it
    exact: bytes = b""  # the coded colours; empty where no square is exact

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.alpha) + len(self.exact)


def coded_alpha(plane: Samples | None) -> bytes:
    """The alpha channel of a tile, [h, w], coded apart from colours; b"" for None, without alpha, and where opaque."""
    return b"" if plane is None else alpha.encode(plane)


def stored(colour: Samples, plane: Samples | None, apart: bytes) -> Stored:
    """Colours and alpha of a tile, in streams of their own or in one, whichever is shorter.

    Args:
        colour: [h, w, C].
        plane: alpha, [h, w], or None.
        apart: `coded_alpha` of it.
    """
    separate = Stored(apart, exact.encode(colour))
    if len(separate.exact) >= LITTLE * len(apart):
        return separate
    return min(separate, Stored(b"", exact.encode(colour, plane)), key=lambda found: found.size)

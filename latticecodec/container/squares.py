"""Which squares of a picture have exact colours: a mask of one bit for each square of SQUARE x SQUARE pixels."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import FormatError
from .box import Box

SQUARE = 64  # pixels a side


@dataclass(frozen=True)
class Squares:
    """The squares of a picture, row by row, and which of them are exact.

    Attributes:
        width, height: of the picture, in pixels.
        mask: one bit a square, eight to a byte, the first in the highest bit; None where none is exact.
    """

    width: int
    height: int
    mask: bytes | None

    @property
    def columns(self) -> int:
        """Squares side by side."""
        return -(-self.width // SQUARE)

    @property
    def count(self) -> int:
        """Squares in all."""
        return self.columns * -(-self.height // SQUARE)

    def check(self) -> None:
        """Raise FormatError for a mask of other squares than the picture's."""
        if self.mask is None:
            return
        if len(self.mask) != -(-self.count // 8):
            told = f"{len(self.mask):,} bytes for {self.count:,} squares"
            raise FormatError(f"the mask of exact squares has {told}: damaged")
        if self.mask and self.mask[-1] & ((1 << -self.count % 8) - 1):
            raise FormatError("the mask of exact squares has bits for more squares than there are: damaged")

    def within(self, box: Box, exact: bool) -> Iterator[Box]:
        """What of a box lies in squares that are exact, or in those that are not; a piece for each square."""
        for row in range(box.top // SQUARE, -(-box.bottom // SQUARE)):
            for column in range(box.left // SQUARE, -(-box.right // SQUARE)):
                if self._exact(row * self.columns + column) == exact:
                    yield Box(column * SQUARE, row * SQUARE, SQUARE, SQUARE).common(box)

    def any(self, box: Box, exact: bool) -> bool:
        """Whether any pixel of a box lies in a square that is exact, or in one that is not."""
        return next(self.within(box, exact), None) is not None

    @property
    def all_exact(self) -> bool:
        """Whether all squares of the picture are exact."""
        return self.mask == mask_of(self.count * [True])

    @property
    def share(self) -> float:
        """Which part of the pixels is exact, 0 to 1."""
        if self.mask is None:
            return 0.0
        pieces = self.within(Box(0, 0, self.width, self.height), True)
        return sum(piece.width * piece.height for piece in pieces) / (self.width * self.height)

    def _exact(self, number: int) -> bool:
        return self.mask is not None and bool(self.mask[number >> 3] >> (7 - (number & 7)) & 1)


def mask_of(exact: Iterable[bool]) -> bytes:
    """The mask of squares, row by row."""
    bits = "".join("01"[square] for square in exact)
    padded = bits + "0" * (-len(bits) % 8)
    return int(padded, 2).to_bytes(len(padded) // 8)

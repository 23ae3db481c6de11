"""Rectangles of pixels."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The column after the last one."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The row after the last one."""
        return self.top + self.height

    def meets(self, other: "Box") -> bool:
        """Whether the two have a pixel in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def grown(self, margin: int, width: int, height: int) -> "Box":
        """The box with `margin` pixels more on all sides, as far as a picture of width x height goes."""
        left, top = max(0, self.left - margin), max(0, self.top - margin)
        return Box(left, top, min(width, self.right + margin) - left, min(height, self.bottom + margin) - top)

    def common(self, other: "Box") -> "Box":
        """What of two boxes that meet is in both."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Box(left, top, min(self.right, other.right) - left, min(self.bottom, other.bottom) - top)

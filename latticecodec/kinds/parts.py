"""Latents refined a part of the picture at a time, so that large pictures need little more memory than small ones."""

import itertools
from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..config import HYPER, PATCH
from ..entropy.coder import Float32
from ..picture import Samples, to_planes

PART = 56  # latent positions a side that are refined at a time
SMALL_PART = 36  # the same of a large area, beside whose picture there is less room in memory

Report = Callable[[int, int], None]  # called with (steps done, steps in all)


class Refinement(Protocol):
    """A refinement with all but the latents and their picture settled."""

    def __call__(self, u: Float32, *, x: Float32, report: Report) -> Float32:
        """Latents [M, h, w] in lattice steps that make a better file than u [M, h, w] of a picture x [3, H, W]."""


def by_parts(u: Float32, colour: Samples, halo: int, refinement: Refinement, report: Report) -> Float32:
    """Latents [M, h, w], refined a part at a time.

    Args:
        u: latents in lattice steps.
        colour: the picture they are of, [H, W, C].
        halo: positions around a part that are refined with it, and then forgotten; a multiple of 4.
        refinement: of one part.
        report: called with the progress of all parts together.
    """
    out = np.empty_like(u)
    longest = PART if max(u.shape[1:]) <= 2 * PART else SMALL_PART
    parts = list(itertools.product(_parts(u.shape[1], longest), _parts(u.shape[2], longest)))
    for number, ((top, bottom), (left, right)) in enumerate(parts):
        row, column = max(0, top - halo), max(0, left - halo)
        seen = colour[PATCH * row : PATCH * (bottom + halo), PATCH * column : PATCH * (right + halo)]
        refined = refinement(
            u[:, row : bottom + halo, column : right + halo],
            x=to_planes(seen, 1),  # [3, H, W]
            report=lambda done, total, number=number: report(number * total + done, len(parts) * total),  # type: ignore[misc]
        )
        out[:, top:bottom, left:right] = refined[:, top - row : bottom - row, left - column : right - column]
    return out


def _parts(length: int, longest: int) -> list[tuple[int, int]]:
    """About equal parts of 0..length, about `longest` at most, all beginning at multiples of 4."""
    count = -(-length // longest)
    ends = [length * number // count // HYPER * HYPER for number in range(count)]
    return list(itertools.pairwise([*ends, length]))

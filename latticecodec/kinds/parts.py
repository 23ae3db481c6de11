"""Latents refined a part of the picture at a time, so that large pictures need little more memory than small ones."""

import itertools
from typing import Protocol

from ..backends.backend import Report
from ..config import HYPER, PATCH
from ..entropy.coder import Float32
from ..picture import Samples, to_planes

MARGIN = 12  # latent positions around what will be coded that are refined with it; with a patch enough for MS-SSIM
PART = 56  # latent positions a side that are refined at a time
SMALL_PART = 36  # the same of a large area, beside whose picture there is less room in memory
STEP_PART = (32, 32)  # rows and columns that one step of squared error is taken for
STEP_HALO = 2  # positions around these; what lies farther moves one coordinate in 10,000 at the very edge, or none

Range = tuple[int, int]  # of latent positions, the end not included
Inside = tuple[slice, slice]  # rows and columns of latents


class Refine(Protocol):
    """What `backend.Refiner.refine` does, with its refinement settled."""

    def __call__(self, u: Float32, *, x: Float32, report: Report) -> Float32:
        """Latents [M, h, w] in lattice steps that make a better file than u [M, h, w] of a picture x [3, H, W]."""


def by_parts(u: Float32, colour: Samples, halo: int, refine: Refine, report: Report) -> Float32:
    """Latents [M, h, w], refined a part at a time.

    Args:
        u: latents in lattice steps.
        colour: the picture they are of, [H, W, C].
        halo: positions around a part that are refined with it, and then forgotten; a multiple of 4.
        refine: refines one part.
        report: called with the progress of all parts together.
    """
    longest = PART if max(u.shape[1:]) <= 2 * PART else SMALL_PART
    parts = list(itertools.product(_parts(0, u.shape[1], longest), _parts(0, u.shape[2], longest)))
    return _refined(u, colour, halo, refine, report, parts)


def within(inside: Inside, u: Float32, colour: Samples, refine: Refine, report: Report) -> Float32:
    """As `by_parts`, of one step of squared error, which is taken for what is `inside` alone.

    What is around is left as it is, and only looked at, as far as STEP_HALO.
    """
    rows, columns = (_parts(side.start, side.stop, longest) for side, longest in zip(inside, STEP_PART, strict=True))
    return _refined(u, colour, STEP_HALO, refine, report, list(itertools.product(rows, columns)))


def _refined(
    u: Float32, colour: Samples, halo: int, refine: Refine, report: Report, parts: list[tuple[Range, Range]]
) -> Float32:
    out = u.copy()
    for number, ((top, bottom), (left, right)) in enumerate(parts):
        row, column = max(0, top - halo), max(0, left - halo)
        seen = colour[PATCH * row : PATCH * (bottom + halo), PATCH * column : PATCH * (right + halo)]
        refined = refine(
            u[:, row : bottom + halo, column : right + halo],
            x=to_planes(seen, 1),  # [3, H, W]
            report=lambda done, total, number=number: report(number * total + done, len(parts) * total),  # type: ignore[misc]
        )
        out[:, top:bottom, left:right] = refined[:, top - row : bottom - row, left - column : right - column]
    return out


def _parts(start: int, end: int, longest: int) -> list[Range]:
    """About equal parts of start..end, about `longest` at most, all as far from the start as multiples of 4."""
    length = end - start
    count = -(-length // longest)
    ends = [start + length * number // count // HYPER * HYPER for number in range(count)]
    return list(itertools.pairwise([*ends, end]))

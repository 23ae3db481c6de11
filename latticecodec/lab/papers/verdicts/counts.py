"""Findings on embeddings in use and parameters, as in `findings`."""

import math
from collections.abc import Sequence
from itertools import pairwise

from ..results import Result, measured
from .findings import Find, Finding, known
from .rows import number


def utilised(sizes: Sequence[int]) -> Find:
    """Embeddings as a share of K: the first row's below a tenth, those of the others above nine tenths."""

    def find(rows: Sequence[Result]) -> Finding | None:
        used = known([measured(row, "used") for row in rows])
        if used is None:
            return None
        shares = [embeddings / codes for embeddings, codes in zip(used, sizes, strict=True)]
        told = f"used / K {', '.join(f'{share:.2g}' for share in shares)}"
        return Finding(shares[0] < 0.1 and min(shares[1:]) > 0.9, told)

    return find


def graceful(most: float) -> Find:
    """Along the rows no error is above `most` times the one before, with as many parameters in each."""

    def find(rows: Sequence[Result]) -> Finding | None:
        errors, parameters = (known([measured(row, name) for row in rows]) for name in ("mse", "parameters"))
        if errors is None or parameters is None:
            return None
        leaps = [after / before for before, after in pairwise(errors)]
        told = f"mse {', '.join(map(number, errors))}, parameters {', '.join(map(number, parameters))}"
        return Finding(max(leaps) <= most and len(set(parameters)) == 1, told)

    return find


def undegenerate(dimensions: int) -> Find:
    """No dimension of a lattice has the same coordinate in all pictures."""

    def find(rows: Sequence[Result]) -> Finding | None:
        live = known([measured(row, "live_dimensions") for row in rows])
        if live is None:
            return None
        told = f"degenerate dimensions {', '.join(number(dimensions - count) for count in live)} of {dimensions}"
        return Finding(min(live) == dimensions, told)

    return find


def moving(codes: int, printed: float, batches: int, factor: float) -> Find:
    """A count of moving codewords over the batches of an epoch gives the printed embeddings, within a factor."""

    def find(rows: Sequence[Result]) -> Finding | None:
        counts = known([measured(rows[0], "used_epoch"), measured(rows[0], "used")])
        if counts is None:
            return None
        epoch, used = counts
        told = f"{number(epoch / batches)} in a batch are {number(epoch)} in an epoch"
        return _within(epoch, printed, factor, f"{told}; used {number(used)} by index, K = {codes}")

    return find


def about(codes: int, factor: float) -> Find:
    """Embeddings in use by the first row are `codes`, within a factor."""

    def find(rows: Sequence[Result]) -> Finding | None:
        used = measured(rows[0], "used")
        return None if used is None else _within(used, codes, factor, f"used {number(used)}, K = {codes}")

    return find


def _within(value: float, of: float, factor: float, told: str) -> Finding:
    """Whether a count is `of`, within a factor."""
    margins = value * factor / of, of * factor / max(value, 1.0)
    return Finding(min(margins) >= 1, told, tuple(map(math.log, margins)))

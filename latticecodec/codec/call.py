"""What every call of a codec is made in, and whom it reports to where nobody listens."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ..errors import LcqError


@contextmanager
def own_errors() -> Iterator[None]:
    """NumPy warns of nothing and raises nothing, whatever the caller has set; a MemoryError becomes an LcqError."""
    try:
        with np.errstate(all="ignore"):
            yield
    except MemoryError:
        raise LcqError("not enough memory for a picture of this size") from None


def silent(done: int, total: int) -> None:
    """Report nothing."""

"""A progress bar for library functions that report (done, in all)."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, and what moves it: (done, in all)."""
    with click.progressbar(length=1, label=label, file=sys.stderr) as progress:

        def advance(done: int, total: int) -> None:
            progress.length = total
            progress.update(done - progress.pos)

        yield advance

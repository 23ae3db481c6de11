"""A progress bar for library functions that report (done, in all)."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

PARTS = 1000  # that the bar moves in


@contextmanager
def bar(label: str, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error where it is to be shown, and what moves it: (done, in all)."""
    if not shown:
        yield lambda done, total: None
        return
    with click.progressbar(length=PARTS, label=label, file=sys.stderr) as progress:
        yield lambda done, total: progress.update(PARTS * done // total - progress.pos)

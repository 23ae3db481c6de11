"""Progress bars on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:
    from typing import TextIO

LARGE = 1 << 22  # pixels; more than that take long enough for a bar
PARTS = 1000  # that the bar of a library function moves in


@contextmanager
def bar(label: str, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A bar for a library function that reports (done, in all), where it is to be shown, and what moves it."""
    if not shown:
        yield lambda done, total: None
        return
    with counted(PARTS, label) as progress:
        yield lambda done, total: progress.update(PARTS * done // total - progress.pos)


def counted(length: int, label: str) -> Any:
    """A bar of so many steps."""
    return click.progressbar(length=length, label=label, file=cast("TextIO", _StandardError()))


class _StandardError:
    """Standard error, where it makes no difference that it is full or that its terminal has gone."""

    def write(self, text: str) -> None:
        """Print."""
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """See that it is shown."""
        with suppress(OSError):
            sys.stderr.flush()

    def isatty(self) -> bool:
        """Whether there is a terminal to draw on."""
        return sys.stderr.isatty()

"""The `lcodec` command: parse, call one library function, print. One command a file."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from traceback import walk_tb
from typing import Any

import click

from latticecodec import LcqError, __version__
from latticecodec.errors import reason

from .atomic import remove_parts
from .bulk import bulk
from .compress import compress
from .decompress import decompress
from .evaluate import evaluate
from .info import info
from .messages import ReaderGone, is_expected, note, on_one_line, output_error, printable, told, warnings_as_lines
from .models import models
from .page import page
from .reproduce import reproduce
from .stop import Stopped, on_signals
from .train import train
from .verify import verify

NAMELESS = "a file cannot be read or written"  # where the system does not say which


class Commands(click.Group):
    """Prints every error of the library as one line on stderr and exits 1; 128 + n where signal n stopped it."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program as a process of its own, and end that; not so where click's `standalone_mode` is False."""
        if not kwargs.get("standalone_mode", True):
            return super().main(*args, **kwargs)
        if sys.stderr is None:  # closed: what would go there is for nobody
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
        try:
            with on_signals(remove_parts):
                return super().main(*args, **kwargs)
        except Stopped as stopped:
            note(f"Error: {stopped}")
            sys.exit(stopped.status)
        except ReaderGone as gone:
            sys.exit(gone.status)
        finally:
            _let_go_of_standard_output()

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the arguments."""
        with _errors_told():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _errors_told(), warnings_as_lines():
            return super().invoke(ctx)


@contextmanager
def _errors_told() -> Iterator[None]:
    """Expected errors as one line."""
    try:
        yield
    except Exception as error:
        if not is_expected(error):
            raise
        if isinstance(error, OSError) and error.filename is None:
            printed = _printing(error) or _standard_output_fails()
            error = output_error(error) if printed else LcqError(f"{NAMELESS}: {reason(error)}")
        raise click.ClickException(on_one_line(printable(told(error)))) from None


def _printing(error: BaseException) -> bool:
    """Whether the error is of what click prints itself, as help; where nothing buffers, that does not fail again."""
    return any(frame.f_code is click.echo.__code__ for frame, _ in walk_tb(error.__traceback__))


def _standard_output_fails() -> bool:
    """Whether what was printed cannot be written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        return True
    return False


def _let_go_of_standard_output() -> None:
    """Close what cannot be written to; Python would try again at its end, and complain."""
    if _standard_output_fails():
        with suppress(OSError):
            sys.stdout.close()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="lcodec")
def main() -> None:
    """Neural image codec: photos to small, checked .lcq files and back.

    \b
    lcodec compress photo.png -o photo.lcq      about half of what JPEG needs
    lcodec decompress photo.lcq -o back.png
    """


for command in (bulk, compress, decompress, evaluate, info, models, page, reproduce, train, verify):
    main.add_command(command)

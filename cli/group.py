"""`lcodec` itself: the commands, each imported once it runs, and what becomes of their errors."""

import os
import sys
from collections import UserDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

import click

from latticecodec import LcqError, __version__
from latticecodec.errors import reason
from latticecodec.outputs import remove_parts

from .messages import ReaderGone, is_expected, note, on_one_line, output_error, printable, told, warnings_as_lines
from .stop import Stopped, on_signals

COMMANDS = {  # what each does, in a line; one of that name is in the module of that name, or in MODULES
    "bulk": "Compress, restore or check collections on many machines.",
    "compress": "Compress pictures to .lcq files.",
    "decompress": "Restore pictures from .lcq files.",
    "eval": "Measure models beside JPEG, WebP, AVIF on your pictures.",
    "info": "Print what the headers of .lcq files say.",
    "models": "List the models that are installed.",
    "page": "Open .lcq files, and make some, in the browser.",
    "reproduce": "Rerun the tables of the papers behind the quantizers.",
    "train": "Train a model on a folder of images.",
    "verify": "Check .lcq files without drawing them.",
}
MODULES = {"eval": "evaluate"}  # which would be a name of Python's own
NAMELESS = "a file cannot be read or written"  # where the system does not say which


class Imported(UserDict[str, click.Command]):
    """The commands by name; those of COMMANDS are imported when they are asked for."""

    def __missing__(self, name: str) -> click.Command:
        if name not in COMMANDS:
            raise KeyError(name)
        module = MODULES.get(name, name)
        self.data[name] = getattr(import_module(f".{module}", __package__), module)
        return self.data[name]

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS or name in self.data

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS | self.data)

    def __len__(self) -> int:
        return len(COMMANDS | self.data)


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list in the help, for which nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

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
    from traceback import walk_tb

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


@click.group(
    cls=Commands,
    commands=Imported(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="lcodec")
def main() -> None:
    """Neural image codec: photos to small, checked .lcq files and back.

    \b
    lcodec compress photo.png -o photo.lcq      about half of what JPEG needs
    lcodec decompress photo.lcq -o back.png
    """

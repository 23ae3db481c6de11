"""What is printed: lines that any terminal takes, JSON that any reader takes, and of an error one line with a name."""

import json
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

from latticecodec import LcqError, OutputError
from latticecodec.errors import on_one_line as on_one_line
from latticecodec.errors import reason, written_out

ALIKE = (  # parameters of the library that options are called after
    "batch codebook_size codebook_update column commitment crop data device embed_basis freeze gamma "
    "init_from keep_suffix keep_times lossless minutes model out preset quantizer rank rescaling resume "
    "selection steps temperature tune val workers"
)
OPTIONS = {name: f"--{name.replace('_', '-')}" for name in ALIKE.split()} | {  # by what errors have in backticks
    "latticecodec.models_path": "LCODEC_MODELS",
    "learning_rate": "--lr",
    "overwrite": "--force",
}
NO_MEMORY = "not enough memory for this; close other programs, give fewer --jobs, or take a machine with more"


class ReaderGone(BaseException):
    """Nobody reads standard output any more; the command ends without a word, as other programs do."""

    status = 128 + 13  # of a shell's child that died of SIGPIPE


def printable(text: str) -> str:
    """The text with what is no character in it, as in file names that are not UTF-8, written out: \\xff."""
    return re.sub("[\ud800-\udfff]", lambda match: written_out(ord(match[0])), text)


def amount(number: int, thing: str) -> str:
    """1 file, 2 files."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def say(text: str) -> None:
    """Print on standard output; raises OutputError where that is closed or full, ReaderGone where nobody reads it."""
    if sys.stdout is None:
        raise OutputError("standard output: is closed; leave it open, or send it to a file")
    try:
        click.echo(printable(text))
    except OSError as error:
        raise output_error(error) from None


def say_json(value: Any, indent: int | None = None) -> None:
    """Print as JSON; raises as `say`."""
    say(json.dumps(_clean(value), indent=indent))


def note(text: str) -> None:
    """Print on standard error; whether anybody reads it changes nothing."""
    with suppress(OSError):
        click.echo(printable(on_one_line(text)), err=True)


def output_error(error: OSError) -> OutputError:
    """What is to be raised for an error of standard output; raises ReaderGone where its reader has gone."""
    if isinstance(error, BrokenPipeError):
        raise ReaderGone from None
    return OutputError(f"standard output: cannot be written: {reason(error)}")


def is_expected(error: Exception) -> bool:
    """Whether bad input or a full machine can raise this."""
    return isinstance(error, LcqError | OSError | MemoryError) or _is_of_memory(error)


def _is_of_memory(error: BaseException) -> bool:
    """Whether memory is what lacks, which torch says in its own way."""
    if isinstance(error, RuntimeError):
        return "allocate memory" in str(error) or "out of memory" in str(error)
    return isinstance(error, MemoryError)


def told(error: BaseException) -> str:
    """What an error says, never nothing and never Python's own words."""
    if _is_of_memory(error):
        return NO_MEMORY
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {reason(error)}"
    return reason(error) if isinstance(error, OSError) else in_options(str(error))


def in_options(text: str) -> str:
    """The text with the options of the command line in place of the library's parameters."""
    return re.sub(r"`([\w.]+)`", lambda match: OPTIONS.get(match[1], match[0]), text)


def _clean(value: Any) -> Any:
    """The value with all its strings as `printable` makes them."""
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return printable(value) if isinstance(value, str) else value


@contextmanager
def warnings_as_lines(*silent: str) -> Iterator[None]:
    """Inside, warnings are lines on standard error; for a process that is ours.

    Those of Pillow about single tags of files are not printed, nor are those of modules that `silent` matches.
    """
    with warnings.catch_warnings():
        for module in (r"PIL\.", *silent):
            warnings.filterwarnings("ignore", module=module)
        warnings.showwarning = lambda message, *_: note(f"Warning: {message}")
        yield

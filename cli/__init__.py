"""The `lcodec` command: parse, call one library function, print. One command a file."""

import sys
import warnings
from typing import Any

import click

from latticecodec import __version__

from .atomic import remove_parts
from .compress import compress
from .decompress import decompress
from .evaluate import evaluate
from .files import EXPECTED, one_line
from .info import info
from .models import models
from .reproduce import reproduce
from .stop import Stopped, on_signals
from .train import train
from .verify import verify


class Commands(click.Group):
    """Prints every error of the library as one line on stderr and exits 1; 128 + n where signal n stopped it."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program."""
        try:
            with on_signals(remove_parts):
                return super().main(*args, **kwargs)
        except Stopped as stopped:
            click.echo(f"Error: {stopped}", err=True)
            sys.exit(stopped.status)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", module=r"PIL\.")  # about single tags of files
                return super().invoke(ctx)
        except EXPECTED as error:
            raise click.ClickException(one_line(error)) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="lcodec")
def main() -> None:
    """Neural image codec: photos to small, checked .lcq files and back.

    \b
    lcodec compress photo.png -o photo.lcq      about half of what JPEG needs
    lcodec decompress photo.lcq -o back.png
    """


for command in (compress, decompress, evaluate, info, models, reproduce, train, verify):
    main.add_command(command)

"""Options that several commands share."""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from latticecodec.container import PIXELS_MAX
from latticecodec.devices import resolve_device

from .files import Writing

FILES = click.Path(allow_dash=True, readable=False)  # click would refuse all of them where one cannot be read


def _device(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A device that is there; "auto" is resolved where it is wanted."""
    return value if value == "auto" else resolve_device(value)


class Number(click.FloatRange):
    """A finite number in a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See `click.ParamType`."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


class Location(click.Path):
    """A file or folder, as a Path; an empty text is none, which Python would take for the current folder."""

    def __init__(self, **kinds: bool) -> None:
        super().__init__(path_type=Path, **kinds)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """See `click.ParamType`."""
        if value == "":
            self.fail("is empty; name a file or a folder", param, ctx)
        return super().convert(value, param, ctx)


device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    callback=_device,
    help="Where to compute; auto takes CUDA where there is one.",
)
force = click.option(
    "--force", is_flag=True, help="Overwrite outputs that exist; they keep their permissions, and links are followed."
)
skip_existing = click.option(
    "--skip-existing", is_flag=True, help="Do nothing for inputs whose output exists: to go on with a folder."
)
keep_times = click.option(
    "--keep-times", is_flag=True, help="Give each output the time of last change that its input has."
)
jobs = click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Work on N files at once, each in a process with one thread and memory of its own; the outputs are the same.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
json_of_files = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON on standard output: an object, of several files or a folder a list of them; of a file that fails "
    "too, which has the line on standard error as its error.",
)
max_pixels = click.option(
    "--max-pixels",
    type=click.IntRange(1),
    default=PIXELS_MAX,
    show_default=True,
    metavar="N",
    help="Refuse pictures that have more pixels in all.",
)
decoding_model = click.option(
    "--model", metavar="NAME|DIR", help="Model the file was written with, when it is not one of those installed."
)


def given(names: Collection[str]) -> list[str]:
    """The options of these parameters that the command line has, as they are called there."""
    context = click.get_current_context()
    return [
        each.opts[-1]
        for each in context.command.params
        if each.name in names and context.get_parameter_source(str(each.name)) != ParameterSource.DEFAULT
    ]


def writing(force: bool, skip_existing: bool, keep_times: bool) -> Writing:
    """How outputs are to be written; raises UsageError where two options contradict each other."""
    if force and skip_existing:
        raise click.UsageError("--force and --skip-existing exclude each other")
    return Writing(force, skip_existing, keep_times)

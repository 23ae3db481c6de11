"""Options that several commands share."""

import click

from .files import Writing

device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
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
decoding_model = click.option(
    "--model", metavar="NAME|DIR", help="Model the file was written with, when it is not one of those installed."
)


def writing(force: bool, skip_existing: bool, keep_times: bool) -> Writing:
    """How outputs are to be written; raises UsageError where two options contradict each other."""
    if force and skip_existing:
        raise click.UsageError("--force and --skip-existing exclude each other")
    return Writing(force, skip_existing, keep_times)

"""Options that several commands share."""

import click

device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to compute; auto takes CUDA where there is one.",
)
force = click.option("--force", is_flag=True, help="Overwrite outputs that exist.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
decoding_model = click.option(
    "--model", metavar="NAME|DIR", help="Model the file was written with, when it is not one of those installed."
)

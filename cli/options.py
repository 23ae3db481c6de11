"""Options that several commands share."""

from typing import TYPE_CHECKING

import click

from latticecodec import LcqError, ModelError

if TYPE_CHECKING:
    from latticecodec.zoo import ModelInfo


def _device(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A device that is there."""
    if value == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise LcqError("no CUDA device is available; use --device cpu")
    return value


device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    callback=_device,
    help="Where to compute; auto takes CUDA where there is one.",
)
force = click.option("--force", is_flag=True, help="Overwrite outputs that exist.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
decoding_model = click.option(
    "--model", metavar="NAME|DIR", help="Model the file was written with, when it is not one of those installed."
)


def find_decoding_model(digest: bytes, model: str | None) -> "ModelInfo":
    """The model that a file was written with, by the value of `decoding_model`; raises ModelError without it."""
    from latticecodec.zoo import VARIABLE, find_by_digest, written_with

    if model is None and written_with(digest) is None:
        raise ModelError(
            f"the file was written with model {digest.hex()}, which is not installed: name its folder with --model, or "
            f"put the folder that it lies in into {VARIABLE}"
        )
    return find_by_digest(digest, model)

"""Which quantizer `lcodec train` trains, and the options that belong to single ones."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class KindOfModel(click.Choice[str]):
    """One of the kinds there are; the table of them is not loaded before it is looked at."""

    def __init__(self) -> None:
        self.case_sensitive = True

    @property
    def choices(self) -> Sequence[str]:  # type: ignore[override]
        """The names."""
        from latticecodec.kinds import KINDS

        return tuple(KINDS)


_OPTIONS = (
    click.option(
        "--gamma",
        type=float,
        metavar="W",
        help="lattice: weight of the size loss, minus the sum of the basis; above 0 cells widen, below they narrow. "
        "[default: 0]",
    ),
    click.option(
        "--codebook-size",
        type=click.FloatRange(1, min_open=True),
        metavar="K",
        help="lattice from scratch: draw the first basis for about K points in the cube from -1 to 1. "
        "[default: a basis of 0.5]",
    ),
    click.option(
        "--commitment",
        type=click.FloatRange(0),
        metavar="W",
        help="Weight of the commitment loss, which draws latents to their points; a lattice's basis is then drawn to "
        "the latents as well. [default: 0 for lattice, 0.25 for codebooks]",
    ),
    click.option(
        "--codebook-update",
        type=click.Choice(["ema", "gradient"]),
        help="vq, rotation: codewords are moving averages, or learn by gradient. [default: ema]",
    ),
    click.option(
        "--selection",
        type=click.Choice(["cost", "attention"]),
        help="adaptive: how a codebook is chosen, by distance and bits or by a learned attention. [default: cost]",
    ),
    click.option(
        "--temperature",
        type=click.Choice(["linear", "exponential"]),
        help="adaptive by attention: how the temperature falls, from the number of steps to 1 or from 5 to 0.5. "
        "[default: linear]",
    ),
    click.option(
        "--rescaling",
        type=click.Choice(["ratio", "distance"]),
        help="rotation: scale the gradient by the ratio of lengths, or by the distance to the codeword as well. "
        "[default: ratio]",
    ),
)


def quantizer_options(command: Command) -> Command:
    """Give a command all of them, in this order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command

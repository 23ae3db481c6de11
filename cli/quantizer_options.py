"""Which quantizer `lcodec train` trains, and the options that belong to single ones."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class Later(click.Choice[str]):
    """Words that may be chosen from a table, which is not loaded before it is looked at."""

    def __init__(self, table: Callable[[], Sequence[str]]) -> None:
        self.case_sensitive = True
        self._table = table

    @property
    def choices(self) -> Sequence[str]:  # type: ignore[override]
        """The words."""
        return self._table()


def kinds() -> Sequence[str]:
    """The kinds of models there are."""
    from latticecodec.kinds import KINDS

    return tuple(KINDS)


def _of(option: str) -> Later:
    """What an option of a quantizer may be."""

    def words() -> Sequence[str]:
        from latticecodec.lab.training.quantizer_options import CHOICES

        return CHOICES[option]

    return Later(words)


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
        type=float,
        metavar="K",
        help="lattice from scratch: draw the first basis for about K points, at least 2, in the cube from 0 to 1. "
        "[default: a basis of 0.5]",
    ),
    click.option(
        "--commitment",
        type=float,
        metavar="W",
        help="Weight of the commitment loss, which draws latents to their points; a lattice's basis is then drawn to "
        "the latents as well, with 0 it alone. [default: neither for lattice, 0.25 for codebooks]",
    ),
    click.option(
        "--codebook-update",
        type=_of("codebook_update"),
        help="vq, rotation: codewords are moving averages, or learn by gradient. [default: ema]",
    ),
    click.option(
        "--selection",
        type=_of("selection"),
        help="adaptive: how a codebook is chosen, by distance and bits or by a learned attention. [default: cost]",
    ),
    click.option(
        "--temperature",
        type=_of("temperature"),
        help="adaptive by attention: how the temperature falls, from the number of steps to 1 or from 5 to 0.5. "
        "[default: linear]",
    ),
    click.option(
        "--rescaling",
        type=_of("rescaling"),
        help="rotation: scale the gradient by the ratio of lengths, or by the distance to the codeword as well. "
        "[default: ratio]",
    ),
)


def quantizer_options(command: Command) -> Command:
    """Give a command all of them, in this order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command

"""Kinds of models that are not trained, but made of a trained model of another kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ...zoo import ModelInfo


class Make(Protocol):
    """What makes a model of a kind."""

    def __call__(
        self,
        base: ModelInfo,
        pictures: Sequence[np.ndarray],
        folder: Path,
        *,
        report: Callable[[str], None],
        chosen_on: Sequence[str],
    ) -> object:
        """Write the twin of `base` to `folder`, chosen on pictures uint8 [H, W, 3].

        `report` is called with a line about everything that is tried; `chosen_on` are the options of `lcodec train`
        that name the pictures, for the model card. Raises TrainingError where `base` is of a kind that the twin cannot
        be made of, OutputError where `folder` exists.
        """


@dataclass(frozen=True)
class Twin:
    """A kind whose models are made of trained ones.

    Attributes:
        kind: its name, a key of kinds.KINDS.
        base: name of the model that one is made of where none is named.
        make: makes it.
    """

    kind: str
    base: str
    make: Make

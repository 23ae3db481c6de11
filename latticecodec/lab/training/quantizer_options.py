"""What may be chosen of the quantizer that is trained, and which quantizer has which choice."""

import math
from dataclasses import asdict, dataclass

from ...errors import TrainingError

BELONGS = {  # the quantizers that have an option, by its field
    "gamma": ("lattice",),
    "codebook_size": ("lattice",),
    "commitment": ("lattice", "vq", "adaptive", "rotation"),
    "codebook_update": ("vq", "rotation"),
    "selection": ("adaptive",),
    "temperature": ("adaptive",),
    "rescaling": ("rotation",),
}


@dataclass(frozen=True)
class QuantizerOptions:
    """Options of a quantizer in training, on the command line as --name; None is the quantizer's own default."""

    gamma: float | None = None  # weight of the size loss: positive widens a lattice's cells, negative narrows them; 0
    codebook_size: float | None = (
        None  # K, points in [-1, 1]^D that a lattice's first basis is drawn for; a plain start
    )
    commitment: float | None = None  # weight of the commitment loss; 0 of a lattice, 0.25 of codebooks
    codebook_update: str | None = None  # "ema" (the default) or "gradient": how codewords learn
    selection: str | None = None  # of a codebook for a slice: by "cost" (the default) or by "attention"
    temperature: str | None = None  # of the attention's choice in training: "linear" (the default) or "exponential"
    rescaling: str | None = (
        None  # of a rotated gradient: by the "ratio" of lengths (the default), or "distance" as well
    )

    def given(self) -> dict[str, float | str]:
        """What is not left to the quantizer, by field."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def arguments(self) -> list[str]:
        """The same as words of a command line."""
        return [
            f"{_option(name)} {value if isinstance(value, str) else format(value, '.12g')}"
            for name, value in self.given().items()
        ]

    def check(self, quantizer: str, from_scratch: bool) -> None:
        """Raise TrainingError where an option is not for this quantizer, its start or the other options."""
        for name, value in self.given().items():
            if quantizer not in BELONGS[name]:
                raise TrainingError(f"{_option(name)} is for --quantizer {_either(BELONGS[name])}, not for {quantizer}")
            if isinstance(value, float) and not math.isfinite(value):
                raise TrainingError(f"{_option(name)} is {value}; it must be a finite number")
        if self.temperature is not None and self.selection != "attention":
            raise TrainingError("--temperature is for --selection attention; add that, or leave it out")
        if self.codebook_size is not None and not from_scratch:
            raise TrainingError("--codebook-size draws a first basis, but --init-from brings its own; leave one out")


DEFAULTS = QuantizerOptions()


def _option(field: str) -> str:
    return "--" + field.replace("_", "-")


def _either(names: tuple[str, ...]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

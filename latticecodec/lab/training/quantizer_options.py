"""What may be chosen of the quantizer that is trained; which kind has which choice is said by its model."""

from dataclasses import asdict, dataclass

from ..widths import SIZE_MIN

WEIGHT_MAX = 1e9  # of a part of the loss; with much more, sums in float32 end up infinite
RANGES = {  # from where to where numbers may be
    "gamma": (-WEIGHT_MAX, WEIGHT_MAX),
    "codebook_size": (SIZE_MIN, 1e300),
    "commitment": (0.0, WEIGHT_MAX),
}
CHOICES = {  # the words that may be chosen from, the default first
    "codebook_update": ("ema", "gradient"),
    "selection": ("cost", "attention"),
    "temperature": ("linear", "exponential"),
    "rescaling": ("ratio", "distance"),
}


@dataclass(frozen=True)
class QuantizerOptions:
    """Options of a quantizer in training, on the command line as --name; None is the quantizer's own default."""

    gamma: float | None = None  # weight of the size loss: positive widens a lattice's cells, negative narrows them; 0
    codebook_size: float | None = None  # K, points in [0, 1]^D that a lattice's first basis is drawn for; a plain start
    commitment: float | None = None  # weight of the commitment loss; a lattice has none by default, codebooks 0.25
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
            f"--{name.replace('_', '-')} {value if isinstance(value, str) else format(value, '.12g')}"
            for name, value in self.given().items()
        ]


DEFAULTS = QuantizerOptions()

"""The trainable `adaptive`: groups of latents that choose from one set of codebooks, by cost or by attention."""

import math
from typing import ClassVar

from torch import Tensor

from ....config import ModelConfig
from ....errors import TrainingError
from ...quantizers import AttentiveAdaptiveQuantizer, SharedAdaptiveQuantizer
from ...quantizers.vector import COMMITMENT
from ..options import TrainOptions
from ..quantizer_options import QuantizerOptions
from .codebook import SMALL, CodebookModel
from .groups import split


class AdaptiveModel(CodebookModel):
    """See `PhotoModel`."""

    kind = "adaptive"
    options: ClassVar[tuple[str, ...]] = (*CodebookModel.options, "selection", "temperature")
    quantizer: SharedAdaptiveQuantizer

    @classmethod
    def check(cls, options: TrainOptions, from_scratch: bool) -> None:
        """See `PhotoModel`."""
        super().check(options, from_scratch)
        attention = options.quantizer.selection == "attention"
        if options.quantizer.temperature is not None and not attention:
            raise TrainingError("`temperature` is for `selection` attention; add that, or leave it out")
        if options.minutes and attention:
            raise TrainingError("`selection` attention cools down over `steps`; give them in place of `minutes`")

    @classmethod
    def codebooks(cls, config: ModelConfig, options: QuantizerOptions) -> SharedAdaptiveQuantizer:
        """See `CodebookModel`."""
        commitment = COMMITMENT if options.commitment is None else options.commitment
        sizes = [(codes, config.books[0] // codes) for codes in config.books]
        if options.selection == "attention":
            temperature = options.temperature or "linear"
            return AttentiveAdaptiveQuantizer(sizes, config.groups, commitment=commitment, temperature=temperature)
        return SharedAdaptiveQuantizer(sizes, config.groups, commitment=commitment)

    @staticmethod
    def sizes(latents: int) -> tuple[int, int, tuple[int, ...]]:
        """See `CodebookModel`; as many groups as fill a square."""
        books = (16, 8, 4) if latents < SMALL else (256, 128, 64, 32)
        return math.isqrt(latents // (2 if latents < SMALL else 4)) ** 2, sum(books), books

    @classmethod
    def suited(cls, widths: tuple[int, ...], latents: int) -> tuple[int, ...]:
        """See `CodebookModel`.

        `widths` with the widest halved until the codewords cover each and their number is a square; groups of about
        equal width where single latents would have to be halved.
        """
        books = cls.sizes(latents)[2]
        while max(widths) > books[0] // min(books) or math.isqrt(len(widths)) ** 2 != len(widths):
            if max(widths) == 1:
                return cls.even(latents)
            widths = split(widths, len(widths) + 1)
        return widths

    def plan(self, begun: int, steps: int) -> None:
        """See `PhotoModel`; temperatures fall over these steps."""
        if isinstance(self.quantizer, AttentiveAdaptiveQuantizer):
            self.quantizer.begun, self.quantizer.iterations = begun, steps

    def coded_tensors(self) -> dict[str, Tensor]:
        """See `PhotoModel`; the union of all codewords, and the attention where it chooses."""
        tensors = super().coded_tensors() | {"quantizer.codebooks": self.quantizer.union().detach().half()}  # [K, D]
        if isinstance(self.quantizer, AttentiveAdaptiveQuantizer):
            tensors |= self.quantizer.selection.state_dict(prefix="quantizer.selection.")
        return tensors


MODEL = AdaptiveModel

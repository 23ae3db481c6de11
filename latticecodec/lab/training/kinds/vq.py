"""The trainable `vq`: a codebook for each group of latents (VQ-VAE, van den Oord et al. 2017)."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from ....config import ModelConfig
from ...quantizers import ProductQuantizer, VectorQuantizer
from ...quantizers.vector import COMMITMENT
from ..data import Crops
from ..model import PhotoModel, Source
from ..options import TrainOptions
from ..quantizer_options import QuantizerOptions
from .codebook import CodebookModel

REVIVE_BELOW = 0.002  # with entropy coding codes differ widely in use; rare ones are not dead


class VqModel(CodebookModel):
    """See `PhotoModel`."""

    kind = "vq"
    options: ClassVar[tuple[str, ...]] = (*CodebookModel.options, "codebook_update")

    @classmethod
    def start(cls, source: Source, crops: Crops, options: TrainOptions, resume: Path | None) -> PhotoModel:
        """See `PhotoModel`; models of `vq` and `rotation` differ in nothing but the name."""
        if issubclass(source.model, VqModel):
            return cls.of(source.info, dataclasses.replace(source.config, quantizer=cls.kind), options.quantizer)
        return super().start(source, crops, options, resume)

    @classmethod
    def codebooks(cls, config: ModelConfig, options: QuantizerOptions) -> ProductQuantizer:
        """See `CodebookModel`."""
        make = cls.maker(options)
        settings = {
            "update": options.codebook_update or "ema",
            "commitment": COMMITMENT if options.commitment is None else options.commitment,
            "revive_below": REVIVE_BELOW,
        }
        return ProductQuantizer(
            [make(config.codes, width, seed=seed, **settings) for seed, width in enumerate(config.groups)]
        )

    @classmethod
    def maker(cls, options: QuantizerOptions) -> Callable[..., VectorQuantizer]:
        """What makes the codebook of a group."""
        return VectorQuantizer


MODEL = VqModel

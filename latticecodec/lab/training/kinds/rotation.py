"""The trainable `rotation`: a `vq` whose gradient is rotated from the codeword to the slice (Fifty et al. 2024)."""

import functools
from collections.abc import Callable
from typing import ClassVar

from ...quantizers import RescaledQuantizer, RotationQuantizer, VectorQuantizer
from ..quantizer_options import QuantizerOptions
from .vq import VqModel

ROTATED_FROM = 0.1  # ratio of the lengths of codeword and slice; below, rotation leaves the gradient straight through


class RotationModel(VqModel):
    """See `PhotoModel`."""

    kind = "rotation"
    options: ClassVar[tuple[str, ...]] = (*VqModel.options, "rescaling")

    @classmethod
    def maker(cls, options: QuantizerOptions) -> Callable[..., VectorQuantizer]:
        """See `VqModel`."""
        rotation = RescaledQuantizer if options.rescaling == "distance" else RotationQuantizer
        return functools.partial(rotation, least_ratio=ROTATED_FROM)


MODEL = RotationModel

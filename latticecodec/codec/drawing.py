"""An index tensor that somebody made, drawn as a picture."""

from typing import Any

import numpy as np

from ..arguments import real, switch, whole
from ..config import PATCH
from ..container import SIZE_MAX, Box, Header
from ..entropy.coder import Int32
from ..errors import ImageError
from ..picture import Pixels
from .model import Model
from .painter import Painter


def drawn(model: Model, indices: Any, quality: float, width: int | None, height: int | None, grey: bool) -> Pixels:
    """The pixels of indices [C, h, w]; see `Codec.from_indices`."""
    quality, grey = real("quality", quality, 0, 100), switch("grey", grey)
    kind, indices = model.kind, _integers(indices)
    kind.check_indices(indices)
    rows, columns = (side // kind.positions for side in indices.shape[1:])
    width = PATCH * columns if width is None else whole("width", width, 1, SIZE_MAX)
    height = PATCH * rows if height is None else whole("height", height, 1, SIZE_MAX)
    if not (0 <= PATCH * columns - width < PATCH and 0 <= PATCH * rows - height < PATCH and width > 0 < height):
        raise ImageError(f"indices of {rows}x{columns} latent positions do not stand for {width}x{height} pixels")
    scale = kind.rates.of_quality(quality).scale
    header = Header(width, height, 1 if grey else 3, model.digest, scale, quality, *kind.format_id)
    painter = Painter(model, header)
    return Pixels(painter.colour({0: indices.astype(np.int32)}, Box(0, 0, width, height)))


def _integers(indices: Any) -> Int32:
    """Integers [C, h, w] of an array, lists or a tensor; raises ImageError for anything else."""
    if hasattr(indices, "detach"):  # a tensor of PyTorch
        if indices.is_meta:
            raise ImageError("indices on the meta device, which hold no values; give some that do")
        try:
            indices = indices.detach().cpu().numpy()
        except (TypeError, RuntimeError):  # of a type that NumPy lacks, or sparse
            told = f"indices of {indices.dtype}, {indices.layout}"
            raise ImageError(f"{told}; expected a dense tensor of integers [C, h, w]") from None
    try:
        array = np.asarray(indices)
    except ValueError:  # of lists of unlike lengths
        raise ImageError("indices of unlike lengths; expected integers [C, h, w]") from None
    if array.ndim != 3 or not np.issubdtype(array.dtype, np.integer):
        raise ImageError(f"indices of {array.dtype} {array.shape}; expected integers [C, h, w]")
    return array

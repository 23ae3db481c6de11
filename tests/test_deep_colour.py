"""16 bits a sample and saturated colours of a wide gamut survive to within the codec's own error."""

import numpy as np
import pytest

from latticecodec import load, read_header
from latticecodec.picture import Pixels

ICC = b"\0\0\1\x0c not a real profile, carried as it is " + bytes(range(200))


def ramps(side: int = 128) -> np.ndarray:
    """Slow ramps between the corners of the colour cube, which only a wide gamut can show: uint16 [S, S, 3]."""
    x, y = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side))
    corners = np.stack([x, 1 - x * y, (1 - x) * y], axis=-1)  # [S, S, 3]
    return np.round(65535 * corners).astype(np.uint16)


@pytest.mark.parametrize("quality", [30, 100])
def test_deep_and_saturated_colours(quality: float) -> None:
    codec, deep = load("lattice-1", "cpu"), ramps()
    shallow = (deep // 257).astype(np.uint8)
    data = codec.encode(Pixels(deep, icc=ICC), quality=quality)
    assert (read_header(data).bit_depth, read_header(data).icc) == (16, ICC)
    restored = codec.decode(data, as_array=True)  # uint16 [S, S, 3]
    assert restored.dtype == np.uint16
    error = np.sqrt(np.mean((restored / 65535.0 - deep / 65535.0) ** 2))
    own = np.sqrt(
        np.mean((codec.decode(codec.encode(shallow, quality=quality), as_array=True) / 255.0 - shallow / 255.0) ** 2)
    )
    assert error < 1.02 * own  # no worse than the same picture of 8 bits
    assert error < 0.02
    assert len(np.unique(restored)) > 256  # more than 8 bits can hold

"""The results of one codec, added up over pictures."""

import math
from collections.abc import Sequence

import numpy as np

from .contenders import Contender
from .curve import Curve, Point
from .measure import Measurement
from .measures import MEASURES

ESTIMATE_FACTOR, ESTIMATE_BYTES = 1.01, 48  # a file may exceed the prior's estimate by 1 % and a header


class Tally:
    """Adds up what was measured of a codec.

    Attributes:
        codec: which.
        worst: the largest of its files' bytes / (1.01 estimated_bits / 8 + 48); 0.0 of a peer.
    """

    def __init__(self, codec: Contender) -> None:
        self.codec = codec
        self.worst = 0.0
        self._sums = np.zeros((len(codec.qualities), 1 + len(MEASURES)))  # bpp and all measures
        self._seconds = np.zeros((len(codec.qualities), 2))  # encode, decode
        self._area = 0

    def add(self, results: Sequence[Measurement], area: int) -> None:
        """Count the files of a picture of `area` pixels, one for each quality."""
        for row, result in enumerate(results):
            values = [math.nan if result.values[name] is None else result.values[name] for name in MEASURES]
            self._sums[row] += [8 * result.size / area, *values]
            self._seconds[row] += result.encode, result.decode
            if result.estimated_bits is not None:
                allowed = ESTIMATE_FACTOR * result.estimated_bits / 8 + ESTIMATE_BYTES
                self.worst = max(self.worst, result.size / allowed)
        self._area += area

    def curve(self, images: int, memory: int | None) -> Curve:
        """The means over so many pictures, all that have been added."""
        means = (self._sums / images).tolist()
        seconds = (self._seconds / (self._area / 1e6)).tolist()
        points = (
            Point(quality, bpp, **dict(zip(MEASURES, values, strict=True)), **_speed(*of_row))
            for quality, (bpp, *values), of_row in zip(self.codec.qualities, means, seconds, strict=True)
        )
        return Curve(self.codec.name, self.codec.build, tuple(points), memory)


def _speed(encode: float, decode: float) -> dict[str, float]:
    return {"encode_s_per_megapixel": encode, "decode_s_per_megapixel": decode}

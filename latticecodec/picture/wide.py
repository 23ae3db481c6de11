"""AVIF and JPEG 2000 files of 9 to 16 bits a sample, scaled to 16; Pillow cuts them to 8."""

import numpy as np

from ..errors import ImageError
from .pixels import Pixels, Samples, from_array, not_unsigned

PEAK = 65535
ROWS = 256  # of pixels, scaled at a time
CODESTREAM = b"\xff\x4f\xff\x51"  # SOC and SIZ, the first markers of a JPEG 2000 codestream
FIRST_DEPTH = 42  # of a codestream: Ssiz of the first component (ISO/IEC 15444-1, A.5.1)
SIGNED = 0x80  # bit of Ssiz
FORMATS = {"AVIF": "avif", "JPEG2000": "jpeg2k"}  # Pillow's names, and those of what decodes them


def depth(data: bytes, kind: str) -> int:
    """Bits a sample that an AVIF or JPEG 2000 file says it has; 8 where it does not say. ImageError for signed ones."""
    if kind == "AVIF":
        at = data.find(b"av1C") + 6  # AV1 Codec ISO Media File Format Binding, 2.3.3
        flags = data[at] if 6 <= at < len(data) else 0
        return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    at = data.find(CODESTREAM) + FIRST_DEPTH
    if not FIRST_DEPTH <= at < len(data):
        return 8
    if data[at] & SIGNED:
        raise not_unsigned("signed")
    return data[at] + 1


def read(data: bytes, kind: str) -> Pixels:
    """The pixels of such a file; raises ImageError for more than 16 bits, else what imagecodecs does."""
    import imagecodecs

    bits = depth(data, kind)
    if bits > 16:
        raise ImageError(f"has {bits} bits a sample; convert it to 16 first")
    array: Samples = np.asarray(getattr(imagecodecs, f"{FORMATS[kind]}_decode")(data))  # [H, W] or [H, W, C]
    scale(array, bits)
    return from_array(array)


def scale(array: Samples, bits: int) -> None:
    """Samples of so many bits to 16, in place: uint16 [H, ...]."""
    peak = (1 << bits) - 1
    for top in range(0, len(array), ROWS):
        rows = array[top : top + ROWS]
        rows[:] = (rows.astype(np.uint32) * PEAK + peak // 2) // peak

"""The .lcq container: Header and tiles to bytes and back, standard library only. FORMAT.md is its specification.

    ┌───────────────── fixed part, 32 bytes ─────────────────┬────────────┬─────────────┬────────┬──────────┐
    │ magic version length quantizer pixels size rate model  │ extensions │ tile table  │ CRC-32 │ payloads │
    └────────────────────────────────────────────────────────┴────────────┴─────────────┴────────┴──────────┘

All integers are little-endian. The CRC-32 covers everything before it. Reading checks every limit before it allocates
anything, and raises only errors from the tree in errors.py.
"""

from .extensions import BASIS, EXIF, EXTENSIONS_MAX, ICC, MAY_IGNORE, METADATA_MAX, TILES, TUNE, XMP
from .file import HEADER_MAX, PIXELS_PER_BYTE, Reader, Tile, read, read_header, write
from .header import (
    ADAPTIVE,
    BASIS_MAX,
    BASIS_UNIT,
    DIAGONAL,
    DIGEST_BYTES,
    E8,
    LATTICE,
    MAGIC,
    MAJOR,
    MINOR,
    PIXELS_MAX,
    PRODUCT,
    QUALITY_MAX,
    QUALITY_UNIT,
    QUANTIZERS,
    ROTATION,
    SIZE_MAX,
    TILE_UNIT,
    TILES_MAX,
    TUNES,
    VQ,
    Box,
    Header,
)
from .source import Bytes, Source, contents, named

__all__ = [
    "ADAPTIVE",
    "BASIS",
    "BASIS_MAX",
    "BASIS_UNIT",
    "DIAGONAL",
    "DIGEST_BYTES",
    "E8",
    "EXIF",
    "EXTENSIONS_MAX",
    "HEADER_MAX",
    "ICC",
    "LATTICE",
    "MAGIC",
    "MAJOR",
    "MAY_IGNORE",
    "METADATA_MAX",
    "MINOR",
    "PIXELS_MAX",
    "PIXELS_PER_BYTE",
    "PRODUCT",
    "QUALITY_MAX",
    "QUALITY_UNIT",
    "QUANTIZERS",
    "ROTATION",
    "SIZE_MAX",
    "TILES",
    "TILES_MAX",
    "TILE_UNIT",
    "TUNE",
    "TUNES",
    "VQ",
    "XMP",
    "Box",
    "Bytes",
    "Header",
    "Reader",
    "Source",
    "Tile",
    "contents",
    "named",
    "read",
    "read_header",
    "write",
]

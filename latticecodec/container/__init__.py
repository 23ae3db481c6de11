"""The .lcq container: Header and tiles to bytes and back, standard library only. FORMAT.md is its specification.

    ┌───────────────── fixed part, 32 bytes ─────────────────┬────────────┬─────────────┬────────┬──────────┐
    │ magic version length quantizer pixels size rate model  │ extensions │ tile table  │ CRC-32 │ payloads │
    └────────────────────────────────────────────────────────┴────────────┴─────────────┴────────┴──────────┘

All integers are little-endian. The CRC-32 covers everything before it. Reading checks every limit before it allocates
anything, and raises only errors from the tree in errors.py. Names are loaded on first use.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy

if TYPE_CHECKING:
    from .box import Box
    from .cicp import SRGB, Cicp, code_points
    from .extensions import BASIS, CICP, EXACT, EXIF, EXTENSIONS_MAX, ICC, MAY_IGNORE, METADATA_MAX, TILES, TUNE, XMP
    from .file import (
        EXACT_PIXELS_PER_BYTE,
        HEADER_MAX,
        PIXELS_PER_BYTE,
        Reader,
        Tile,
        read,
        read_header,
        reader_of,
        write,
    )
    from .header import (
        ADAPTIVE,
        BASIS_MAX,
        BASIS_UNIT,
        DIAGONAL,
        DIGEST_BYTES,
        E8,
        LATTICE,
        MAGIC,
        NO_MODEL,
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
        Header,
    )
    from .source import Source, contents, named
    from .squares import SQUARE, mask_of

_NAMES = {
    "box": ("Box",),
    "cicp": ("SRGB", "Cicp", "code_points"),
    "extensions": (
        "BASIS", "CICP", "EXACT", "EXIF", "EXTENSIONS_MAX", "ICC", "MAY_IGNORE", "METADATA_MAX", "TILES", "TUNE", "XMP",
    ),
    "file": (
        "EXACT_PIXELS_PER_BYTE", "HEADER_MAX", "PIXELS_PER_BYTE", "Reader", "Tile", "read", "read_header", "reader_of",
        "write",
    ),
    "header": (
        "ADAPTIVE", "BASIS_MAX", "BASIS_UNIT", "DIAGONAL", "DIGEST_BYTES", "E8", "LATTICE", "MAGIC", "NO_MODEL",
        "PIXELS_MAX", "PRODUCT", "QUALITY_MAX", "QUALITY_UNIT", "QUANTIZERS", "ROTATION", "SIZE_MAX", "TILES_MAX",
        "TILE_UNIT", "TUNES", "VQ", "Header",
    ),
    "source": ("Source", "contents", "named"),
    "squares": ("SQUARE", "mask_of"),
}  # fmt: skip

__all__ = [
    "ADAPTIVE", "BASIS", "BASIS_MAX", "BASIS_UNIT", "CICP", "DIAGONAL", "DIGEST_BYTES", "E8", "EXACT",
    "EXACT_PIXELS_PER_BYTE", "EXIF", "EXTENSIONS_MAX", "HEADER_MAX", "ICC", "LATTICE", "MAGIC", "MAY_IGNORE",
    "METADATA_MAX", "NO_MODEL", "PIXELS_MAX", "PIXELS_PER_BYTE", "PRODUCT", "QUALITY_MAX", "QUALITY_UNIT", "QUANTIZERS",
    "ROTATION", "SIZE_MAX", "SQUARE", "SRGB", "TILES", "TILES_MAX", "TILE_UNIT", "TUNE", "TUNES", "VQ", "XMP", "Box",
    "Cicp", "Header", "Reader", "Source", "Tile", "code_points", "contents", "mask_of", "named", "read", "read_header",
    "reader_of", "write",
]  # fmt: skip

__getattr__, __dir__ = lazy(__name__, _NAMES)

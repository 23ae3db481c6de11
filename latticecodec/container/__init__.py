"""The .lcq container: Header and tiles to bytes and back, standard library only. FORMAT.md is its specification.

    ┌───────────────── fixed part, 32 bytes ─────────────────┬────────────┬─────────────┬────────┬──────────┐
    │ magic version length quantizer pixels size rate model  │ extensions │ tile table  │ CRC-32 │ payloads │
    └────────────────────────────────────────────────────────┴────────────┴─────────────┴────────┴──────────┘

All integers are little-endian. The CRC-32 covers everything before it. Reading checks every limit before it allocates
anything, and raises only errors from the tree in errors.py. Names are loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .box import Box
    from .cicp import SRGB, Cicp, code_points
    from .extensions import BASIS, CICP, EXACT, EXIF, EXTENSIONS_MAX, ICC, MAY_IGNORE, METADATA_MAX, TILES, TUNE, XMP
    from .file import EXACT_PIXELS_PER_BYTE, HEADER_MAX, PIXELS_PER_BYTE, Reader, Tile, read, read_header, write
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
    from .source import Bytes, Source, contents, named
    from .squares import SQUARE, Squares, mask_of

_HOME = {
    "ADAPTIVE": "header",
    "BASIS": "extensions",
    "BASIS_MAX": "header",
    "BASIS_UNIT": "header",
    "CICP": "extensions",
    "DIAGONAL": "header",
    "DIGEST_BYTES": "header",
    "E8": "header",
    "EXACT": "extensions",
    "EXACT_PIXELS_PER_BYTE": "file",
    "EXIF": "extensions",
    "EXTENSIONS_MAX": "extensions",
    "HEADER_MAX": "file",
    "ICC": "extensions",
    "LATTICE": "header",
    "MAGIC": "header",
    "MAJOR": "header",
    "MAY_IGNORE": "extensions",
    "METADATA_MAX": "extensions",
    "MINOR": "header",
    "NO_MODEL": "header",
    "PIXELS_MAX": "header",
    "PIXELS_PER_BYTE": "file",
    "PRODUCT": "header",
    "QUALITY_MAX": "header",
    "QUALITY_UNIT": "header",
    "QUANTIZERS": "header",
    "ROTATION": "header",
    "SIZE_MAX": "header",
    "SRGB": "cicp",
    "SQUARE": "squares",
    "TILES": "extensions",
    "TILES_MAX": "header",
    "TILE_UNIT": "header",
    "TUNE": "extensions",
    "TUNES": "header",
    "VQ": "header",
    "XMP": "extensions",
    "Box": "box",
    "Bytes": "source",
    "Cicp": "cicp",
    "Header": "header",
    "Reader": "file",
    "Source": "source",
    "Squares": "squares",
    "Tile": "file",
    "code_points": "cicp",
    "contents": "source",
    "mask_of": "squares",
    "named": "source",
    "read": "file",
    "read_header": "file",
    "write": "file",
}

__all__ = [
    "ADAPTIVE",
    "BASIS",
    "BASIS_MAX",
    "BASIS_UNIT",
    "CICP",
    "DIAGONAL",
    "DIGEST_BYTES",
    "E8",
    "EXACT",
    "EXACT_PIXELS_PER_BYTE",
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
    "NO_MODEL",
    "PIXELS_MAX",
    "PIXELS_PER_BYTE",
    "PRODUCT",
    "QUALITY_MAX",
    "QUALITY_UNIT",
    "QUANTIZERS",
    "ROTATION",
    "SIZE_MAX",
    "SQUARE",
    "SRGB",
    "TILES",
    "TILES_MAX",
    "TILE_UNIT",
    "TUNE",
    "TUNES",
    "VQ",
    "XMP",
    "Box",
    "Bytes",
    "Cicp",
    "Header",
    "Reader",
    "Source",
    "Squares",
    "Tile",
    "code_points",
    "contents",
    "mask_of",
    "named",
    "read",
    "read_header",
    "write",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]

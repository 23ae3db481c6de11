"""What the header of a file says, and its legal ranges."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import FormatError, LimitError, VersionError
from .box import Box
from .squares import Squares

if TYPE_CHECKING:
    from .cicp import Cicp

MAGIC = b"\x89LCQ\r\n\x1a\n"  # as PNG: a byte that is not ASCII, a line-ending trap, an end-of-file for old shells
MAJOR, MINOR = 1, 2  # what this writer knows; a file says the lowest minor version that has all it needs

DIGEST_BYTES = 8  # of the SHA-256 of a model's weights, by which a file names it
NO_MODEL = bytes(DIGEST_BYTES)  # of a picture that is wholly exact
SIZE_MAX = 65_535  # pixels a side
PIXELS_MAX = 1 << 28  # pixels a picture, unless the caller raises it
TILE_UNIT = 64  # the side of a tile is a multiple of it: what one hyper-latent stands for
TILES_MAX = 1 << 16  # tiles a picture
BASIS_MAX = 4096  # entries of an embedded basis

LATTICE, VQ, ADAPTIVE, ROTATION = 1, 2, 3, 4  # quantizer types
DIAGONAL, E8 = 1, 3  # lattice families; 2, D4, is reserved
PRODUCT = 1  # family of codebooks
# with their families; latticecodec.kinds adds others that it is given
QUANTIZERS = {(LATTICE, DIAGONAL), (LATTICE, E8), (VQ, PRODUCT), (ADAPTIVE, PRODUCT), (ROTATION, PRODUCT)}
TUNES = {0: "psnr", 1: "ms-ssim", 2: "ssimulacra2"}  # what an encoder aimed at
BASIS_UNIT = 1024  # scales and basis entries are in 1/1024 octave
QUALITY_UNIT = 256  # quality is in 1/256
QUALITY_MAX = 100 * QUALITY_UNIT


@dataclass(frozen=True)
class Header:
    """What a file says about itself.

    Attributes:
        width, height: pixels.
        channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
        model: first 8 bytes of the SHA-256 of the model's weights; NO_MODEL where none is needed.
        scale: of the unit that latents are quantized in, in 1/1024 octave, negative is finer.
        quality: 0..100, what the scale was derived from.
        quantizer: type id; LATTICE, VQ, ADAPTIVE or ROTATION.
        family: of that type: DIAGONAL or E8 of lattices, PRODUCT of codebooks.
        basis: log2 of every basis entry in 1/1024 octave, when the file carries the whole basis; else None.
        tune: what the encoder aimed at, a value of TUNES, or "other" where this reader does not know it; decoding does
            not depend on it.
        bit_depth: bits a sample, 8 or 16.
        tile: side of a tile in pixels, a multiple of TILE_UNIT; None where the whole picture is one.
        exact: the mask of the squares that have exact colours, see Squares; None in files without such.
        icc, exif, xmp: metadata, byte for byte: an ICC profile, EXIF as a TIFF structure (without "Exif" before it),
            an XMP packet; None where there is none.
        cicp: code points of what the colours mean, where no ICC profile says it; None for sRGB.
        version: (major, minor) of the format that the file needs.
    """

    width: int
    height: int
    channels: int
    model: bytes
    scale: int
    quality: float
    quantizer: int = LATTICE
    family: int = DIAGONAL
    basis: tuple[int, ...] | None = None
    tune: str = "psnr"
    bit_depth: int = 8
    tile: int | None = None
    exact: bytes | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    cicp: "Cicp | None" = None
    version: tuple[int, int] = (MAJOR, 0)

    @property
    def colours(self) -> int:
        """Channels without alpha: 1 grey, 3 RGB."""
        return self.channels - (not self.channels % 2)

    @property
    def alpha(self) -> bool:
        """Whether there is an alpha channel."""
        return self.channels % 2 == 0

    @property
    def columns(self) -> int:
        """Tiles side by side."""
        return 1 if self.tile is None else -(-self.width // self.tile)

    @property
    def tiles(self) -> int:
        """Tiles of the picture."""
        return self.columns * (1 if self.tile is None else -(-self.height // self.tile))

    def box(self, number: int) -> Box:
        """Where tile `number` lies; they are counted row by row."""
        if self.tile is None:
            return Box(0, 0, self.width, self.height)
        row, column = divmod(number, self.columns)
        left, top = column * self.tile, row * self.tile
        return Box(left, top, min(self.tile, self.width - left), min(self.tile, self.height - top))

    def boxes(self) -> Iterator[Box]:
        """Where the tiles lie, row by row."""
        return (self.box(number) for number in range(self.tiles))

    @property
    def minor_needed(self) -> int:
        """The lowest minor version of the format that has all that this header says."""
        if self.exact is not None or self.cicp is not None:
            return 2
        return int(self.alpha or self.bit_depth != 8 or self.tile is not None or self.metadata)

    @cached_property
    def squares(self) -> Squares:
        """Which squares of the picture are exact."""
        return Squares(self.width, self.height, self.exact)

    @property
    def names_model(self) -> bool:
        """Whether decoding takes a model: not where all colours are exact and the file names none."""
        return self.model != NO_MODEL or not self.squares.all_exact

    @property
    def metadata(self) -> bool:
        """Whether there is an ICC profile, EXIF or XMP."""
        return any(part is not None for part in (self.icc, self.exif, self.xmp))

    def check(self, max_pixels: int) -> None:
        """Raise where a field is outside its legal range: LimitError, VersionError or FormatError."""
        if not (1 <= self.width <= SIZE_MAX and 1 <= self.height <= SIZE_MAX):
            raise LimitError(f"{self.width}x{self.height} pixels: each side must be 1 to {SIZE_MAX:,}")
        if self.width * self.height > max_pixels:
            raise LimitError(f"{self.width}x{self.height} pixels is over the limit of {max_pixels:,}")
        if not 1 <= self.channels <= 4 or self.bit_depth not in (8, 16):
            raise VersionError(f"{self.channels} channels of {self.bit_depth} bits need a newer latticecodec")
        if (self.quantizer, self.family) not in QUANTIZERS:
            raise VersionError(f"quantizer {self.quantizer}, family {self.family} needs a newer latticecodec")
        if not 0 <= self.quality <= QUALITY_MAX / QUALITY_UNIT:
            raise FormatError(f"quality {self.quality:g} is not between 0 and {QUALITY_MAX // QUALITY_UNIT}")
        if self.tile is not None and (not self.tile or self.tile % TILE_UNIT or self.tile > SIZE_MAX):
            raise FormatError(f"tiles of {self.tile} pixels a side; it must be a multiple of {TILE_UNIT}")
        if self.tiles > TILES_MAX:
            raise LimitError(f"{self.tiles:,} tiles: beyond the limit of {TILES_MAX:,}")

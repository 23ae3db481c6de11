"""Codec: what a loaded model can do with pictures and files."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, overload

from ..arguments import switch
from ..config import DEFAULT_EFFORT, DEFAULT_QUALITY, ModelConfig
from ..container import PIXELS_MAX, named, reader_of
from ..entropy.coder import Int32
from .call import own_errors, silent
from .model import Model

if TYPE_CHECKING:
    from PIL import Image

    from ..backends.backend import Report, Tensors
    from ..container import Source
    from ..picture import Picture, Pixels, Samples
    from .decoder import Damage
    from .encoding import Encoding
    from .options import EncodeOptions
    from .region import Region


class Codec:
    """A model, ready to encode and decode. Make one with `latticecodec.load`."""

    def __init__(self, config: ModelConfig, tensors: "Tensors", device: str = "cpu") -> None:
        """Raises ModelError where the tensors do not fit the configuration, or the prior fails its self-test."""
        with own_errors():
            self.model = Model(config, tensors, device)
        self.config, self.digest, self.kind = config, self.model.digest, self.model.kind

    def encode(
        self,
        image: "Picture",
        quality: float = DEFAULT_QUALITY,
        bpp: float | None = None,
        size: int | None = None,
        psnr: float | None = None,
        embed_basis: bool = False,
        effort: int = DEFAULT_EFFORT,
        tune: str | None = None,
        tile: int | None = None,
        lossless: bool = False,
        report: "Report" = silent,
        max_pixels: int = PIXELS_MAX,
    ) -> bytes:
        """Compress a picture.

        Args:
            image: PIL image, path, image file that is open in binary mode or its bytes, array [H, W] or [H, W, 1 to 4]
                of uint8 or uint16, or tensor [1 to 4, H, W] (uint8, uint16, or float in [0, 1]): grey or RGB, with or
                without alpha.
            quality: 0 (smallest) to 100, continuous; used when no target below is given.
            bpp: target in bits per pixel of the whole file, met within 2 %, or as near as the rates allow; quality 100
                where even that needs less.
            size: target in bytes, never exceeded, at least 97 % used where the rates allow it; quality 100 where even
                that needs less.
            psnr: target in dB of the decoded pixels, of those that alpha does not hide, met within 0.1 dB where the
                rates allow it, else exceeded; quality 0 where even that has more.
            embed_basis: write the whole lattice basis into the file.
            effort: 0 to 9, time for bits; the decoder does not notice. 0: one pass and the nearest lattice points.
                1 to 3: as many steps towards what the decoder makes of them, and points chosen by distance and bits
                together. 4 to 9: 5 to 16 steps on bits and distortion, through decoder and prior and back, by PyTorch;
                they pay for MS-SSIM. With a target, in every trial of the search. `lattice-e8` has one step alone, so
                that 2 and 3 are of 3 and 4 such steps; models with codebooks encode the same at every effort.
            tune: what to spend the bits for, "psnr", "ms-ssim" or "ssimulacra2"; by default what the model was trained
                for. MS-SSIM and SSIMULACRA2 are nearer to what eyes notice; they need a lattice, and an effort of 1 or
                more where the model was not trained for them, MS-SSIM also 161 pixels a side. The header says which.
            tile: side of the tiles in pixels, a multiple of 64, or 0 for a picture in one tile; else 768 for pictures
                of more than 4 megapixels. Tiles are coded independently: regions can be decoded alone, and damage
                stays where it is.
            lossless: keep every pixel as it is, in a file that decodes without a model; `quality` is not looked at
                then, and a target, a tune, an effort other than the default, or a basis is refused. Other files
                store squares without the networks where that takes fewer bits for what it gives: exactly at
                quality 100, in fewer colours below it where that pays.
            report: called with (steps done, steps in all): iterations of a refinement, areas of a large picture.
            max_pixels: of the picture; one of more is refused before it is decoded.

        Raises ImageError for pictures it cannot take, TargetError where a target is out of reach or an option is not
        of the type and in the range above, ModelError where the model has no lattice basis to embed.
        """
        from .options import EncodeOptions

        options = EncodeOptions(
            quality=quality,
            bpp=bpp,
            size=size,
            psnr=psnr,
            embed_basis=embed_basis,
            effort=effort,
            tune=tune,
            tile=tile,
            lossless=lossless,
            max_pixels=max_pixels,
        )
        return self.encode_detailed(image, options, report).data

    def encode_detailed(
        self, image: "Picture", options: "EncodeOptions | None" = None, report: "Report" = silent
    ) -> "Encoding":
        """As `encode`, with the index tensor and the prior's estimate beside the bytes."""
        from .compress import encoded

        return encoded(self.model, image, options, report)

    def check(self, options: "EncodeOptions") -> None:
        """Raise what `encode` would with these options whatever the picture is: to be told once, before many pictures.

        ModelError or TargetError where the model does not encode so, LcqError where a package is missing for it.
        """
        from .compress import check

        check(self.model, options)

    @overload
    def decode(
        self,
        data: "Source",
        region: "Region | None" = None,
        as_array: Literal[False] = False,
        on_damage: "Callable[[Damage], None] | None" = None,
        report: "Report" = silent,
        max_pixels: int = PIXELS_MAX,
    ) -> "Image.Image": ...

    @overload
    def decode(
        self,
        data: "Source",
        region: "Region | None" = None,
        *,
        as_array: Literal[True],
        on_damage: "Callable[[Damage], None] | None" = None,
        report: "Report" = silent,
        max_pixels: int = PIXELS_MAX,
    ) -> "Samples": ...

    def decode(
        self,
        data: "Source",
        region: "Region | None" = None,
        as_array: bool = False,
        on_damage: "Callable[[Damage], None] | None" = None,
        report: "Report" = silent,
        max_pixels: int = PIXELS_MAX,
    ) -> "Image.Image | Samples":
        """Restore a picture from an .lcq file written with this model.

        Args:
            data: the file: a path, a file that is open in binary mode, which is read from its beginning, or bytes,
                bytearray, memoryview or mmap.
            region: (x, y, width, height), integers, in pixels of the stored picture, before EXIF's orientation; only
                the tiles it depends on are read. The whole picture without.
            as_array: an array [H, W] or [H, W, 2 to 4] of uint8 or uint16 instead of a PIL image.
            on_damage: called with each damaged tile that the region depends on; without it the first one raises. The
                tile is then grey. Pixels around it are off too, since the synthesis sees the latents of its
                neighbours: up to some 20 pixels from the tile can be seen to be, and none farther than 96 with the
                models that ship. Bytes behind the last tile are then passed over.
            report: called with (steps done, steps in all).
            max_pixels: of the whole picture, also where a region is asked for; more are refused before any memory is
                taken.

        Returns a PIL image of mode L, LA, RGB or RGBA with ICC profile, EXIF and XMP in its `info`. 16-bit grey has
        mode I;16; Pillow has no other 16-bit modes: such pictures are rounded to 8 bits, `as_array` has them whole.
        Raises FormatError and its kin for damaged files, LimitError among them for one of more than `max_pixels`,
        ModelError when the file belongs to another model, TargetError for a region that is not four integers inside of
        the picture.
        """
        from ..picture import to_array, to_pillow

        plain = switch("as_array", as_array)
        pixels = self.decode_pixels(data, region, on_damage, report, max_pixels)
        return to_array(pixels) if plain else to_pillow(pixels)

    def decode_pixels(
        self,
        data: "Source",
        region: "Region | None" = None,
        on_damage: "Callable[[Damage], None] | None" = None,
        report: "Report" = silent,
        max_pixels: int = PIXELS_MAX,
    ) -> "Pixels":
        """As `decode`, with colour, alpha and metadata as they are."""
        from .decoder import pixels_of

        with named(data), own_errors():
            return pixels_of(self.model, reader_of(data, max_pixels), region, on_damage, report)

    def decode_indices(
        self,
        data: "Source",
        on_damage: "Callable[[Damage], None] | None" = None,
        max_pixels: int = PIXELS_MAX,
    ) -> Int32:
        """The index tensor of a file: int32 [C, h, w], h and w a 16th of the size, rounded up.

        `on_damage` is called with each damaged tile, whose indices are then 0, and bytes behind the last tile are
        passed over. Without it damage raises FormatError or its kin. A picture of more than `max_pixels` raises
        LimitError.
        """
        from .decoder import indices_of

        with named(data), own_errors():
            return indices_of(self.model, reader_of(data, max_pixels), on_damage)

    def to_indices(self, image: "Picture", quality: float = DEFAULT_QUALITY) -> Int32:
        """The index tensor that `encode` would code if nothing were exact: int32 [C, h, w]."""
        from .options import EncodeOptions

        return self.encode_detailed(image, EncodeOptions(quality=quality, exact=False)).indices

    def from_indices(
        self,
        indices: Any,
        quality: float = DEFAULT_QUALITY,
        width: int | None = None,
        height: int | None = None,
        grey: bool = False,
    ) -> "Image.Image":
        """Draw an index tensor [C, h, w] of the given quality; `width` and `height` default to 16 w and 16 h.

        Raises ImageError for indices that are no such tensor, or do not stand for a picture of that size, TargetError
        for a quality or side that is none.
        """
        from ..picture import to_pillow
        from .drawing import drawn

        with own_errors():
            return to_pillow(drawn(self.model, indices, quality, width, height, grey))

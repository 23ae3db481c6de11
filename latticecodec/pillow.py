"""Pillow reads and writes .lcq files after `import latticecodec.pillow`.

    import latticecodec.pillow
    from PIL import Image

    Image.open("photo.png").save("photo.lcq", quality=50)
    picture = Image.open("photo.lcq")

`Image.open` reads the header alone: size, mode and `info` with `quality` (0 to 100), `model` (the digest, in hex, as
`lcodec models` prints it), `bit_depth` (8 or 16) and, where the file has them, `icc_profile`, `exif`, `xmp` and `cicp`,
the four bytes of its code points; those that an ICC profile can say are in `icc_profile` as well. The
picture is decoded when its pixels are first asked for; only that loads a model. 16-bit colour becomes 8-bit, which is
all that Pillow has, and is 8-bit where it is saved again; `latticecodec.decode` with `as_array=True` keeps 16 bits.
`ImageFile.Parser` knows the size as soon as it was fed the header.
`verify` checks every checksum of the file, without decoding it, and needs no model.

`save` takes `quality`, `bpp`, `size`, `psnr`, `lossless`, `effort`, `tune`, `tile`, `strip` and `model`, as
`latticecodec.encode` does, and raises ValueError for a value that is out of range or of another type; `icc_profile`,
`exif` and `xmp` replace what the picture's `info` has, an empty one removes it, and `icc_profile` replaces code points
as well. A damaged file, and a picture that .lcq cannot hold, are OSErrors, as with Pillow's own formats; a file whose
header is damaged is not identified. A picture of more pixels than Pillow's limit or ours is refused when it is opened.
"""

import dataclasses
from typing import IO, Any

from PIL import Image, ImageFile

from .api import decode, encode
from .arguments import shown
from .container import MAGIC, Reader
from .container.file import read_header_of
from .errors import FormatError, LcqError, LimitError, TargetError, VersionError
from .picture import Pixels, read
from .picture.metadata import PREFIX as EXIF_PREFIX
from .picture.metadata import info_of

FORMAT = "LCQ"
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # by channels
DEEP_GREY = "I;16"  # the only mode of Pillow's with 16 bits
METADATA = {"icc_profile": "icc", "exif": "exif", "xmp": "xmp"}  # in `info`, and in Header and Pixels
# of `save`, as of `encode`
OPTIONS = ("quality", "bpp", "size", "psnr", "effort", "tune", "tile", "lossless", "strip", "model")


class LcqImageFile(ImageFile.ImageFile):
    """An .lcq file, open but not decoded."""

    format = FORMAT
    format_description = "latticecodec"

    def _open(self) -> None:
        assert self.fp is not None
        try:
            header = read_header_of(self.fp)
        except (VersionError, LimitError) as error:
            raise OSError(str(error)) from None
        except FormatError as error:
            raise SyntaxError(str(error)) from None
        deep_grey = (header.channels, header.bit_depth) == (1, 16)
        self._size, self._mode = (header.width, header.height), DEEP_GREY if deep_grey else MODES[header.channels]
        self.info = {"quality": header.quality, "model": header.model.hex(), "bit_depth": header.bit_depth}
        self.info |= info_of(header)
        self.tile = [ImageFile._Tile("lcq", (0, 0, *self._size))]  # what is still to be decoded

    def load(self) -> Any:
        """Decode the picture, if it is not yet; raises OSError where it is damaged or its model is not installed."""
        if self.tile:
            if self.fp is None:
                raise ValueError("Operation on closed image")  # as Pillow says of its own
            self.fp.seek(0)
            try:
                picture = decode(self.fp.read())
            except LcqError as error:
                raise OSError(str(error)) from None
            self.im, self.tile = picture.im, []
            if self._exclusive_fp:
                self.fp.close()
                self.fp = None
        return super().load()

    def load_seek(self, pos: int) -> None:
        """Do nothing; that there is this method tells `ImageFile.Parser` to wait for the whole file."""

    def verify(self) -> None:
        """Check every checksum of the file, right after it was opened; raises OSError where it is damaged.

        As with Pillow's own formats, the picture must be opened again to be loaded.
        """
        if self.fp is None:
            raise RuntimeError("verify must be called directly after open")
        self.fp.seek(0)
        try:
            Reader(self.fp.read()).check()
        except FormatError as error:
            raise OSError(str(error)) from None
        finally:
            super().verify()


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(MAGIC)


def _save(picture: Image.Image, file: IO[bytes], name: str | bytes) -> None:
    options = picture.encoderinfo
    try:
        data = encode(_with_metadata(picture, options), **{key: options[key] for key in OPTIONS if key in options})
    except TargetError as error:
        raise ValueError(str(error)) from None
    except LcqError as error:
        raise OSError(str(error)) from None
    file.write(data)


def _with_metadata(picture: Image.Image, options: dict[str, Any]) -> Pixels:
    """The picture, with the metadata that `save` was given in place of its own."""
    given: dict[str, Any] = {}
    for key, name in METADATA.items():
        if key in options:
            value = options[key]
            block = value.tobytes() if isinstance(value, Image.Exif) else value
            if not isinstance(block, bytes | None):
                raise ValueError(f"{key} is {shown(value)}; give its bytes, or None for a file without it")
            given[name] = block.removeprefix(EXIF_PREFIX) or None if block else None
    if "icc" in given:
        given["cicp"] = None  # which told of the same
    return dataclasses.replace(read(picture), **given)


Image.register_open(FORMAT, LcqImageFile, _accept)
Image.register_save(FORMAT, _save)
Image.register_extension(FORMAT, ".lcq")
Image.register_mime(FORMAT, "image/x-lcq")

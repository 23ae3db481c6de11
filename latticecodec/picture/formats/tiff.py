"""TIFF files: pixels of 16 bits a sample through libtiff; metadata through Pillow's image file directory."""

import io
import re
import struct
from dataclasses import replace
from typing import IO

import numpy as np
from PIL import Image, ImageFile, TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from ...errors import ImageError
from .. import metadata, tiff_tags
from ..pillow import check_mode, samples, waits
from ..pixels import Pixels, Samples, check_size, not_unsigned, to_array
from ..tiff_tags import ICC, XMP
from .format import Format, Kind

NEW_SUBFILE, WIDTH, LENGTH, BITS, PHOTOMETRIC, STRIPS, PER_PIXEL = 254, 256, 257, 258, 262, 273, 277
PLANAR, EXTRA, SAMPLE_FORMAT = 284, 338, 339
COMPRESSION, STRIP_BYTES, TILES, TILE_BYTES = 259, 279, 324, 325
UNCOMPRESSED = 1
DNG_VERSION = 50706
REDUCED = 1  # bit of NEW_SUBFILE: a reduced version of another picture in the file
RAW_AT, RAW = 8, b"CR"  # of Canon's files
RAW_PHOTOMETRICS = (32803, 34892)  # colour filter array; linear values of a sensor
COLOURS = {5: "CMYK", 8: "L*a*b*", 9: "L*a*b*", 10: "L*a*b*"}  # photometric interpretations that are refused
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2  # photometric interpretations
TOGETHER, SEPARATE = 1, 2  # planar configurations: samples of a pixel; planes of the picture
PREMULTIPLIED, STRAIGHT = 1, 2  # extra samples that are alpha
REFUSED = {2: "signed", 3: "floating-point", 5: "complex", 6: "complex"}  # sample formats that are refused
SHORT = 8  # bytes of the header where it is not BigTIFF's
DEFLATE, DIFFERENCE = 8, 2  # compression and predictor that are written
MAGIC = {b"II*\0": 8, b"MM\0*": 8, b"II+\0": 16, b"MM\0+": 16}  # and bytes of the header; the longer ones are BigTIFF
SAMPLES_MAX = 4  # RGB and alpha
ROWS = 256  # of pixels, worked on at a time


class Tiff(TiffImageFile):
    """A TIFF file in Pillow whose picture stays as it lies there, where Pillow would turn it upright."""

    def load_prepare(self) -> None:
        """Make room for the picture, of which the caller has checked the size."""
        if self._im is None:
            self.im = Image.new(self.mode, self._tile_size, None).im
        super().load_prepare()

    def load_end(self) -> None:
        """Nothing is turned."""
        self._size = self.im.size


def open_file(file: IO[bytes]) -> Pixels:
    """The picture of an open file as it lies there; raises ImageError, or what decoders do."""
    tags = directory(file)
    check(file, tags)
    if is_deep(tags):
        return read(file, tags)
    file.seek(0)
    with Tiff(file) as image:
        check_mode(image)
        check_size(image.width, image.height)
        image.load()
        return described(samples(image), file, tags)


def _anew(image: ImageFile.ImageFile, file: IO[bytes]) -> Pixels:
    """Always: Pillow would turn the picture upright, or cut it."""
    return open_file(file)


def _notes(image: Image.Image) -> list[str]:
    """None; of a file that is open and not loaded, `check` counts the pages."""
    pages = 1 if isinstance(image, ImageFile.ImageFile) and waits(image) else getattr(image, "n_frames", 1)
    if pages > 1:
        raise several_pages(pages)
    return []


def _described(pixels: Pixels, image: Image.Image) -> Pixels:
    """With the EXIF block that stands for the tags of the file."""
    return replace(metadata.attach(pixels, image), exif=tiff_tags.exif_of_tags(image.getexif()))


def several_pages(pages: int) -> ImageError:
    """The error about a file of several pages."""
    return ImageError(f"has {pages} pages; save one of them first")


def directory(file: IO[bytes]) -> ImageFileDirectory_v2:
    """The first directory of a TIFF file; raises what Pillow does for damaged ones."""
    header = _header(file)
    tags = ImageFileDirectory_v2(header)
    file.seek(tags.next)
    tags.load(file)
    return tags


def check(file: IO[bytes], tags: ImageFileDirectory_v2) -> None:
    """Raise ImageError for a file whose first picture is not the picture, or whose samples are not of a kind."""
    photometric = tags.get(PHOTOMETRIC)
    file.seek(0)
    raw = file.read(RAW_AT + len(RAW))[RAW_AT:] == RAW or DNG_VERSION in tags or photometric in RAW_PHOTOMETRICS
    if raw or tags.get(NEW_SUBFILE, 0) & REDUCED:
        raise ImageError("begins with a reduced picture, as raw files of cameras do; develop it to TIFF or PNG first")
    pages = _pages(file)
    if pages > 1:
        raise several_pages(pages)
    if photometric in COLOURS:
        raise ImageError(f"the picture is {COLOURS[photometric]}; convert it to RGB first")
    for kind in set(tags.get(SAMPLE_FORMAT, ())) & REFUSED.keys():
        raise not_unsigned(REFUSED[kind])
    if tags.get(COMPRESSION, UNCOMPRESSED) != UNCOMPRESSED and _end(tags) > file.seek(0, io.SEEK_END):
        raise ImageError("the file is cut short; take a whole copy of it")  # of which libtiff would print a line
    bits = max(tags.get(BITS, (1,)))
    if bits > 8 and bits != 16:
        raise ImageError(f"has {bits} bits a sample; convert it to 16 first")


def is_deep(tags: ImageFileDirectory_v2) -> bool:
    """Whether the file has grey or RGB samples of 16 bits."""
    return set(tags.get(BITS, (1,))) == {16} and tags.get(PHOTOMETRIC) in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB)


def read(file: IO[bytes], tags: ImageFileDirectory_v2) -> Pixels:
    """The picture of a TIFF file that `is_deep`, as it lies in the file; raises ImageError or what libtiff does."""
    import imagecodecs

    width, height, channels = tags[WIDTH], tags[LENGTH], tags.get(PER_PIXEL, 1)
    check_size(width, height)
    if channels > SAMPLES_MAX:
        raise ImageError(f"has {channels} samples a pixel; save it with at most {SAMPLES_MAX}")
    own = 3 if tags[PHOTOMETRIC] == RGB else 1
    file.seek(0)
    array = imagecodecs.tiff_decode(file.read())
    if tags.get(PLANAR) == SEPARATE:
        array = np.moveaxis(array.reshape(channels, height, width), 0, -1)
    array = array.reshape(height, width, channels)
    colour = np.ascontiguousarray(array[:, :, :own])  # [H, W, C]
    if tags[PHOTOMETRIC] == WHITE_IS_ZERO:
        np.subtract(65535, colour, out=colour)
    alpha, extra = None, tags.get(EXTRA, (STRAIGHT,))[0]
    if channels > own and extra in (PREMULTIPLIED, STRAIGHT):
        alpha = np.ascontiguousarray(array[:, :, own])  # [H, W]
    if alpha is not None and extra == PREMULTIPLIED:
        _divide(colour, alpha)
    return described(Pixels(colour, alpha), file, tags)


def described(pixels: Pixels, file: IO[bytes], tags: ImageFileDirectory_v2) -> Pixels:
    """`pixels` with ICC, EXIF and XMP of the file that they came from; EXIF is the block that stands for its tags."""
    header = _header(file)
    block = Image.Exif()
    block.endian, block.bigtiff = "<" if header.startswith(b"II") else ">", len(header) > SHORT
    block.load_from_fp(file, ImageFileDirectory_v2(header).next)
    icc, xmp = (metadata.as_bytes(tags.get(tag)) for tag in (ICC, XMP))
    return replace(pixels, icc=icc, exif=tiff_tags.exif_of_tags(block), xmp=xmp)


def _header(file: IO[bytes]) -> bytes:
    """What a TIFF file begins with, longer for BigTIFF."""
    file.seek(0)
    magic = file.read(4)
    return magic + file.read(MAGIC.get(magic, SHORT) - len(magic))


def _end(tags: ImageFileDirectory_v2) -> int:
    """Where the last strip or tile of the first picture ends in the file."""
    ends = [0]
    for offsets, lengths in ((STRIPS, STRIP_BYTES), (TILES, TILE_BYTES)):
        ends += [offset + length for offset, length in zip(tags.get(offsets, ()), tags.get(lengths, ()), strict=False)]
    return max(ends)


def _pages(file: IO[bytes]) -> int:
    """How many directories a TIFF file has in its chain; raises struct.error where one of them is not whole."""
    header = _header(file)
    order = "<" if header.startswith(b"II") else ">"
    count, entry, offset = ("Q", 20, "Q") if len(header) > SHORT else ("H", 12, "L")
    at, seen = ImageFileDirectory_v2(header).next, set[int]()
    while at and at not in seen:
        seen.add(at)
        file.seek(at)
        (entries,) = struct.unpack(order + count, file.read(struct.calcsize(order + count)))
        file.seek(entry * entries, io.SEEK_CUR)
        (at,) = struct.unpack(order + offset, file.read(struct.calcsize(order + offset)))
    return len(seen)


def _divide(colour: Samples, alpha: Samples) -> None:
    """Undo the premultiplication of uint16 [H, W, C] in place."""
    for top in range(0, len(colour), ROWS):
        rows = slice(top, top + ROWS)
        by = np.maximum(alpha[rows, :, None], 1).astype(np.uint64)  # [h, W, 1]
        colour[rows] = np.minimum((colour[rows] * np.uint64(65535) + by // 2) // by, 65535)


def write(pixels: Pixels, file: IO[bytes]) -> None:
    """Write a TIFF file of 8 or 16 bits a sample with all metadata that can be taken apart.

    libtiff encodes a whole file without metadata; it goes behind a new directory that has the tags of both, and whose
    strips are those inside the encoded file.
    """
    import imagecodecs

    data = imagecodecs.tiff_encode(
        to_array(pixels),
        compression=DEFLATE,
        predictor=DIFFERENCE,
        photometric=RGB if pixels.colour.shape[2] == 3 else BLACK_IS_ZERO,
        planarconfig=TOGETHER,
        extrasample=None if pixels.alpha is None else STRAIGHT,
    )
    tags = directory(io.BytesIO(data))
    for tag in tiff_tags.RESOLUTION:
        del tags[tag]  # made up by libtiff
    tags.update(dict(tags) | tiff_tags.tags_of_exif(pixels.exif))
    tags.update({key: value for key, value in ((ICC, pixels.icc), (XMP, pixels.xmp)) if value is not None})
    tags.tagtype[STRIPS] = TiffTags.LONG
    tags.save(file)  # counts the strips' offsets from the end of what it writes
    file.write(data)


FORMAT = Format(
    "TIFF",
    (".tif", ".tiff"),
    re.compile(rb"II[*+]\x00|MM\x00[*+]"),
    "latticecodec.picture.formats.tiff:open_file",
    ("TIFF",),
    notes=_notes,
    anew=_anew,
    described=_described,
    writes=Kind(("tif", "tiff"), write, deep=True, alpha=True, exif_is_tags=True),
)

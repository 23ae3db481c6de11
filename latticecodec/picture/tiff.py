"""TIFF files: pixels of 16 bits a sample through libtiff; metadata through Pillow's image file directory."""

import io
from typing import IO

import numpy as np
from PIL import Image, TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from ..errors import ImageError
from . import metadata
from .pixels import Pixels, Samples, check_size, to_array

WIDTH, LENGTH, BITS, PHOTOMETRIC, STRIPS, PER_PIXEL = 256, 257, 258, 262, 273, 277
PLANAR, EXTRA, FORMAT = 284, 338, 339
XMP, ICC = 700, 34675
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2  # photometric interpretations
TOGETHER, SEPARATE = 1, 2  # planar configurations: samples of a pixel; planes of the picture
PREMULTIPLIED, STRAIGHT = 1, 2  # extra samples that are alpha
UNSIGNED = 1  # sample format
DEFLATE, DIFFERENCE = 8, 2  # compression and predictor that are written
MAGIC = {b"II*\0": 8, b"MM\0*": 8, b"II+\0": 16, b"MM\0+": 16}  # and bytes of the header; the longer ones are BigTIFF
ROWS = 256  # of pixels, worked on at a time


def directory(file: IO[bytes]) -> ImageFileDirectory_v2 | None:
    """The first directory of a TIFF file, or None where the file is none; raises what Pillow does for damaged ones."""
    file.seek(0)
    header = file.read(MAGIC.get(file.read(4), 4) - 4)
    file.seek(0)
    if not header:
        return None
    tags = ImageFileDirectory_v2(file.read(4 + len(header)))
    file.seek(tags.next)
    tags.load(file)
    return tags


def is_deep(tags: ImageFileDirectory_v2) -> bool:
    """Whether the file has grey or RGB samples of 16 bits; raises ImageError for 9 to 15 bits."""
    bits = set(tags.get(BITS, (1,)))
    if max(bits) in range(9, 16):
        raise ImageError(f"has {max(bits)} bits a sample; convert it to 16 first")
    formats = set(tags.get(FORMAT, (UNSIGNED,)))
    return bits == {16} and formats == {UNSIGNED} and tags.get(PHOTOMETRIC) in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB)


def read(file: IO[bytes], tags: ImageFileDirectory_v2) -> Pixels:
    """The picture of a TIFF file that `is_deep`, as it lies in the file; raises ImageError or what libtiff does."""
    import imagecodecs

    width, height, samples = tags[WIDTH], tags[LENGTH], tags.get(PER_PIXEL, 1)
    check_size(width, height)
    if tags.next:
        raise ImageError("has several pages; save one of them first")
    own = 3 if tags[PHOTOMETRIC] == RGB else 1
    file.seek(0)
    array = imagecodecs.tiff_decode(file.read())
    if tags.get(PLANAR) == SEPARATE:
        array = np.moveaxis(array.reshape(samples, height, width), 0, -1)
    array = array.reshape(height, width, samples)
    colour = np.ascontiguousarray(array[:, :, :own])  # [H, W, C]
    if tags[PHOTOMETRIC] == WHITE_IS_ZERO:
        np.subtract(65535, colour, out=colour)
    alpha, extra = None, tags.get(EXTRA, (STRAIGHT,))[0]
    if samples > own and extra in (PREMULTIPLIED, STRAIGHT):
        alpha = np.ascontiguousarray(array[:, :, own])  # [H, W]
    if alpha is not None and extra == PREMULTIPLIED:
        _divide(colour, alpha)
    return Pixels(colour, alpha, tags.get(ICC), _exif(file), tags.get(XMP))


def _exif(file: IO[bytes]) -> bytes | None:
    """The EXIF block that stands for the tags of a TIFF file."""
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    block = Image.Exif()
    block.endian, block.bigtiff = "<" if start.startswith(b"II") else ">", MAGIC[start] > 8
    block.load_from_fp(file, ImageFileDirectory_v2(file.read(MAGIC[start])).next)
    return metadata.exif_of_tags(block)


def _divide(colour: Samples, alpha: Samples) -> None:
    """Undo the premultiplication of uint16 [H, W, C] in place."""
    for top in range(0, len(colour), ROWS):
        rows = slice(top, top + ROWS)
        by = np.maximum(alpha[rows, :, None], 1).astype(np.uint64)  # [h, W, 1]
        colour[rows] = np.minimum((colour[rows] * np.uint64(65535) + by // 2) // by, 65535)


def write(pixels: Pixels, file: IO[bytes]) -> None:
    """Write a TIFF file of 8 or 16 bits a sample with all metadata; raises any Exception for damaged EXIF data.

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
    assert tags is not None
    for tag in metadata.RESOLUTION:
        del tags[tag]  # made up by libtiff
    tags.update(dict(tags) | ({} if pixels.exif is None else metadata.tags_of_exif(pixels.exif)))
    tags.update({key: value for key, value in ((ICC, pixels.icc), (XMP, pixels.xmp)) if value is not None})
    tags.tagtype[STRIPS] = TiffTags.LONG
    tags.save(file)  # counts the strips' offsets from the end of what it writes
    file.write(data)

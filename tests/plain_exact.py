"""A second implementation of section 2.6 of FORMAT.md, exact colours, on top of plain_container.py, a reader of 1.1."""

import struct
import zlib
from dataclasses import dataclass

import plain_container
from plain_container import File, require

EXACT = 3


@dataclass
class ExactTile:
    """The exact colours of a tile."""

    squares: list[tuple[int, int]]  # left and top in the picture, of those that are exact
    coded: bytes  # WebP files
    may_have_alpha: bool  # of their own


def read(data: bytes) -> tuple[File, list[ExactTile]]:
    """A whole file; its payloads are what is behind the exact colours."""
    plain, mask = without_record(data)
    file = plain_container.read(plain)
    if mask is None:
        return file, []
    exact = squares_of(file, mask)
    tiles = []
    for tile in file.tiles:
        require(len(tile.payload) >= 4, "no length of the exact colours")
        (size,) = struct.unpack_from("<I", tile.payload)
        require(size <= len(tile.payload) - 4, "exact colours run past their tile")
        coded, tile.payload = tile.payload[4 : 4 + size], tile.payload[4 + size :]
        corners = [
            (x, y)
            for y in range(tile.top, tile.top + tile.height, 64)
            for x in range(tile.left, tile.left + tile.width, 64)
        ]
        squares = [corner for corner in corners if exact[corner]]
        require(bool(squares) == bool(coded), "exact colours where no square is exact, or none where one is")
        tiles.append(ExactTile(squares, coded, may_have_alpha=file.channels in (2, 4) and not tile.alpha))
    return file, tiles


def check_without_model(file: File, tiles: list[ExactTile]) -> None:
    """What a reader asks of a wholly exact picture that names no model."""
    for tile in file.tiles:
        require(not tile.payload.strip(b"\0"), "a range-coded part without a model")
        require(tile.index_crc == 0, "index CRC without a model", plain_container.ChecksumError)
    for tile, found in zip(file.tiles, tiles, strict=True):
        webp_files(tile, found, file.bit_depth // 8)


def squares_of(file: File, mask: bytes) -> dict[tuple[int, int], bool]:
    """Whether each square is exact, by left and top."""
    corners = [(x, y) for y in range(0, file.height, 64) for x in range(0, file.width, 64)]
    require(len(mask) == -(-len(corners) // 8), "length of the mask")
    bits = "".join(f"{byte:08b}" for byte in mask)
    require("1" not in bits[len(corners) :], "bits of no square")
    return {corner: bit == "1" for corner, bit in zip(corners, bits, strict=False)}


def without_record(data: bytes) -> tuple[bytes, bytes | None]:
    """A file without its record of type 3, as 1.1 would have it, and the record's body.

    Tiles that are wholly exact have a limit of their own, and are filled up to that of 1.1.
    """
    (length,) = struct.unpack_from("<I", data.ljust(14, b"\0"), 10)
    if len(data) < length + 4 or length < 44 or zlib.crc32(data[:length]) != struct.unpack_from("<I", data, length)[0]:
        return data, None
    table = length - 12 * len(plain_container.split(plain_container.fixed_part(data), data[:length]))
    position, mask, kept = 32, None, b""
    while position + 5 <= table:
        kind, size = struct.unpack_from("<BI", data, position)
        end = position + 5 + size
        if kind == EXACT and end <= table:
            require(mask is None, "two masks")
            mask = data[position + 5 : end]
        else:
            kept += data[position:end]
        position = end
    if mask is None:
        return data, None
    rows, payloads, at = b"", b"", length + 4
    fixed = plain_container.fixed_part(data)
    exact = squares_of(fixed, mask)
    for (left, top, width, height), (size, crc, index_crc) in zip(
        plain_container.split(fixed, data[:length]),
        struct.iter_unpack("<3I", data[table:length]),
        strict=True,
    ):
        own = [(x, y) for y in range(top, top + height, 64) for x in range(left, left + width, 64)]
        whole = all(exact[corner] for corner in own)
        require(size >= width * height >> (14 if whole else 12), "expansion", plain_container.LimitError)
        payload = data[at : at + size]
        require(zlib.crc32(payload) == crc, "payload CRC", plain_container.ChecksumError)
        at += size
        payload = payload.ljust(width * height >> 12, b"\0")
        rows += struct.pack("<3I", len(payload), zlib.crc32(payload), index_crc)
        payloads += payload
    require(at == len(data), "length of the file")
    head = data[:10] + struct.pack("<I", 32 + len(kept) + len(rows)) + data[14:32] + kept + rows
    return head + struct.pack("<I", zlib.crc32(head)) + payloads, mask


def has_alpha(webp_file: bytes) -> bool:
    """What bit 28 of the header says."""
    return bool(struct.unpack_from("<I", webp_file, 21)[0] >> 28 & 1)


def webp_files(tile: plain_container.Tile, found: ExactTile, bytes_a_sample: int) -> list[bytes]:
    """The WebP files of a tile, whose heads are as those of alpha are, and say that they are opaque or may not be."""
    if not found.squares:
        return []
    squares = [(x, y) for y in range(0, tile.height, 2_048) for x in range(0, tile.width, 2_048)]
    files, coded = [], found.coded
    for x, y in squares:
        size = min(2_048, tile.width - x), min(2_048, tile.height - y)
        for _ in range(bytes_a_sample):
            require(len(coded) >= 25, "exact colours end early")
            end = 8 + struct.unpack_from("<I", coded, 4)[0]
            require(found.may_have_alpha or not has_alpha(coded), "alpha of its own")
            alone = plain_container.Tile(0, 0, *size, 0, 0, alpha=coded[:end])
            files += plain_container.webp_files(alone)
            coded = coded[end:]
    require(not coded, "bytes behind the exact colours")
    return files

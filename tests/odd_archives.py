"""Tars and Parquet files that no program of good will writes."""

import io
import struct
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def tar_of(path: Path, members: dict[str, bytes]) -> Path:
    """A tar with these members, whatever they are called."""
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def with_header(path: Path, header: dict[str, str], data: bytes) -> Path:
    """A tar with `first.png`, then a member whose extended header says something, then `last.png`."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name in ("first.png", "odd.png", "last.png"):
            member = tarfile.TarInfo(name)
            member.size, member.pax_headers = len(data), header if name == "odd.png" else {}
            tar.addfile(member, io.BytesIO(data))
    return path


def sparse(path: Path, claimed: int) -> Path:
    """A tar of one member, of the kind that GNU tar had for files with gaps, that claims so many bytes."""
    return _of_header(path, "photo.png", claimed, size=0, kind=b"S")


def leading_back(path: Path) -> Path:
    """A tar whose member ends where it begins."""
    return _of_header(path, "photo.png", 0, size=256**12 - 512, kind=b"0")


def headers_without_end(path: Path) -> Path:
    """A tar of a header for a header for a header, and so on."""
    member, body = tarfile.TarInfo("photo.png"), b"11 path=ab\n"
    member.type, member.size = tarfile.XHDTYPE, len(body)
    path.write_bytes((member.tobuf() + body.ljust(512, b"\0")) * 1500)
    return path


def _of_header(path: Path, name: str, claimed: int, size: int, kind: bytes) -> Path:
    block = bytearray(tarfile.TarInfo(name).tobuf(tarfile.GNU_FORMAT))
    block[124:136], block[156:157] = size.to_bytes(12, "big") if size else b"%011o\0" % 0, kind
    block[483:495] = b"%011o\0" % claimed
    block[148:156] = 8 * b" "
    block[148:156] = b"%06o\0 " % sum(block)
    path.write_bytes(block + bytes(1536))
    return path


def no_text(values: list[bytes]) -> pa.Array:
    """A column of text that is not UTF-8."""
    held = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(values), held.buffers())


def parquet_of(path: Path, images: list[bytes], what: str) -> Path:
    """A Parquet file with something odd about its column of images, or the names of columns."""
    data = pa.array(images, pa.binary())
    paths = no_text([b"\xff\xfe.lcq", *(b"%d.png" % number for number in range(1, len(images)))])
    table = {
        "paths": lambda: pa.table({"image": pa.StructArray.from_arrays([data, paths], ["bytes", "path"])}),
        "fields": lambda: pa.table({"image": pa.StructArray.from_arrays([data, data], ["bytes", "bytes"])}),
        "columns": lambda: pa.table([data, data], names=["image", "image"]),
        "names": lambda: pa.table({"image": data, "name": data}),
    }[what]()
    pq.write_table(table, path, store_schema=False)
    if what == "names":
        path.write_bytes(path.read_bytes().replace(b"name", struct.pack("4B", 0xFF, 0xFE, 0xFF, 0xFE)))
    return path

"""Code points in files of ISO base media, AVIF and HEIC: the `nclx` colour information of the primary picture.

A file is boxes in boxes, each of a length, a type and a body (ISO/IEC 14496-12). `meta` has the number of the primary
picture in `pitm`, the properties of all pictures in `iprp/ipco`, and which picture has which in `iprp/ipma` (23008-12).
"""

import struct
from collections.abc import Iterator

from ...container import Cicp, code_points

HEAD = struct.Struct(">I4s")
COLOUR = struct.Struct(">4sHHHB")  # nclx: primaries, transfer, matrix, full range in the highest bit
FULL_BOX = 4  # bytes of version and flags

Span = tuple[int, int]  # begin and end of a body


def read(data: bytes) -> Cicp | None:
    """The code points of the primary picture, once it is RGB of full range; None where none are known."""
    at = _place(data)
    if at is None:
        return None
    _, primaries, transfer, _, _ = COLOUR.unpack_from(data, at)
    return code_points(bytes(Cicp(primaries, transfer))) if max(primaries, transfer) <= 255 else None


def replaced(data: bytes, cicp: Cicp) -> bytes:
    """A file with other primaries and another transfer in its `nclx`; matrix and range stay those of its samples."""
    at = _place(data)
    assert at is not None  # in what libavif writes
    kind, _, _, matrix, full = COLOUR.unpack_from(data, at)
    return data[:at] + COLOUR.pack(kind, cicp.primaries, cicp.transfer, matrix, full) + data[at + COLOUR.size :]


def _place(data: bytes) -> int | None:
    """Where the `nclx` of the primary picture is; None where there is none, or the file is damaged."""
    try:
        meta = _inside(data, (0, len(data)), b"meta")
        within = meta[0] + FULL_BOX, meta[1]
        properties = _inside(data, within, b"iprp")
        listed = list(_boxes(data, _inside(data, properties, b"ipco")))
        primary = _primary(data, _inside(data, within, b"pitm"))
        for number in _properties(data, _inside(data, properties, b"ipma"), primary):
            kind, (begin, end) = listed[number - 1] if number else (b"", (0, 0))  # 0 says that there is none
            if kind == b"colr" and data[begin : begin + 4] == b"nclx" and end - begin >= COLOUR.size:
                return begin
    except (struct.error, IndexError, LookupError):
        pass
    return None


def _boxes(data: bytes, span: Span) -> Iterator[tuple[bytes, Span]]:
    """Type and body of the boxes in a span; raises struct.error or LookupError where they do not fit."""
    at, end = span
    while at < end:
        size, kind = HEAD.unpack_from(data, at)
        begin = at + HEAD.size
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, begin)
            begin += 8
        after = at + size if size else end  # a last box may have no length
        if not begin <= after <= end:
            raise LookupError
        yield kind, (begin, after)
        at = after


def _inside(data: bytes, span: Span, kind: bytes) -> Span:
    """The body of the first box of a type; raises LookupError where there is none."""
    for found, body in _boxes(data, span):
        if found == kind:
            return body
    raise LookupError


def _primary(data: bytes, body: Span) -> int:
    """The number of the primary picture."""
    form = ">I" if data[body[0]] else ">H"
    return int(struct.unpack_from(form, data, body[0] + FULL_BOX)[0])


def _properties(data: bytes, body: Span, picture: int) -> list[int]:
    """The properties of a picture, counted from 1."""
    at, version, wide = body[0], data[body[0]], data[body[0] + 3] & 1
    (count,) = struct.unpack_from(">I", data, at + FULL_BOX)
    at += FULL_BOX + 4
    for _ in range(count):
        (number,) = struct.unpack_from(">I" if version else ">H", data, at)
        at += 4 if version else 2
        length = data[at]
        numbers = struct.unpack_from(f">{length}{'H' if wide else 'B'}", data, at + 1)
        if number == picture:
            return [place & (0x7FFF if wide else 0x7F) for place in numbers]
        at += 1 + length * (2 if wide else 1)
    raise LookupError

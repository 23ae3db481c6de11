"""Small ICC profiles: a matrix and one curve for RGB, a curve alone for grey (ICC.1:2010, which is version 4.3).

Plain Python arithmetic, so that equal colours have equal profiles, byte for byte, on every machine.
"""

import struct
from dataclasses import dataclass

Point = tuple[float, float]  # chromaticity x, y
Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]  # rows

D50 = (0.9642, 1.0, 0.8249)  # XYZ of the white that profiles are for
BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
FIXED_UNIT, FIXED_MAX = 1 << 16, 1 << 31  # of numbers with 16 bits before and 16 behind the point
HEADER = 128  # bytes
VERSION = 0x04300000
CREATED = (2026, 1, 1, 0, 0, 0)  # the day that every profile says
LICENCE = "CC0"


@dataclass(frozen=True)
class Curve:
    """From samples x of 0 to 1 to light: (a x + b) ^ exponent from `start` on, slope x below."""

    exponent: float
    a: float = 1.0
    b: float = 0.0
    slope: float = 0.0
    start: float = 0.0


@dataclass(frozen=True)
class Primaries:
    """Chromaticities of white and of red, green and blue."""

    white: Point
    red: Point
    green: Point
    blue: Point


def rgb_profile(primaries: Primaries, curve: Curve, name: str) -> bytes | None:
    """The profile of RGB; None where there are no such colours, or numbers that a profile cannot hold."""
    try:
        white = _xyz(primaries.white)
        corners = _turned((_xyz(primaries.red), _xyz(primaries.green), _xyz(primaries.blue)))
        shares = _applied(_inverse(corners), white)  # of the primaries in white
        adaptation = _adaptation(white)
        red, green, blue = _turned(_product(adaptation, _scaled(corners, shares)))
        colours = {b"rXYZ": _place(red), b"gXYZ": _place(green), b"bXYZ": _place(blue)}
        curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _parametric(curve))
        chad = b"sf32" + bytes(4) + b"".join(_numbers(*row) for row in adaptation)
    except (ZeroDivisionError, OverflowError):
        return None
    return _profile(b"RGB ", name, {**colours, **curves, b"chad": chad}) if min(shares) > 0 else None


def grey_profile(curve: Curve, name: str) -> bytes | None:
    """The profile of grey; None for numbers that a profile cannot hold."""
    try:
        return _profile(b"GRAY", name, {b"kTRC": _parametric(curve)})
    except OverflowError:
        return None


# ---- colours ---------------------------------------------------------------------------------------------------------


def _xyz(point: Point) -> Vector:
    """XYZ of a chromaticity, Y = 1; raises ZeroDivisionError where there is no light."""
    x, y = point
    return x / y, 1.0, (1 - x - y) / y


def _adaptation(white: Vector) -> Matrix:
    """What makes colours under a white those under D50, by Bradford's method."""
    there, here = _applied(BRADFORD, white), _applied(BRADFORD, D50)
    ratios = (here[0] / there[0], here[1] / there[1], here[2] / there[2])
    return _product(_scaled(_inverse(BRADFORD), ratios), BRADFORD)


def _applied(matrix: Matrix, vector: Vector) -> Vector:
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


def _turned(matrix: Matrix) -> Matrix:
    """Rows become columns."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    return (a, d, g), (b, e, h), (c, f, i)


def _product(left: Matrix, right: Matrix) -> Matrix:
    a, b, c = _turned(right)
    return _turned((_applied(left, a), _applied(left, b), _applied(left, c)))


def _scaled(matrix: Matrix, factors: Vector) -> Matrix:
    """Each column times its factor."""
    x, y, z = factors
    return _product(matrix, ((x, 0.0, 0.0), (0.0, y, 0.0), (0.0, 0.0, z)))


def _inverse(matrix: Matrix) -> Matrix:
    """Raises ZeroDivisionError where there is none."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    first, second, third = e * i - f * h, f * g - d * i, d * h - e * g
    whole = a * first + b * second + c * third
    return (
        (first / whole, (c * h - b * i) / whole, (b * f - c * e) / whole),
        (second / whole, (a * i - c * g) / whole, (c * d - a * f) / whole),
        (third / whole, (b * g - a * h) / whole, (a * e - b * d) / whole),
    )


# ---- bytes -----------------------------------------------------------------------------------------------------------


def _numbers(*values: float) -> bytes:
    """Numbers with 16 bits before and 16 behind the point; raises OverflowError."""
    fixed = [round(FIXED_UNIT * value) for value in values]
    if max(map(abs, fixed)) >= FIXED_MAX:
        raise OverflowError
    return struct.pack(f">{len(fixed)}i", *fixed)


def _place(colour: Vector) -> bytes:
    return b"XYZ " + bytes(4) + _numbers(*colour)


def _parametric(curve: Curve) -> bytes:
    if curve.start == 0:  # function 0 has an exponent alone, function 3 all
        return b"para" + bytes(8) + _numbers(curve.exponent)
    return b"para\0\0\0\0\0\3\0\0" + _numbers(curve.exponent, curve.a, curve.b, curve.slope, curve.start)


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">4xII2s2sII", 1, 12, b"en", b"US", len(data), 28) + data


def _profile(space: bytes, name: str, tags: dict[bytes, bytes]) -> bytes:
    """A display profile; tags with equal bodies share one."""
    tags = {b"desc": _text(name), b"cprt": _text(LICENCE), b"wtpt": _place(D50), **tags}
    begin, rows, bodies = HEADER + 4 + 12 * len(tags), [], b""
    places: dict[bytes, int] = {}
    for tag, body in tags.items():
        if body not in places:
            places[body] = begin + len(bodies)
            bodies += body + bytes(-len(body) % 4)
        rows.append(tag + struct.pack(">II", places[body], len(body)))
    size = begin + len(bodies)
    date = struct.pack(">6H", *CREATED)
    head = struct.pack(">I4xI", size, VERSION) + b"mntr" + space + b"XYZ " + date + b"acsp"
    head = head.ljust(68, b"\0") + _numbers(*D50)  # no platform, no maker, perceptual
    return head.ljust(HEADER, b"\0") + struct.pack(">I", len(tags)) + b"".join(rows) + bodies

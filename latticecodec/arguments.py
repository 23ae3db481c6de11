"""What a caller gives as an option: of the right kind and in range, or one line of TargetError.

Numbers of NumPy are numbers; truth values and text are none, and neither is what is not a number (NaN).
"""

import math
import operator
import sys
from numbers import Real
from typing import Any

from .errors import TargetError


def whole(name: str, value: Any, low: int, high: int | None = None) -> int:
    """An integer from `low` to `high`, or from `low` on; raises TargetError that names the option."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < low or (high is not None and number > high):
        top = "2^63 - 1" if high == sys.maxsize else high
        reach = f"from {low} to {top}" if high is not None else f"of {low} or more"
        raise TargetError(f"{name} {shown(value)} is not an integer {reach}")
    return number


def real(name: str, value: Any, low: float, high: float) -> float:
    """A number from `low` to `high`; raises TargetError that names the option."""
    number = _number(value)
    if not low <= number <= high:
        raise TargetError(f"{name} {shown(value)} is not a number from {low:g} to {high:g}")
    return number


def positive(name: str, value: Any) -> float:
    """A finite number above 0; raises TargetError that names the option."""
    number = _number(value)
    if not 0 < number < math.inf:
        raise TargetError(f"{name} {shown(value)} is not a positive number")
    return number


def switch(name: str, value: Any) -> bool:
    """True or False; raises TargetError that names the option."""
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):  # NumPy's, by both of its names
        return bool(value)
    raise TargetError(f"{name} {shown(value)} is neither True nor False")


def choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """One of some words; raises TargetError that names the option and them."""
    if isinstance(value, str) and value in choices:
        return value
    raise TargetError(f"unknown {name} {shown(value)}; choose from {', '.join(choices)}")


def _number(value: Any) -> float:
    """A float; NaN for what is no number."""
    try:
        return float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:  # an integer beyond all floats
        return math.inf


def shown(value: Any) -> str:
    """A value for a message, on one short line: numbers as they are read, all else as it is written in Python."""
    try:
        text = str(value) if isinstance(value, Real) else repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return "that is so long"
    return " ".join(text.split())[:80]

"""What was measured, kept in a file of JSON lines, so that an interrupted run goes on where it stopped.

    {"format": "lcodec eval", "version": 1}
    {"key": "<SHA-256>", ...}          one result a line, written as soon as it is there

A key is made of what a file and its pixels depend on: the codec with its code, libraries and weights, the quality, the
picture. Beside the values stands what measured them. So a result is found again only where it still holds. Seconds are
the exception: they are those of the machine that measured them.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import OutputError, reason
from ...outputs import check_kept

HEADER = {"format": "lcodec eval", "version": 1}


def digest(pixels: NDArray[np.uint8]) -> str:
    """SHA-256, in hex, of pixels [H, W, 3] and their size."""
    return hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def key(*parts: object) -> str:
    """The key of a result that depends on these strings and numbers."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class State:
    """Results by key; in memory alone where no file is given."""

    def __init__(self, path: Path | None = None) -> None:
        """Read what is there; raises OutputError where the file is another one, or cannot be read or written.

        A file that is not there, and its folder, are made with the first result.
        """
        self._path = path
        self._known: dict[str, dict[str, Any]] = {}
        if path is None:
            return
        check_kept(path)
        try:
            text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        except OSError as error:
            raise OutputError(f"{path}: cannot be read: {reason(error)}; name another one") from None
        lines = text.splitlines()
        if lines and _parsed(lines[0]) != HEADER:
            raise OutputError(f"{path}: is not a file of results of lcodec eval; name another one")
        for line in lines[1:]:
            result = _parsed(line)  # {} for a line that an interrupted run left unfinished
            if isinstance(result.get("key"), str):
                self._known[result.pop("key")] = result
        self._before = "" if text.endswith("\n") else "\n" if text else json.dumps(HEADER) + "\n"

    def get(self, key: str) -> dict[str, Any] | None:
        """The result kept under a key."""
        return self._known.get(key)

    def put(self, key: str, result: dict[str, Any]) -> None:
        """Keep a result: a JSON object; raises OutputError where the file cannot be written."""
        self._known[key] = result
        if self._path is not None:
            self._append(json.dumps({"key": key, **result}))

    def _append(self, line: str) -> None:
        assert self._path is not None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{self._before}{line}\n")
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written: {reason(error)}") from None
        self._before = ""


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}

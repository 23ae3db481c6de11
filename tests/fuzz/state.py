"""What run.py and worker.py share: the input at hand, and where inputs are kept that should not be what they are."""

import hashlib
import struct
import sys
from pathlib import Path

REGRESSIONS = Path(__file__).parent / "regressions"
STATE = struct.Struct("<QI")  # inputs done, bytes of the one at hand; it follows
STATE_BYTES = 1 << 20
SUFFIXES = {"lcq": ".lcq", "pictures": ".picture"}  # of the files that are kept, by target


def keep(data: bytes, what: str, suffix: str) -> None:
    """Save an input as a regression file, and say so."""
    path = REGRESSIONS / f"{hashlib.sha256(data).hexdigest()[:16]}{suffix}"
    path.write_bytes(data)
    print(f"{what}: {path}", file=sys.stderr, flush=True)

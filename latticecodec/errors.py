"""Every error latticecodec raises on bad input, in one tree.

LcqError                    base of all; the command line prints it as one line and exits 1
├── FormatError             the bytes are not a well-formed .lcq file
│   ├── ChecksumError       a stored CRC-32 does not match: the file is damaged
│   ├── VersionError        written for a newer reader than this one
│   └── LimitError          a declared size is beyond what this reader accepts
├── ModelError              a model is unknown, damaged or not the one the file was written with
├── ImageError              the input picture cannot be coded (not an image, unsupported mode, too large)
├── TargetError             a rate or quality target that the model cannot reach
├── OutputError             the output cannot be written (exists, folder missing)
└── TrainingError           a training set or checkpoint that cannot be used
"""

import errno
import re

WORDS = {errno.EISDIR: "it is a folder", errno.ENOTDIR: "a part of its path is a file, not a folder"}


class LcqError(Exception):
    """Base class of all errors that latticecodec raises on bad input."""


class FormatError(LcqError):
    """The bytes are not a well-formed .lcq file."""


class ChecksumError(FormatError):
    """A stored checksum does not match the bytes: the file is damaged."""


class VersionError(FormatError):
    """The file needs a newer reader; the message names the version."""


class LimitError(FormatError):
    """A size in the header is beyond what this reader accepts; nothing was allocated."""


class ModelError(LcqError):
    """A model is unknown, damaged, or not the one the file was written with."""


class ImageError(LcqError):
    """The input picture cannot be coded."""


class TargetError(LcqError):
    """A rate or quality target is out of the model's reach; the message says what it can reach."""


class OutputError(LcqError):
    """The output cannot be written."""


class TrainingError(LcqError):
    """A training set, checkpoint or option combination cannot be used."""


def reason(error: OSError) -> str:
    """What the system says of a file, in words, without number and name."""
    return WORDS.get(error.errno or 0) or error.strerror or str(error) or "the system does not say why"


def on_one_line(text: str) -> str:
    """The text without line breaks and control characters, otherwise as it is."""
    joined = " ".join(part.strip() for part in text.splitlines() if part.strip())
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda match: written_out(ord(match[0])), joined)


def written_out(code: int) -> str:
    """A control character, a byte of a name that is not UTF-8, or half of a pair of UTF-16, as an escape."""
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"

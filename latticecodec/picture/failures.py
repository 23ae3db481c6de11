"""What decoders raise, many types of many libraries, as ImageError: a sentence of ours, with their words as a hint."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from ..errors import ImageError

HINT = 100  # characters of a library's words
LONG = ("MAX_TEXT_CHUNK", "MAX_TEXT_MEMORY")  # in what Pillow says of profiles and texts of PNG files
WORDLESS = (IndexError, KeyError, TypeError, AttributeError, AssertionError, struct.error)  # slips, which tell nobody


@contextmanager
def told(kind: str, extra: str = "") -> Iterator[None]:
    """Within, everything that decoders raise becomes ImageError.

    Args:
        kind: the format that is read.
        extra: the extra of this package that brings what decodes it, where that is optional.
    """
    try:
        yield
    except ImageError:
        raise
    except MemoryError:
        raise ImageError("the picture takes more memory than there is; make it smaller first") from None
    except Image.DecompressionBombError:
        raise ImageError("has more pixels than Pillow's Image.MAX_IMAGE_PIXELS allows; raise that first") from None
    except ImportError as error:
        if not extra:
            raise
        raise ImageError(f"{kind} needs {error.name}; pip install 'latticecodec[{extra}]'") from None
    except Exception as error:
        raise _unread(kind, error) from None


def _unread(kind: str, error: Exception) -> ImageError:
    if any(limit in str(error) for limit in LONG):
        return ImageError("has a profile or texts of more bytes than Pillow reads; save it without first")
    what = f"the picture is damaged, cut short, or a kind of {kind} that is not read; save it anew first"
    return ImageError(what + hint(error))


def hint(error: BaseException) -> str:
    """The words of a library in brackets, where they are words."""
    inner = error.args[0] if error.args else None
    words = " ".join(str(error).split())
    if isinstance(error, WORDLESS) or isinstance(inner, WORDLESS) or " " not in words:
        return ""
    return f" ({words[:HINT]})"

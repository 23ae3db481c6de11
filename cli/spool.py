"""Standard output, which gets all of what is written to it or nothing: it is kept until it is whole."""

import shutil
import sys
import tempfile
from typing import IO

from latticecodec.outputs import Fill, Numberless

from .messages import output_error

SPOOL_MAX = 1 << 26  # bytes of standard output kept in memory; a file without a name holds more


class Spool(Numberless, tempfile.SpooledTemporaryFile[bytes]):
    """A file in memory, or without a name on the disk."""

    def __init__(self) -> None:
        super().__init__(SPOOL_MAX)

    def copy_to(self, file: IO[bytes]) -> None:
        """Write all of it to another file."""
        self.seek(0)
        shutil.copyfileobj(self, file)


def write_standard_output(fill: Fill) -> None:
    """Write to standard output once `fill` is done, so that nothing goes out when it fails.

    Raises OutputError where it cannot be written, ReaderGone where nobody reads it, and whatever `fill` raises.
    """
    try:
        with Spool() as spool:
            fill(spool)
            spool.copy_to(sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise output_error(error) from None

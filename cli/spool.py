"""What goes to standard output, kept until it is whole."""

import shutil
import tempfile
from typing import IO

from .atomic import Numberless

SPOOL_MAX = 1 << 26  # bytes of standard output kept in memory; a file without a name holds more


class Spool(Numberless, tempfile.SpooledTemporaryFile[bytes]):
    """A file in memory, or without a name on the disk."""

    def __init__(self) -> None:
        super().__init__(SPOOL_MAX)

    def copy_to(self, file: IO[bytes]) -> None:
        """Write all of it to another file."""
        self.seek(0)
        shutil.copyfileobj(self, file)

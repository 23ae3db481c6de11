"""What a training leaves to read: log.csv, and the same numbers for TensorBoard."""

import csv
import io
from pathlib import Path
from typing import Any

from ...errors import OutputError
from ...outputs import write_text

FILE = "log.csv"


class Log:
    """A row for every validation, in a folder that is made where it is missing.

    Args:
        folder: of log.csv and TensorBoard's events.
        step: that the training goes on from; what an earlier run logged after it is dropped.

    Raises OutputError where log.csv is something else.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / FILE
        if self._path.exists():
            try:
                head, *rows = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
                kept = [row for row in rows if int(row.split(",")[0]) <= step]
            except ValueError:
                head, kept = "", []
            if head.split(",")[0] != "step":
                raise OutputError(f"{self._path}: is no log of a training, and would be written over; move it away")
            write_text(self._path, head + "".join(kept))
        self._board: Any = SummaryWriter(str(folder))

    def write(self, row: dict[str, float]) -> None:
        """Append a row, by column; "step" is one of them. A log that has other columns gets these as well.

        Raises OutputError where the file cannot be written.
        """
        before: list[dict[str, str]] = []
        columns = list(row)
        if self._path.exists():
            with self._path.open(newline="") as file:
                reader = csv.DictReader(file)
                columns = list(dict.fromkeys([*(reader.fieldnames or ()), *row]))
                before = list(reader)
        table = io.StringIO()
        writer = csv.DictWriter(table, columns)
        writer.writeheader()
        writer.writerows([*before, row])
        write_text(self._path, table.getvalue())
        for key, value in row.items():
            if key != "step":
                self._board.add_scalar(key.replace("@", "/"), value, row["step"])

    def close(self) -> None:
        """Write what TensorBoard still holds back."""
        self._board.close()

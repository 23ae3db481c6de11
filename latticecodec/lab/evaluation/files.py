"""Where an evaluation is written, checked before anything is measured."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import OutputError
from ...outputs import check_apart
from .report import PAGE, check_report, report_files
from .results import check_csv
from .state import State


@dataclass(frozen=True)
class Files:
    """Each may be None.

    Attributes:
        csv: the file of the table.
        report: the folder of the page, which is made.
        resume: the file that results are kept in and taken from; with a report its measured.jsonl where none is named.
    """

    csv: Path | None = None
    report: Path | None = None
    resume: Path | None = None

    @property
    def page(self) -> Path | None:
        """What to open of the report."""
        return None if self.report is None else self.report / PAGE

    def begin(self) -> State:
        """The results that are there already; raises OutputError where something cannot be written, or has two uses."""
        for file in (self.csv, self.resume):
            if file is not None and not file.absolute().parent.is_dir():
                raise OutputError(f"{file}: the folder {file.parent} does not exist; make it first")
        check_apart(self._uses())
        if self.csv is not None:
            check_csv(self.csv)
        if self.report is not None:
            check_report(self.report)
        return State(self._kept)

    @property
    def _kept(self) -> Path | None:
        """The file of the results."""
        return self.report / "measured.jsonl" if self.resume is None and self.report is not None else self.resume

    def _uses(self) -> Iterator[tuple[Path, str]]:
        """Each path that is written, and what as."""
        if self.report is not None:
            real = Path(os.path.realpath(self.report))
            yield from ((folder, "a folder of the report") for folder in (real, *real.parents))
            yield from ((file, "a file of the report") for file in report_files(self.report))
        if self._kept is not None:
            yield self._kept, "the file of results"
        if self.csv is not None:
            yield self.csv, "the table"


NOTHING = Files()  # is written or kept

"""All of an evaluation: what is measured, what is compared, and the files that come of it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from ...outputs import write_text
from .comparison import side_by_side
from .evaluate import Evaluation, evaluate, prepared
from .files import NOTHING, Files
from .measures import optional_measures
from .options import Asked
from .report import write_report
from .results import to_csv


@contextmanager
def _silent(what: str) -> Iterator[None]:
    """Shows no progress."""
    yield None


def run(
    asked: Asked,
    files: Files = NOTHING,
    command: str = "lcodec eval",
    bar: Callable[[str], AbstractContextManager[Callable[[int, int], None] | None]] = _silent,
) -> Evaluation:
    """Evaluate, and write the table and the report that are asked for; all that `lcodec eval` does but print.

    Args:
        asked: which pictures, with what; a report has every measure, whatever is asked for.
        files: where what goes, and what an interrupted run has left.
        command: shown at the top of the report.
        bar: shows the progress of "evaluating" and "comparing" while it is open, as `report_progress` of `evaluate`.

    Raises as `evaluate` and `side_by_side`, and OutputError where a file cannot be written, before anything is measured
    wherever that can be known.
    """
    state = files.begin()
    if files.report is not None:
        asked = replace(asked, measures=[measure.name for measure in optional_measures()])
    prepared(asked)  # what is wrong is told before a bar is there
    with bar("evaluating") as advance:
        evaluation = evaluate(asked, advance, state)
    if files.csv is not None:
        write_text(files.csv, to_csv(evaluation))
    if files.report is not None:
        with bar("comparing") as advance:
            comparisons = side_by_side(asked, advance, without=evaluation.skipped, state=state)
        write_report(files.report, evaluation, comparisons, command)
    return evaluation

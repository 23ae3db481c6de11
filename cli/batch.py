"""Going through files: a line each or JSON, a progress bar for several, errors as one line, a count at the end."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

from latticecodec import LcqError, OutputError

from . import pipeline, progress
from .files import Job, Plan, Writing, check, exists
from .inputs import STANDARD, Place, Refusal, called, count_of, name_of
from .messages import amount, is_expected, note, on_one_line, say, say_json, told

Report = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What came of one file."""

    report: Report  # for JSON
    text: str = ""  # the same for people
    notes: tuple[str, ...] = ()  # on standard error
    error: str = ""  # one line; empty where all went well


@dataclass(frozen=True)
class Work:
    """What a command does with each of its files.

    Attributes:
        do: the work; raises what `is_expected` knows. It must be one that can be sent to a process. Of several files,
            Steps read ahead and write behind.
        done: what the work is called in the count: "compressed".
        subject: the report's key for the input.
        failure: what JSON says of a file that failed, besides the error.
        writing: how outputs are written.
        processes: that work side by side.
    """

    do: Callable[[Job], Outcome]
    done: str
    subject: str = "input"
    failure: Report = field(default_factory=dict)
    writing: Writing = field(default_factory=Writing)
    processes: int = 1

    def failed_report(self, source: Place, line: str) -> Report:
        """The report of a file that failed with this line."""
        return {self.subject: name_of(source), **self.failure, "error": line}

    def refused_reports(self, refusal: Refusal) -> list[Report]:
        """The reports of files that will not be worked on."""
        return [self.failed_report(source, on_one_line(refusal.message)) for source in refusal.sources]


@dataclass(frozen=True)
class _Attempt:
    """One file's work, with its errors as outcomes; can be sent to a process."""

    work: Work

    def __call__(self, job: Job) -> Outcome:
        outcome: Outcome = self._tried(self._checked(self.work.do), job)
        return outcome

    def in_steps(self, steps: pipeline.Steps) -> pipeline.Steps:
        """The same step by step; a file that failed in one passes through the others as its outcome."""
        read, code, write = self._checked(steps.read), steps.code, steps.write
        return pipeline.Steps(partial(self._tried, read), partial(self._tried, code), partial(self._tried, write))

    def _checked(self, begin: Callable[[Job], Any]) -> Callable[[Job], Any]:
        """What begins the work on a file, after a look at where its output goes."""

        def begin_checked(job: Job) -> Any:
            if job.target is not STANDARD and job.target.parent.is_dir():
                check(job, self.work.writing)
            return begin(job)

        return begin_checked

    def _tried(self, step: Callable[..., Any], job: Job, *made: Any) -> Any:
        """What a step makes of what the one before made, or the outcome of a file that fails."""
        if made and isinstance(made[0], Outcome):
            return made[0]
        try:
            return step(job, *made)
        except Exception as error:
            if not is_expected(error):
                raise
            return self.failed(job, told(error))

    def failed(self, job: Job, text: str) -> Outcome:
        """The outcome of a file with this error, which names the file once."""
        name = called(job.source)
        target = "standard output" if job.target is STANDARD else name_of(job.target)
        named = text.startswith((f"{name}: ", f"{target}: "))
        line = on_one_line(text if named else f"{name}: {text}")
        return Outcome(self.work.failed_report(job.source, line), error=line)


def run(plan: Plan, work: Work, as_json: bool) -> list[Report]:
    """Do every job; the reports. Raises LcqError at the end where a file failed."""
    if as_json and plan.streams:
        raise OutputError("--json and -o - both write to standard output; choose one")
    if not plan.many:
        return [_one(plan, work, as_json)]
    reports = [report for refusal in plan.refused for report in work.refused_reports(refusal)]
    if not plan.jobs and len(plan.refused) == 1:
        if as_json:
            say_json(reports, indent=2)
        raise LcqError(plan.refused[0].message)
    for refusal in plan.refused:
        note(f"Error: {refusal.message}")
    failed = len(reports)
    jobs, skipped = [], 0
    for job in plan.jobs:
        if work.writing.skip_existing and exists(job):
            skipped += 1
            reports.append(_skipped(job))
        else:
            jobs.append(job)
    with progress.counted(len(jobs), amount(len(jobs), "file")) as bar, closing(_outcomes(jobs, work)) as outcomes:
        for outcome in outcomes:
            _show(outcome, as_json)
            reports.append(outcome.report)
            failed += bool(outcome.error)
            bar.update(1)
    if as_json:
        say_json(reports, indent=2)
    done = len(reports) - failed - skipped
    counts = [f"{done:,} {work.done}"]
    if skipped:
        counts.append(f"{skipped:,} skipped, which exist already")
    if plan.left_out:
        counts.append(count_of(plan.left_out))
    if failed:
        raise LcqError(f"{failed:,} of {amount(len(reports), 'file')} failed; {', '.join(counts)}")
    note(", ".join(counts))
    return reports


def _one(plan: Plan, work: Work, as_json: bool) -> Report:
    """Do the only job; its report. Raises LcqError where the file fails."""
    for refusal in plan.refused:
        _fail(work.refused_reports(refusal)[0], as_json)
    job = plan.jobs[0]
    if work.writing.skip_existing and exists(job):
        report = _skipped(job)
        note(f"{report['output']}: exists already, skipped")
        if as_json:
            say_json(report)
        return report
    outcome = _Attempt(work)(job)
    if outcome.error:
        _fail(outcome.report, as_json)
    _show(outcome, as_json or plan.streams)
    if as_json:
        say_json(outcome.report)
    elif plan.streams:
        note(outcome.text)
    return outcome.report


def _fail(report: Report, as_json: bool) -> NoReturn:
    """Raise the error that the report of the only file tells of, which JSON has too."""
    if as_json:
        say_json(report)
    raise LcqError(report["error"])


def _skipped(job: Job) -> Report:
    """The report of a file whose output exists."""
    return {"input": name_of(job.source), "output": name_of(job.target), "skipped": True}


def _show(outcome: Outcome, quiet: bool) -> None:
    """Print what there is to say about a file; `quiet` without the line of its report."""
    for text in outcome.notes:
        note(text)
    if outcome.error:
        note(f"Error: {outcome.error}")
    elif not quiet:
        say(outcome.text)


def summary(report: Report) -> str:
    """The one line about a file."""
    note = f"  ({report['note']})" if report.get("note") else ""
    return (
        f"{on_one_line(report['output'])}  {report['width']}x{report['height']}  {report['bytes']:,} bytes  "
        f"{report['bpp']:.3f} bpp  {report['seconds']:.2f} s{note}"
    )


def _outcomes(jobs: list[Job], work: Work) -> Generator[Outcome, None, None]:
    """The outcomes of all jobs, in their order."""
    attempt = _Attempt(work)
    if len(jobs) > 1 and work.processes < 2 and isinstance(work.do, pipeline.Steps):
        yield from pipeline.results(jobs, attempt.in_steps(work.do))
    elif len(jobs) < 2 or work.processes < 2:
        yield from map(attempt, jobs)
    else:
        from . import workers

        pool = workers.Workers(jobs, attempt, work.processes)
        yield from pool.outcomes(lambda job: attempt.failed(job, workers.DIED))

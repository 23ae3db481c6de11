"""A run over a collection: listed, spread over workers, and counted; where it was stopped it goes on."""

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO

from ..errors import LcqError, OutputError
from . import cluster, record, replaced
from .parquet import COLUMN
from .record import Record
from .source import Failure, Part, Source
from .store import Store
from .summary import Summary
from .target import Form
from .task import Task
from .worker import Order

LOOSE = 8  # pictures in a part whose outputs are files of their own
ERRORS = "errors.jsonl"


@dataclass(frozen=True)
class Bulk:
    """What was asked for.

    Attributes:
        task: what is done with each picture.
        source: a folder or file, as path or URL.
        target: a folder; None where nothing is written.
        form: what is written there.
        per_shard: loose pictures that go into one tar or Parquet file.
        overwrite: begin anew, whatever the target holds; tars and Parquet files of the run before are removed first.
        column: of Parquet files, with the pictures.
        keep_times: date outputs as their inputs.
        workers: that work side by side; None for as many as the cluster has room for.
        address: of a Ray cluster; None for one of its own on this machine.
    """

    task: Task
    source: str
    target: str | None = None
    form: Form = "files"
    per_shard: int = 1000
    overwrite: bool = False
    column: str = COLUMN
    keep_times: bool = False
    workers: int | None = None
    address: str | None = None

    def listed(self, left_out: Counter[str]) -> Iterator[Part | Failure]:
        """The parts of the source, and what can be in none; raises LcqError where there is no source."""
        return self._source().parts(left_out)

    def results(self, summary: Summary) -> Iterator[Record]:
        """Do it: what comes of each part as it comes, counted in `summary`.

        What failed is in the target's errors.jsonl at the end. Raises LcqError where nothing more can be written, or
        nothing could be done at all.
        """
        began = time.monotonic()
        task, source = self.task.sent(), self._source()
        target = None if self.target is None else Store(self.target)
        order = Order(task, source.store, target, self.form, column=self.column, keep_times=self.keep_times)
        if target is not None:
            order = self._begun(order, source, target)
        with _Errors(target) as errors, cluster.joined(self.address, self.workers):
            room, graphics = cluster.capacity(task.device)
            summary.workers = self.workers or room
            if target is not None:
                replaced.clear(target)
            refused: list[Failure] = []
            parts = _without_failures(source.parts(summary.left_out), refused)
            for found in cluster.spread(order, parts, summary.workers, graphics):
                if found.stopped:
                    raise OutputError(found.stopped)
                summary.seconds = time.monotonic() - began
                yield _counted(found, summary, errors)
            if refused:
                yield _counted(Record("", failures=refused), summary, errors)
            summary.seconds = time.monotonic() - began

    def _source(self) -> Source:
        size = self.per_shard if self.form != "files" else LOOSE
        return Source.at(self.source, self.task.suffixes, self.task.target, size, self.task.advice)

    def _begun(self, order: Order, source: Source, target: Store) -> Order:
        """The order with the number of the run that begins or goes on."""
        alike = target.protocols == source.store.protocols
        inside = alike and f"{target.path}/".startswith(f"{source.store.path}/")
        suffix = replaced.SUFFIXES.get(self.form)  # of archives that are written, as the source may be one
        over = alike and target.path == source.store.path and suffix and (source.only or "").endswith(suffix)
        if over or (inside and source.only is None):
            raise OutputError(f"{target.url}: lies in the source {source.store.url}; name a target beside it")
        if self.keep_times and not (source.store.local and target.local):
            raise OutputError("`keep_times` is for folders on this machine; leave it out")
        asked = {
            "task": order.task.described(),
            "source": source.place,
            "form": self.form,
            "per_shard": self.per_shard,
            "column": self.column,
        }
        asked = json.loads(json.dumps(asked))
        number, overwrite = record.begin(target, asked, os.urandom(8).hex(), self.overwrite)
        return replace(order, run=number, call=os.urandom(8).hex(), overwrite=overwrite)


def _without_failures(listed: Iterator[Part | Failure], failures: list[Failure]) -> Iterator[Part]:
    for found in listed:
        if isinstance(found, Failure):
            failures.append(found)
        else:
            yield found


def _counted(found: Record, summary: Summary, errors: "_Errors") -> Record:
    summary.add(found)
    errors.add(found)
    return found


class _Errors:
    """errors.jsonl of a target: a line for each failure, kept on the disk until the end; None keeps nothing."""

    def __init__(self, target: Store | None) -> None:
        self._target = target

    def __enter__(self) -> "_Errors":
        self._file: IO[bytes] = tempfile.TemporaryFile()
        return self

    def add(self, found: Record) -> None:
        """The failures of a part."""
        for failure in found.failures:
            line = json.dumps({"input": failure.name, "error": failure.error})
            self._file.write(f"{line}\n".encode())

    def __exit__(self, *error: object) -> None:
        with self._file:
            if self._target is None:
                return
            self._file.seek(0)
            data = self._file.read()
            with suppress(LcqError):
                if data or self._target.exists(ERRORS):
                    self._target.write(ERRORS, data)

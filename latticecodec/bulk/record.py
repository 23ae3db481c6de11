"""What is known of a run, kept beside its outputs: what was asked for, and what came of each part that is done.

A record is written when all of its part's outputs are, so that what lies there without one is not taken for whole.
"""

import json
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import LcqError, OutputError
from .replaced import NO_RECORD, PARTS, RUN, SUFFIXES, keep_source, replaced
from .sample import Picture
from .source import HIDDEN, Failure, Part
from .store import Store
from .task import Coded


@dataclass
class Record:
    """What came of a part.

    Attributes:
        name: of the part.
        done: pictures.
        skipped: pictures whose output was there.
        pixels: of those that are done.
        bytes_in, bytes_out: of those that are done.
        failures: what could not be worked on.
        left_out: what was not taken along, by kind.
        notes: on single pictures, a line each.
        stopped: why nothing more can be written; empty where all went well.
        before: whether an earlier call did it.
    """

    name: str
    done: int = 0
    skipped: int = 0
    pixels: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    failures: list[Failure] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    stopped: str = ""
    before: bool = False

    def count(self, made: list[tuple[Picture, Coded]]) -> None:
        """Count what was made."""
        for picture, coded in made:
            self.done += 1
            self.pixels += coded.width * coded.height
            self.bytes_in += len(picture.data)
            self.bytes_out += len(coded.data)
            self.notes += [f"{picture.name}: {note}" for note in coded.notes]

    def fields(self) -> dict[str, Any]:
        """For JSON."""
        failures = [asdict(failure) for failure in self.failures]
        return {**vars(self), "failures": failures, "left_out": dict(self.left_out)}

    @staticmethod
    def of_fields(fields: dict[str, Any]) -> "Record":
        """From JSON; raises TypeError or KeyError where it is none."""
        failures = [Failure(**failure) for failure in fields["failures"]]
        found = Record(**{**fields, "left_out": Counter(fields["left_out"]), "failures": failures})
        counts = (found.done, found.skipped, found.pixels, found.bytes_in, found.bytes_out, *found.left_out.values())
        lines = (found.stopped, *found.notes)
        if not (all(isinstance(count, int) for count in counts) and all(isinstance(line, str) for line in lines)):
            raise TypeError("a record holds something else than counts and lines")
        return found


@dataclass(frozen=True)
class Records:
    """The records of a run in its target.

    Attributes:
        store: the target.
        run: the number of the run.
        fixed: whether a part has an output of its own, which would change with the files that it is made of.
    """

    store: Store
    run: str
    fixed: bool

    def find(self, part: Part) -> Record | None:
        """What came of a part; None where it is not done.

        Raises OutputError where it is, but was made of other files than the source holds now.
        """
        try:
            fields = json.loads(self.store.read(_name(part)))
            run, digest, found = fields["run"], fields["digest"], Record.of_fields(fields["record"])
            state = fields.get("state", part.state)  # of earlier versions, which kept none, none is another
        except (LcqError, *NO_RECORD):  # not there, or not whole
            return None
        if run != self.run or not all(failure.lasting for failure in found.failures):
            return None
        if digest == part.digest:
            return found if state == part.state else None
        if self.fixed:
            told = "holds other files than the source has now; name another target, or begin anew with `overwrite`"
            raise OutputError(f"{self.store.url}: {part.name} {told}")
        return None

    def tries(self, part: Part, call: str) -> int:
        """How often a part was begun in a call by workers that count, this time included."""
        name, before = f"{HIDDEN}/tries/{part.name}.json", 0
        with suppress(LcqError, *NO_RECORD):  # the first try
            found = json.loads(self.store.read(name))
            before = int(found["tries"]) if found["call"] == call else 0
        self.store.write(name, json.dumps({"call": call, "tries": before + 1}).encode())
        return before + 1

    def keep(self, part: Part, record: Record) -> None:
        """Say that the outputs of a part are there, all that it can have where no failure says otherwise.

        Raises OutputError.
        """
        fields = {"run": self.run, "digest": part.digest, "state": part.state, "record": record.fields()}
        self.store.write(_name(part), json.dumps(fields).encode())


def _name(part: Part) -> str:
    return f"{PARTS}{part.name}.json"


def begin(store: Store, asked: dict[str, Any], new: str, overwrite: bool) -> tuple[str, bool]:
    """Begin a run in a target, or go on with the one that is there.

    Args:
        store: the target.
        asked: what outputs depend on.
        new: the number of a run that begins.
        overwrite: begin in any case.

    Returns the run's number, and whether what was there before it does not count. Raises OutputError where the target
    holds what was asked for otherwise, or tars or Parquet files of somebody else where such are written, or cannot be
    written, or where what would be overwritten is to be read.
    """
    replaces: dict[str, str] = {}
    if not overwrite and store.exists(RUN):
        try:
            found = json.loads(store.read(RUN))
            before, number, over = found["asked"], str(found["run"]), bool(found["overwrite"])
            odd = [key for key in asked if before.get(key) != asked[key]]
        except NO_RECORD:
            raise OutputError(f"{store.called(RUN)}: is damaged; begin anew with `overwrite`") from None
        if odd:
            told = ", ".join(f"{key} {before.get(key)!r} where {asked[key]!r} is asked for" for key in sorted(odd))
            raise OutputError(
                f"{store.url}: holds a run with {told}; name another target, or begin anew with `overwrite`"
            )
        return number, over
    if not overwrite and (suffix := SUFFIXES.get(asked["form"])):
        foreign = next((name for name in store.below("") if name.endswith(suffix)), None)
        if foreign is not None:
            raise OutputError(
                f"{store.called(foreign)}: is of no run that is known here; name another target, or `overwrite`"
            )
    if overwrite and store.exists(RUN):
        with suppress(*NO_RECORD):  # nobody knows what a damaged one has written
            replaces = replaced(json.loads(store.read(RUN)))
        keep_source(store, replaces, asked["source"])
    fields = {"run": new, "asked": asked, "overwrite": overwrite, "replaces": replaces}
    store.write(RUN, json.dumps(fields).encode())
    return new, overwrite

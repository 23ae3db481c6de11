"""The tars and Parquet files of runs that another one takes the place of, which go before it writes anything.

They are those that the records of these runs name, and no others. Which runs they are stands in run.json until all is
gone, so that a run that was stopped meanwhile goes on with it.
"""

import json
from collections.abc import Iterator
from typing import Any

from ..errors import LcqError, OutputError
from .source import HIDDEN
from .store import Store

RUN = f"{HIDDEN}/run.json"
PARTS = f"{HIDDEN}/parts/"  # NAME.json, the record of the part that is called so
SUFFIXES = {"tars": ".tar", "parquet": ".parquet"}  # of the outputs of parts that have one
NO_RECORD = (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError)  # of JSON that is not ours


def replaced(found: dict[str, Any]) -> dict[str, str]:
    """By their numbers, in what form the run of a run.json, and those that it replaces, have written."""
    forms = {**found.get("replaces", {}), found["run"]: found["asked"]["form"]}
    return {run: form for run, form in forms.items() if form in SUFFIXES}


def keep_source(store: Store, replaces: dict[str, str], source: str) -> None:
    """Raise OutputError where outputs of these runs are what is to be read."""
    inside = source.removeprefix(f"{store.place}/")
    if inside == source:
        return
    for _, name in _outputs(store, replaces):
        if name == inside or name.startswith(f"{inside}/"):
            told = "is of the source, and of the run before, whose files `overwrite` removes; name another target"
            raise OutputError(f"{store.called(name)}: {told}")


def clear(store: Store) -> None:
    """Remove what the run of a target replaces; raises OutputError where something cannot be removed."""
    try:
        fields = json.loads(store.read(RUN))
        replaces = fields.pop("replaces", {})
        for record, name in _outputs(store, replaces):
            store.remove(name)
            store.remove(record)  # what is left names what is left
    except NO_RECORD:
        raise OutputError(f"{store.called(RUN)}: is damaged; begin anew with `overwrite`") from None
    if replaces:
        store.write(RUN, json.dumps(fields).encode())


def _outputs(store: Store, replaces: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The records of these runs, each with the output that it names."""
    for record in store.below(PARTS) if replaces else ():
        try:
            suffix = SUFFIXES[replaces[json.loads(store.read(record))["run"]]]
        except (LcqError, *NO_RECORD):  # of another run, or not whole
            continue
        yield record, record.removeprefix(PARTS).removesuffix(".json") + suffix

"""Parts to workers and back, by Ray Data: a pool of actors, each with a model of its own."""

import json
import logging
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..backends.processors import processors
from ..errors import LcqError
from .record import Record
from .source import Part
from .worker import Order, Worker, given_up

if TYPE_CHECKING:
    import ray.data

AT_ONCE, FOR_EACH = 4096, 64  # parts that Ray knows of: at least so many, or so many for each worker
AHEAD = 2  # parts that wait at a worker
HERE = {  # of a cluster of our own: it reports to nobody, listens to this machine alone, prints nothing, and is no less
    # urgent than who waits for it
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_worker_niceness": "0",
}


@contextmanager
def joined(address: str | None, workers: int | None) -> Iterator[None]:
    """Within, this process belongs to a cluster: the one at `address`, or one of its own on this machine.

    A program that has joined one before stays there. Raises LcqError where there is none at the address.
    """
    if address is None:
        for name, value in HERE.items():
            os.environ.setdefault(name, value)  # which Ray reads as it is imported
    import ray

    if ray.is_initialized():
        yield
        return
    on_sigterm = signal.getsignal(signal.SIGTERM)  # in whose place Ray puts one of its own
    here = {} if address else {"num_cpus": workers or processors(), "include_dashboard": False}
    try:
        with _unheard():
            ray.init(address=address or "local", log_to_driver=False, logging_level=logging.CRITICAL, **here)
    except Exception as error:  # Ray has many
        told = " ".join(str(error).split())[:200] or type(error).__name__
        if address is None:
            raise LcqError(f"Ray does not start here ({told}); try again when the machine has less to do") from None
        raise LcqError(f"no Ray cluster at {address} ({told}); see ray status there") from None
    if on_sigterm is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_sigterm)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _unheard() -> Iterator[None]:
    """Within, nothing reaches standard error, to which Ray writes past Python."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def capacity(device: str) -> tuple[int, bool]:
    """How many workers the cluster has room for, and whether each has a GPU; a processor or a GPU for each."""
    import ray

    there = ray.cluster_resources()
    graphics = device != "cpu" and there.get("GPU", 0) >= 1
    return max(1, int(there.get("GPU" if graphics else "CPU", 1))), graphics


def pool(dataset: "ray.data.Dataset", actor: type, arguments: tuple[Any, ...], workers: int, graphics: bool) -> Any:
    """A dataset, each of whose blocks one of so many actors maps."""
    import ray.data

    return dataset.map_batches(
        actor,
        fn_constructor_args=arguments,
        compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=AHEAD),
        batch_format="pyarrow",
        batch_size=None,
        num_cpus=1,
        num_gpus=int(graphics),
    )


def spread(order: Order, parts: Iterable[Part], workers: int, graphics: bool) -> Iterator[Record]:
    """What comes of each part, in any order; so many at once that workers, who start anew then, seldom wait."""
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    before = context.enable_progress_bars, context.max_errored_blocks
    context.enable_progress_bars, context.max_errored_blocks = False, -1
    try:
        waiting = iter(parts)
        while some := {part.name: part for part in islice(waiting, max(AT_ONCE, FOR_EACH * workers))}:
            rows = [{"part": json.dumps(asdict(part))} for part in some.values()]
            dataset = ray.data.from_items(rows, override_num_blocks=len(rows))
            for row in pool(dataset, _Actor, (order,), min(workers, len(rows)), graphics).iter_rows():
                record = Record.of_fields(json.loads(row["record"]))
                del some[record.name]
                yield record
            for part in some.values():
                yield given_up(order, part)
    finally:
        context.enable_progress_bars, context.max_errored_blocks = before


class _Actor:
    """A worker as Ray Data calls it: a table of parts to a table of records."""

    def __init__(self, order: Order) -> None:
        import ray

        self._worker, self._refused = None, ""
        again = ray.get_runtime_context().was_current_actor_reconstructed  # after its process was ended
        try:
            self._worker = Worker(order, again)
        except LcqError as error:
            self._refused = str(error)

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        records = []
        for text in table.column("part").to_pylist():
            fields = json.loads(text)
            part = Part(**{**fields, "files": tuple(fields["files"]), "sizes": tuple(fields["sizes"])})
            record = self._worker.part(part) if self._worker else Record(part.name, stopped=self._refused)
            records.append(json.dumps(record.fields()))
        return pa.table({"record": records})

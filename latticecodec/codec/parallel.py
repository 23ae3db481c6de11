"""Tiles coded at the same time: each by one thread, and as many as there are processors."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from ..backends.processors import processors

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Callable[[], Result]]:
    """For each item, in their order, what returns its result or raises its error: to be called before the next.

    Threads work on the items that come next, no more of them than there are processors, with the caller's settings. A
    single item, or processor, takes none.
    """
    threads = min(processors(), len(items))
    if threads < 2:
        yield from (partial(work, item) for item in items)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads)
    begun: deque[Future[Result]] = deque()
    try:
        for number in range(len(items)):
            while len(begun) < threads and number + len(begun) < len(items):
                begun.append(pool.submit(copy_context().run, work, items[number + len(begun)]))
            yield begun.popleft().result
    finally:
        pool.shutdown(cancel_futures=True)

"""SIGINT, SIGTERM and SIGHUP: unwind, so that nothing unfinished stays; one line, and the exit status shells expect.

Only a process of ours may set them: that of a command, and those it starts.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopped(BaseException):
    """The process was asked to stop; like KeyboardInterrupt not an Exception, so that no handler of errors takes it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.status = 128 + number  # of a shell's child that died of the signal


@contextmanager
def on_signals(clean: Callable[[], None]) -> Iterator[None]:
    """Within, each of SIGNALS that was not ignored before raises Stopped; at the end `clean` runs undisturbed.

    Compiled code that a signal interrupts, as where a package is imported, may make another error of Stopped: an error
    that comes after one is taken for it.
    """
    if threading.current_thread() is not threading.main_thread():  # Python takes signals in the main thread alone
        yield
        return
    cleaning = False
    stopped: Stopped | None = None

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        if not cleaning:
            stopped = Stopped(number)
            raise stopped

    before = {number: signal.getsignal(number) for number in SIGNALS}
    ours = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    except Exception:
        if stopped is not None:
            raise stopped from None
        raise
    finally:
        cleaning = True
        clean()
        for number in ours:
            signal.signal(number, before[number])

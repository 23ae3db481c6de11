"""SIGINT, SIGTERM and SIGHUP: unwind, so that nothing unfinished stays; one line, and the exit status shells expect.

Only a process of ours may set them: that of a command, and those it starts.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def end_on_signals() -> None:
    """From here on each of SIGNALS that was not ignored before ends the process at once, with one line.

    For a program that begins or ends: there is nothing to clean up, and an exception could be lost in an import.
    """

    def end(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):
            if sys.stderr is not None:
                sys.stderr.write(f"Error: {Stopped(number)}\n")
                sys.stderr.flush()
        os._exit(Stopped(number).status)

    for number in _heeded():
        signal.signal(number, end)


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

    before = {number: signal.getsignal(number) for number in _heeded()}
    for number in before:
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
        for number, handler in before.items():
            signal.signal(number, handler)


def _heeded() -> list[int]:
    """Those of SIGNALS that nobody told the process to ignore, as nohup does."""
    return [number for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]

"""Runs that are asked to end: by Ctrl-C, by ``kill``, by a terminal that is closed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import active_children
from threading import current_thread, main_thread
from types import FrameType

ASKED = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end a run as Ctrl-C (SIGINT) does."""

SHELL = 128
"""The exit status of a command that a signal has ended is this plus the number of the signal."""


class Stopped(KeyboardInterrupt):
    """A signal has asked the run to end."""


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """End on a signal as after Ctrl-C, with the exit status that shells give: 130, 143 or 129.

    Processes of a parallel run are asked to end too.

    Raises:
        SystemExit: A signal came.
    """
    found = signal.SIGINT

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal found
        found = signal.Signals(number)
        for child in active_children():
            child.terminate()
        raise Stopped

    handlers = {}
    if current_thread() is main_thread():  # only there may they be set
        handlers = {number: signal.signal(number, stop) for number in ASKED}
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write(f"stopped by {found.name}\n")
        sys.exit(SHELL + found)
    finally:
        for number, before in handlers.items():
            signal.signal(number, before)

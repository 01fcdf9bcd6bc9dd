"""Runs that are asked to end: by Ctrl-C, by ``kill``, by a terminal that is closed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import active_children
from types import FrameType

from sakd.foundation.signals import handled

SHELL = 128
"""The exit status of a command that a signal has ended is this plus the number of the signal."""


class Stopped(KeyboardInterrupt):
    """A signal has asked to end.

    Attributes:
        signal: The signal.
    """

    def __init__(self, number: int) -> None:
        """Note the ``number`` of the signal."""
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)


def reason(error: KeyboardInterrupt) -> signal.Signals:
    """Give the signal that has led to ``error``."""
    return error.signal if isinstance(error, Stopped) else signal.SIGINT


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """End on a signal as after Ctrl-C, with the exit status that shells give: 130, 143 or 129.

    Processes of a parallel run are asked to end too. Signals that are ignored, as SIGHUP under
    ``nohup``, stay ignored.

    Raises:
        SystemExit: A signal came.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        for child in active_children():
            child.terminate()
        raise Stopped(number)

    try:
        with handled(stop):
            yield
    except KeyboardInterrupt as error:
        sys.stderr.write(f"stopped by {reason(error).name}\n")
        sys.exit(SHELL + reason(error))

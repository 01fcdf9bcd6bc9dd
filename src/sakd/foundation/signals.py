"""Signals that ask a process to end, and work that must not be torn by them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, ``kill``, and a terminal that is closed."""


class _Work:
    """The work of the main thread that is not torn: how deep it is in it, and what came since."""

    depth = 0
    came: int | None = None


@contextmanager
def orderly() -> Iterator[None]:
    """Have `postponed` hold signals back within the context; others pass as before.

    It holds back those that Python handles: a signal without a handler ends the process at once, as
    the system does it. Only the main thread gets signals; in others nothing is done.
    """
    before = {}
    if current_thread() is main_thread():
        known = {number: signal.getsignal(number) for number in ENDING}
        before = {number: handler for number, handler in known.items() if callable(handler)}

    def pass_on(number: int, frame: FrameType | None) -> None:
        if not _Work.depth:
            before[signal.Signals(number)](number, frame)
        elif _Work.came is None:
            _Work.came = number

    try:
        for number in before:
            signal.signal(number, pass_on)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def postponed() -> Iterator[None]:
    """Let signals that ask to end wait for the end of the context, where the first is obeyed."""
    if current_thread() is not main_thread():
        yield
        return
    _Work.depth += 1
    try:
        yield
    finally:
        _Work.depth -= 1
        if not _Work.depth and _Work.came is not None:
            came, _Work.came = _Work.came, None
            signal.raise_signal(came)

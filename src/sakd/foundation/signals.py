"""Signals that ask a process to end, and work that must not be torn by them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, ``kill``, and a terminal that is closed."""

Handle = Callable[[int, FrameType | None], Any]

Handlers = Mapping[signal.Signals, Handle | int]


def heeded() -> Handlers:
    """Give the handlers of the signals in `ENDING` that are not ignored.

    ``nohup`` has SIGHUP ignored, and a shell without job control SIGINT for what runs in its
    background. Only the main thread gets signals: there are none in others.
    """
    if current_thread() is not main_thread():
        return {}
    known = ((number, signal.getsignal(number)) for number in ENDING)
    return {n: found for n, found in known if found is not None and found != signal.SIG_IGN}


@contextmanager
def handled(handle: Handle, instead: Handlers | None = None) -> Iterator[None]:
    """Call ``handle`` on signals that ask to end; put the handlers back at the end.

    Args:
        handle: The handler.
        instead: The handlers that it replaces; None for all that are `heeded`.
    """
    before = heeded() if instead is None else instead
    try:
        for number in before:
            signal.signal(number, handle)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
    before = {number: handle for number, handle in heeded().items() if callable(handle)}

    def pass_on(number: int, frame: FrameType | None) -> None:
        if not _Work.depth:
            before[signal.Signals(number)](number, frame)
        elif _Work.came is None:
            _Work.came = number

    with handled(pass_on, before):
        yield


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

"""Faults that a run meets from its beginning: each is called in its process, before it starts."""

from __future__ import annotations

import ctypes
import fcntl
import itertools
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Self

import torch

from sakd.distillers import DISTILLERS
from sakd.study import pack

Inside = Callable[[], None]

DAY = 86400.0

CAPABILITIES = 0x20080522, 0
"""The version of the system's call, and this process."""

GREED = 2**32
"""Bytes that a training of `short_of_memory` takes."""


def nothing() -> None:
    """Disturb nothing."""


def at_file(name: str, act: Inside, *, number: int = 1, within: str = "") -> Inside:
    """Act once, just before a file takes its place.

    Args:
        name: The file.
        act: What is done.
        number: Which of the files of this name it is, from 1.
        within: Only files whose paths have this in them count.
    """
    left = [number]

    def watch(event: str, details: tuple[object, ...]) -> None:
        if event == "os.rename" and left[0]:
            place = os.fsdecode(str(details[1]))
            left[0] -= place.endswith(f"/{name}") and within in place
            if not left[0]:
                act()

    return lambda: sys.addaudithook(watch)


def sending(number: signal.Signals) -> Inside:
    """Send a signal to this very process."""
    return lambda: os.kill(os.getpid(), number)


def no_files_above(limit: int) -> Inside:
    """Have the system refuse to write more than ``limit`` bytes to a file, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def no_locks(code: int) -> Inside:
    """Have the file system answer ``code`` to whoever locks a file."""

    def refuse(*_arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    def inside() -> None:
        fcntl.flock = refuse  # type: ignore[assignment]

    return inside


def jumping_clock() -> None:
    """Set the clock by days, forwards and backwards, whenever it is looked at."""
    now, jumps = time.time, itertools.cycle([0.0, 400 * DAY, -400 * DAY])
    time.time = lambda: now() + next(jumps)

    class Jumping(datetime):
        """Looks at this clock, too."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(time.time(), tz)

    for module in [*sys.modules.values()]:
        if module.__name__.startswith("sakd.") and vars(module).get("datetime") is datetime:
            vars(module)["datetime"] = Jumping


def as_anybody() -> None:
    """Obey the modes of files, also as root."""
    call = ctypes.CDLL(None, use_errno=True).capset
    none = (ctypes.c_uint32 * 6)()
    if os.geteuid() == 0 and call((ctypes.c_uint32 * 2)(*CAPABILITIES), none) != 0:
        raise OSError(ctypes.get_errno(), "cannot give up the rights of root")


def spoilt(distiller: str, value: float) -> Inside:
    """Add ``value`` to the losses of a ``distiller``, NaN or Inf."""

    def inside() -> None:
        kind: Any = DISTILLERS[distiller]
        losses = kind.losses
        kind.losses = lambda *arguments: losses(*arguments) + value

    return inside


def short_of_memory() -> None:
    """Limit the memory, and have every training take more than half of it."""
    train, taken = pack.train, int(Path("/proc/self/statm").read_text().split()[0])
    limit = taken * resource.getpagesize() + 3 * GREED // 2
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    def greedy(runs: Any, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - passed on
        held = torch.empty(len(runs) * GREED, dtype=torch.uint8)
        train(runs, *arguments, **options)
        del held

    pack.train = greedy

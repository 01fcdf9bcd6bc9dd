"""Faults that a run meets from its beginning: each is called in its process, before it starts."""

from __future__ import annotations

import ctypes
import fcntl
import itertools
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from sakd.study import pack

Inside = Callable[[], None]

DAY = 86400.0

CAPABILITIES = 0x20080522, 0
"""The version of the system's call, and this process."""

GREED = 2**32
"""Bytes that a training of `short_of_memory` takes."""


def nothing() -> None:
    """Disturb nothing."""


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


def as_anybody() -> None:
    """Obey the modes of files, also as root."""
    call = ctypes.CDLL(None, use_errno=True).capset
    none = (ctypes.c_uint32 * 6)()
    if os.geteuid() == 0 and call((ctypes.c_uint32 * 2)(*CAPABILITIES), none) != 0:
        raise OSError(ctypes.get_errno(), "cannot give up the rights of root")


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

"""How far trainings are that run at this moment, in files that other processes may read."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sakd.foundation.files import openable, write_json
from sakd.foundation.options import typed
from sakd.foundation.processes import process_runs

FAR = 1e11
"""A time in seconds that no clock tells, and no training takes."""

RUNNING = "running"
"""The folder of these files in a store of cells."""


@dataclass(frozen=True)
class Live:
    """A training that runs, as it was after an epoch.

    Attributes:
        id: The name of the training.
        row: The id of its row, or ``teachers``.
        epoch: The epochs that are finished.
        epochs: All epochs.
        record: The record of the last one, see `sakd.training.EpochRecord`; empty before the first.
        left: The seconds that are left, by the pace of this sitting; None before an epoch of it.
        process: The number of its process.
        host: The machine of this process.
        written: When this was written, in seconds since 1970.
        since: When this sitting began, likewise; 0 where that is not known.
    """

    id: str
    row: str
    epoch: int
    epochs: int
    record: Mapping[str, float] = field(default_factory=dict)
    left: float | None = None
    process: int = field(default_factory=os.getpid)
    host: str = field(default_factory=platform.node)
    written: float = field(default_factory=time.time)
    since: float = 0.0

    def write(self, path: Path) -> None:
        """Write it to ``path``, whole or not at all; nobody needs it after a loss of power."""
        write_json(path, asdict(self), lasting=False)

    @property
    def stopped(self) -> bool:
        """Tell whether its process is gone, as far as this machine can know."""
        return self.host == platform.node() and not process_runs(self.process)


def sweep(folder: Path) -> None:
    """Delete the files of trainings whose processes are gone: they were killed."""
    for path in folder.glob("*.json"):
        live = read_live(path)
        if live is not None and live.stopped:
            path.unlink(missing_ok=True)


def read_live(path: Path) -> Live | None:
    """Read a file; None if its training has ended meanwhile, or another version wrote it."""
    try:
        live = typed(Live, dict(json.loads(openable(path).read_text(encoding="utf-8"))))
    except (FileNotFoundError, TypeError, ValueError, RecursionError):
        return None
    times = (live.written, live.since, live.left or 0.0)
    return live if all(0 <= seconds < FAR for seconds in times) else None

"""A callback that writes how far a training is."""

from __future__ import annotations

import math
import time
from pathlib import Path

from sakd.study.bench import Bench
from sakd.study.evaluations import KEY_CHARACTERS
from sakd.study.live import RUNNING, Live
from sakd.study.trainings import Training
from sakd.training import Callback, Run

SECONDS = 1.0
"""The least time between two writings."""


def live_path(root: Path, name: str, key: str) -> Path:
    """Name the file of the training ``name`` with the content key ``key`` in the store ``root``."""
    return root / RUNNING / f"{name}-{key[:KEY_CHARACTERS]}.json"


class Beacon(Callback):
    """Writes how far a training is, at most once a second, to a file that goes when it ends."""

    def __init__(self, training: Training, bench: Bench) -> None:
        """Write for ``training`` into the store of ``bench``."""
        self.training = training
        self.path = live_path(bench.store.root, training.id, training.key)

    def on_start(self, run: Run) -> None:
        """Start the clock, and write."""
        self._started, self._since = time.monotonic(), time.time()
        self._before, self._written = len(run.history), -math.inf
        self.on_epoch(run)

    def on_epoch(self, run: Run) -> None:
        """Write if it is due."""
        now, done = time.monotonic(), len(run.history)
        if now - self._written < SECONDS:
            return
        self._written, trained = now, done - self._before
        pace = (now - self._started) / trained if trained else None
        left = None if pace is None else pace * (run.epochs - done)
        record = run.history[-1] if run.history else {}
        name, row = self.training.title, self.training.group
        Live(name, row, done, run.epochs, record, left, since=self._since).write(self.path)

    def clear(self) -> None:
        """Delete the file: the training runs no longer."""
        self.path.unlink(missing_ok=True)

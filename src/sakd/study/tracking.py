"""A callback that tells trackers of a training, and goes on without one that fails."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sakd.study.bench import Bench
from sakd.study.trackers import Tracked, Tracker
from sakd.study.trainings import Training
from sakd.training import Callback, Run

logger = logging.getLogger(__name__)


class Tracking(Callback):
    """Tells trackers of every epoch; the failure of one is logged, and ends none but itself."""

    def __init__(self, training: Training, bench: Bench) -> None:
        """Track ``training`` by the trackers of ``bench``."""
        self.training = training
        self.bench = bench
        self._trackers: list[Tracker] = []

    def on_start(self, run: Run) -> None:
        """Make the trackers."""
        folder, done = self.bench.entry(self.training).folder, len(run.history)
        tracked = Tracked(self.training.id, self.training.key, self.training.facts, folder, done)
        for kind in self.bench.trackers:
            self._attempt(kind, self._add, kind, tracked)

    def on_epoch(self, run: Run) -> None:
        """Hand the record of the epoch on."""
        record = dict(run.history[-1])
        for one in tuple(self._trackers):
            if not self._attempt(type(one), one.epoch, len(run.history), record):
                self._trackers.remove(one)

    def close(self) -> None:
        """End the trackers."""
        for one in self._trackers:
            self._attempt(type(one), one.close)
        self._trackers = []

    def _add(self, kind: type[Tracker], tracked: Tracked) -> None:
        self._trackers.append(kind(tracked))

    def _attempt(
        self, kind: type[Tracker], action: Callable[..., None], *arguments: object
    ) -> bool:
        """Call ``action``, a part of a tracker; tell whether it went well."""
        try:
            action(*arguments)
        except Exception as error:  # whatever it is, the training goes on
            words = "%s: %s failed and is left out from here on: %s: %s"
            logger.warning(words, self.training.title, kind.__name__, type(error).__name__, error)
            return False
        return True

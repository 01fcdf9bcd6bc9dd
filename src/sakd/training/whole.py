"""The progress of a whole run, over all groups of its trainings."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sakd.training.callback import Callback
from sakd.training.run import Run


@dataclass
class Whole:
    """The trainings of a run: how many there are, and how far they are.

    Attributes:
        total: The number of trainings, with those that were done before.
        teacher: The seconds that the training of a teacher was estimated to take.
        student: The seconds that one of a student was, as trainings side by side go.
        estimate: The seconds that all of them were.
        ended: The trainings that have ended, now or before.
        trained: How much of the estimate has been trained by this run, in seconds.
    """

    total: int
    teacher: float
    student: float
    estimate: float
    ended: int = 0
    trained: float = 0.0
    _started: float = field(default_factory=time.monotonic)

    def left(self) -> float | None:
        """Estimate the seconds that are left: by this run's own pace, once it has one."""
        if self.estimate <= 0:
            return None
        share = min(1.0, self.trained / self.estimate)
        if share == 0:
            return self.estimate
        return (time.monotonic() - self._started) / share * (1 - share)


class Share(Callback):
    """Counts the epochs of one training in the whole run."""

    def __init__(self, whole: Whole, cost: float) -> None:
        """Count for ``whole``; all epochs stand for ``cost`` seconds of its estimate."""
        self.whole = whole
        self.cost = cost

    def on_epoch(self, run: Run) -> None:
        """Count an epoch."""
        self.whole.trained += self.cost / run.epochs

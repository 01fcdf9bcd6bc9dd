"""The progress of a whole run, over all groups of its trainings."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Whole:
    """The trainings of a run: how many there are, and how far they are.

    Attributes:
        total: The number of trainings, with those that were done before.
        todo: The number of those that are left to do; one that is resumed counts in part.
        estimate: The seconds that these may take, as long as nothing better is known.
        ended: The trainings that have ended, now or before.
        trained: The training done by this run, in trainings: half a training is 0.5.
    """

    total: int
    todo: float
    estimate: float
    ended: int = 0
    trained: float = 0.0
    _started: float = field(default_factory=time.monotonic)

    def left(self) -> float | None:
        """Estimate the seconds that are left: by this run's own pace, once it has one."""
        if self.todo <= 0:
            return None
        share = min(1.0, self.trained / self.todo)
        if share == 0:
            return self.estimate
        return (time.monotonic() - self._started) / share * (1 - share)

"""When checkpoints of a training are written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sakd.study.recipe import Recipe
from sakd.training import Run

SHARE = 0.02
"""The largest part of the time in which checkpoints are written."""


class Cadence:
    """Tells when a checkpoint is due: by time, by steps, and where one of this step is missing."""

    def __init__(self, recipe: Recipe, among: int) -> None:
        """Follow the ``recipe`` of one ``among`` as many trainings that share the time."""
        self.recipe = recipe
        self.among = among
        self._took = 0.0
        self._last = time.monotonic()
        self._place = (0, 0)

    def begin(self, run: Run) -> None:
        """Note where ``run`` begins or goes on, for which no checkpoint is missing."""
        self._place = _place(run)

    def within(self, run: Run) -> bool:
        """Tell whether one is due after a step of ``run``."""
        steps = self.recipe.checkpoint_steps
        return bool(steps and run.taken % steps == 0) or (self._wait > 0 and self.after())

    def after(self) -> bool:
        """Tell whether one is due at the end of an epoch."""
        return time.monotonic() - self._last >= self._wait

    def missing(self, run: Run) -> bool:
        """Tell whether ``run`` has gone on since the last one."""
        return _place(run) != self._place

    @contextmanager
    def writing(self, run: Run) -> Iterator[None]:
        """Note that one of ``run`` is written within the context, and how long it takes."""
        started = time.monotonic()
        yield
        self._place, self._last = _place(run), time.monotonic()
        self._took = self._last - started

    @property
    def _wait(self) -> float:
        """The seconds from one to the next; 0 for no longer than an epoch."""
        shortest = self.recipe.checkpoint_seconds
        return shortest and max(shortest, self._took * self.among / SHARE)


def _place(run: Run) -> tuple[int, int]:
    return len(run.history), run.taken

"""A callback that writes checkpoints of what is trained before a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sakd.objectives import Objective
from sakd.study.recorder import Recorder
from sakd.training import Callback, Run

NAME = "pretraining"
"""The entry of a state that says what is trained beforehand."""


class Beforehand(Callback):
    """Writes checkpoints of a pretraining, from which `sakd.training.pretrain` can resume."""

    def __init__(self, name: str, objective: Objective, recorder: Recorder) -> None:
        """Write for the pretraining ``name`` of ``objective``, in place of ``recorder``."""
        self.name = name
        self.objective = objective
        self.recorder = recorder

    def on_start(self, run: Run) -> None:
        """Note where it begins or goes on."""
        self.recorder.cadence.begin(run)

    def on_step(self, run: Run) -> None:
        """Write a checkpoint if one is due within the epoch."""
        if self.recorder.cadence.within(run):
            self._write(run)

    def on_stop(self, run: Run) -> None:
        """Write a checkpoint, unless the last one is of this step."""
        if self.recorder.cadence.missing(run):
            self._write(run)

    def on_epoch(self, run: Run) -> None:
        """Write a checkpoint if one is due."""
        if self.recorder.cadence.after():
            self._write(run)

    def _write(self, run: Run) -> None:
        state: Mapping[str, Any] = {
            NAME: self.name,
            "objective": self.objective.progress(),
            "run": run.state(),
        }
        self.recorder.write(run, state)

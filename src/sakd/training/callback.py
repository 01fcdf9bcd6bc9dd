"""Observers of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sakd.training.run import Run


class Callback:
    """An observer of a training; its methods do nothing unless they are overridden."""

    def on_start(self, run: Run) -> None:
        """React before the first epoch, or after a resume."""

    def on_step(self, run: Run) -> None:
        """React after every update."""

    def on_stop(self, run: Run) -> None:
        """React to an interruption, with which the training ends between two steps."""

    def on_epoch(self, run: Run) -> None:
        """React after every epoch; the last entry of ``run.history`` is its record."""

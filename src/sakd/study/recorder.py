"""A callback that keeps what a training must not lose."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from sakd.data import DataCard
from sakd.foundation.machine import provenance
from sakd.study.store import Entry
from sakd.study.trainings import Training
from sakd.training import Callback, Run
from sakd.weights.saved import Weights, save_weights


@dataclass
class Recorder(Callback):
    """Keep the weights of the best epoch on validation, of the last epochs, and checkpoints.

    A resumed training runs the epochs since its last checkpoint again, with the same bits.

    Attributes:
        training: What is trained.
        entry: Its folder.
        card: Of the data.
        device: Where it is trained.
        before: Seconds of earlier sittings.
        checkpoint_at_start: Whether there is something to resume from before the first epoch.
    """

    training: Training
    entry: Entry
    card: DataCard
    device: str
    before: float = 0.0
    checkpoint_at_start: bool = False
    _best: tuple[int, dict[str, Tensor]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Start the clock."""
        self._started = self._checkpointed = time.monotonic()

    def seconds(self) -> float:
        """Seconds of training, over all sittings."""
        return time.monotonic() - self._started + self.before

    def on_start(self, run: Run) -> None:
        """Keep what was pretrained."""
        self._checkpointed = time.monotonic()
        if self.checkpoint_at_start:
            self._checkpoint(run)

    def on_epoch(self, run: Run) -> None:
        """Keep what this epoch calls for."""
        epoch, recipe = len(run.history), self.training.recipe
        if best_epoch(self.training, run.history) == epoch:
            self._best = (epoch, _copy(run))
        if epoch > run.epochs - recipe.keep_epochs:
            self._save(self.entry.epochs / f"{epoch:04d}.safetensors", run, epoch, _copy(run))
        due = time.monotonic() - self._checkpointed >= recipe.checkpoint_seconds
        if due or epoch == run.epochs:
            self._flush(run)

    def save_last(self, run: Run) -> None:
        """Keep the weights after the last epoch."""
        self._save(self.entry.last, run, len(run.history), run.objective.network.state_dict())

    def _flush(self, run: Run) -> None:
        if self._best is not None:
            epoch, state = self._best
            self._save(self.entry.best, run, epoch, state)
            self._best = None
        if len(run.history) < run.epochs:
            self._checkpoint(run)

    def _checkpoint(self, run: Run) -> None:
        own = {"key": self.training.key, "seconds": self.seconds()}
        self.entry.save_checkpoint(run.state() | own)
        self._checkpointed = time.monotonic()

    def _save(self, path: Path, run: Run, epoch: int, state: Mapping[str, Any]) -> None:
        card = {
            "network": self.training.network,
            "epoch": epoch,
            "metrics": run.history[epoch - 1],
            "seed": self.training.seed,
            "facts": self.training.facts,
            "data": self.card.to_json(),
            "provenance": provenance(self.device),
        }
        save_weights(Weights(state, card), path)


def best_epoch(training: Training, history: list[dict[str, float]]) -> int:
    """The epoch (from 1) that was best on validation, the first of equals."""
    task = training.task
    return task.best([record[f"val_{task.metric}"] for record in history]) + 1


def _copy(run: Run) -> dict[str, Tensor]:
    state = run.objective.network.state_dict()
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}

"""A callback that writes the weights and checkpoints of a training to its folder."""

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
        training: The training.
        entry: The folder of the training.
        card: The card of the data.
        device: The device of the training.
        before: Seconds of earlier sittings.
        checkpoint_at_start: Whether to write a checkpoint before the first epoch, too.
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
        """Count the seconds of training, over all sittings."""
        return time.monotonic() - self._started + self.before

    def on_start(self, run: Run) -> None:
        """Write a checkpoint if something was pretrained."""
        self._checkpointed = time.monotonic()
        if self.checkpoint_at_start:
            self._checkpoint(run)

    def on_epoch(self, run: Run) -> None:
        """Keep the weights if this epoch is the best or one of the last; write what is due."""
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
    """Find the epoch (from 1) that was best on validation, the first of equals."""
    task = training.task
    return task.best([record[f"val_{task.metric}"] for record in history]) + 1


def _copy(run: Run) -> dict[str, Tensor]:
    state = run.objective.network.state_dict()
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}

"""A callback that keeps what a training must not lose."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from sakd.training.fit import Callback, Run

State = dict[str, Tensor]


class Sink(Protocol):
    """Where the recorder puts things."""

    def save_epoch(self, epoch: int, state: State) -> None:
        """Keep the weights after ``epoch``."""

    def save_best(self, epoch: int, state: State) -> None:
        """Keep the weights of the best epoch so far."""

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Keep the state to resume from."""


class Recorder(Callback):
    """Keep the weights of the best epoch on validation, of the last epochs, and checkpoints.

    A resumed training runs the epochs since its last checkpoint again, with the same bits.
    """

    def __init__(
        self, sink: Sink, *, keep_epochs: int, checkpoint_seconds: float, metric: str = "val_top1"
    ) -> None:
        """Write to ``sink``.

        Args:
            sink: see `Sink`.
            keep_epochs: the weights of that many epochs, up to the last, are kept.
            checkpoint_seconds: shortest time between two checkpoints.
            metric: of the history, by which the best epoch is chosen (higher is better).
        """
        self.sink = sink
        self.keep_epochs = keep_epochs
        self.checkpoint_seconds = checkpoint_seconds
        self.metric = metric
        self._best: tuple[int, State] | None = None
        self._checkpointed = time.monotonic()

    def on_epoch(self, run: Run) -> None:
        """Keep what this epoch calls for."""
        epoch = len(run.history)
        if best_epoch(run.history, self.metric) == epoch:
            self._best = (epoch, _copy(run.objective.network.state_dict()))
        if epoch > run.epochs - self.keep_epochs:
            self.sink.save_epoch(epoch, _copy(run.objective.network.state_dict()))
        due = time.monotonic() - self._checkpointed >= self.checkpoint_seconds
        if due or epoch == run.epochs:
            self._flush(run)

    def _flush(self, run: Run) -> None:
        if self._best is not None:
            self.sink.save_best(*self._best)
            self._best = None
        if len(run.history) < run.epochs:
            self.sink.save_checkpoint(run.state())
        self._checkpointed = time.monotonic()


def best_epoch(history: list[dict[str, float]], metric: str) -> int:
    """The epoch (from 1) with the highest ``metric``, the first of equals."""
    values = [record[metric] for record in history]
    return values.index(max(values)) + 1


def _copy(state: Mapping[str, Tensor]) -> State:
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}

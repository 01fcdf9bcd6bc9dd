"""A callback that writes the weights and checkpoints of a training to its folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from sakd.foundation.vocabulary import DONE
from sakd.study.bench import Bench
from sakd.study.cadence import Cadence
from sakd.study.further import keep_further
from sakd.study.trainings import Training
from sakd.training import Callback, Run
from sakd.training.average import Average
from sakd.training.tally import Tally
from sakd.weights.saved import Weights, save_weights


@dataclass
class Recorder(Callback):
    """Keep the weights of the best epoch on validation, of the last epochs, and checkpoints.

    A resumed training takes the steps since its last checkpoint again, with the same bits. After
    the last epoch the record is written, and the training is done.

    Attributes:
        training: The training.
        bench: The place where it runs.
        before: Seconds of earlier sittings.
        among: The number of trainings that share the time with it.
        tally: The decisions on every image, if any are counted.
        average: The running average of the weights, if one is kept.
    """

    training: Training
    bench: Bench
    before: float = 0.0
    among: int = 1
    tally: Tally | None = None
    average: Average | None = None
    _best: tuple[int, dict[str, Tensor]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Start the clock."""
        self.entry = self.bench.entry(self.training)
        self.cadence = Cadence(self.training.recipe, self.among)
        self._started = time.monotonic()

    def seconds(self) -> float:
        """Count the seconds of training, over all sittings."""
        return time.monotonic() - self._started + self.before

    def on_start(self, run: Run) -> None:
        """Note where the training begins or goes on."""
        self.cadence.begin(run)

    def on_step(self, run: Run) -> None:
        """Write a checkpoint if one is due within the epoch."""
        if self.cadence.within(run):
            self._flush(run)

    def on_stop(self, run: Run) -> None:
        """Write a checkpoint, unless the last one is of this step."""
        if self.cadence.missing(run):
            self._flush(run)

    def on_epoch(self, run: Run) -> None:
        """Keep the weights if this epoch is the best or one of the last; write what is due."""
        epoch, recipe = len(run.history), self.training.recipe
        if best_epoch(self.training, run.history) == epoch:
            self._best = (epoch, _copy(run))
        if epoch > run.epochs - recipe.keep_epochs or epoch in self.training.keep:
            self._save(self.entry.after(epoch), run, epoch, _copy(run))
        if self.cadence.after() or epoch == run.epochs:
            self._flush(run)
        if epoch == run.epochs:
            self._finish(run)

    def checkpoint(self, run: Run) -> None:
        """Write the state from which the training can resume."""
        if run.history:
            self.entry.save_history(run.history)
        followers = {"tally": self.tally, "average": self.average}
        states = {name: one.state() for name, one in followers.items() if one is not None}
        self.write(run, run.state() | states)

    def write(self, run: Run, state: Mapping[str, Any]) -> None:
        """Write the ``state`` of ``run``, which is the training or comes before it."""
        own = {"key": self.training.key, "seconds": self.seconds()}
        with self.cadence.writing(run):
            self.entry.checkpoints.write({**state, **own})

    def _finish(self, run: Run) -> None:
        self._save(self.entry.last, run, len(run.history), run.objective.network.state_dict())
        keep_further(run.objective, self.entry)
        if self.average is not None:
            weights = self.average.network.state_dict()
            self._save(self.entry.average, run, len(run.history), weights)
        done = replace(
            self.bench.record(self.training),
            status=DONE,
            epochs=len(run.history),
            val_metric=run.history[-1][f"val_{self.training.task.metric}"],
            best_epoch=best_epoch(self.training, run.history),
            seconds=self.seconds(),
        )
        if self.tally is not None:
            self.entry.save_routing(self.tally.frame(self.training.images.labels.cpu()))
        self.entry.finish(done, run.history)

    def _flush(self, run: Run) -> None:
        if self._best is not None:
            epoch, state = self._best
            self._save(self.entry.best, run, epoch, state)
            self._best = None
        if len(run.history) < run.epochs:
            self.checkpoint(run)

    def _save(self, path: Path, run: Run, epoch: int, state: Mapping[str, Any]) -> None:
        card = {
            "network": self.training.network,
            "epoch": epoch,
            "metrics": run.history[epoch - 1],
            "seed": self.training.seed,
            "facts": self.training.facts,
            "data": self.bench.val_of(self.training).card.to_json(),
            "provenance": self.bench.record(self.training).provenance,
        }
        save_weights(Weights(state, card), path)


def best_epoch(training: Training, history: list[dict[str, float]]) -> int:
    """Find the epoch (from 1) that was best on validation, the first of equals."""
    task = training.task
    return task.best([record[f"val_{task.metric}"] for record in history]) + 1


def _copy(run: Run) -> dict[str, Tensor]:
    state = run.objective.network.state_dict()
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}

"""The training loop. There is one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sakd.data import BatchStream
from sakd.foundation.errors import UserError, require
from sakd.objectives import Objective
from sakd.training.optimisation import Optimisation, Player, complete

EpochRecord = dict[str, float]
"""One epoch: ``epoch`` (from 1), the mean of every term, and what ``evaluate`` measured."""


class Run:
    """The state of one training; what a callback sees and a checkpoint holds."""

    def __init__(
        self,
        objective: Objective,
        optimisation: Mapping[str, Optimisation],
        epochs: int,
        steps: int,
    ) -> None:
        """Give every player of ``objective`` its optimiser."""
        self.objective = objective
        self.epochs = epochs
        self.steps = steps
        self.history: list[EpochRecord] = []
        self.players = {
            name: Player(parameters, optimisation[name], epochs)
            for name, parameters in objective.players().items()
        }

    def step(self, losses: Mapping[str, Tensor]) -> None:
        """Update every player by its own loss; all gradients are taken before any update."""
        gradients = {name: self.players[name].gradients(loss) for name, loss in losses.items()}
        for name, gradient in gradients.items():
            self.players[name].update(gradient)

    def state(self) -> dict[str, Any]:
        """All that is needed to continue after the last finished epoch, bit for bit."""
        return {
            "objective": self.objective.progress(),
            "players": {name: player.state() for name, player in self.players.items()},
            "history": self.history,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`."""
        self.objective.restore(state["objective"])
        for name, player in self.players.items():
            player.restore(state["players"][name])
        self.history = list(state["history"])


class Callback:
    """Something that watches a training. Override what you need."""

    def on_start(self, run: Run) -> None:
        """Before the first epoch, after a resume."""

    def on_step(self, run: Run) -> None:
        """After every update."""

    def on_epoch(self, run: Run) -> None:
        """After every epoch; the last entry of ``run.history`` is its record."""


@torch.random.fork_rng()
def fit(
    objective: Objective,
    stream: BatchStream,
    *,
    epochs: int,
    optimisation: Mapping[str, Optimisation] | None = None,
    evaluate: Callable[[nn.Module], Mapping[str, float]] = lambda _network: {},
    callbacks: Iterable[Callback] = (),
    resume: Mapping[str, Any] | None = None,
) -> list[EpochRecord]:
    """Train every player of ``objective`` on ``stream``.

    Torch's global random state, which dropout draws from, follows the stream's seed too and is put
    back in the end.

    Args:
        objective: networks and losses.
        stream: the batches of every epoch.
        epochs: how many.
        optimisation: by player; see `sakd.training.optimisation.complete`.
        evaluate: measures the objective's network after every epoch.
        callbacks: watch the training.
        resume: a `Run.state` to continue from.

    Returns:
        One record per epoch.

    Raises:
        UserError: a loss is no longer finite, `sakd.training.pretrain` has yet to be called, or
            ``optimisation`` is of a player that there is not.
    """
    run = Run(objective, complete(optimisation or {}, objective.players()), epochs, len(stream))
    if resume is not None:
        run.restore(resume)
    waiting = ", ".join(objective.pretrainings())
    require(
        not waiting, f"{waiting}: not pretrained; call sakd.training.pretrain(objective, stream)"
    )
    watching = tuple(callbacks)
    for callback in watching:
        callback.on_start(run)
    for epoch in range(len(run.history), epochs):
        objective.train()
        means = Means()
        for batch in stream.epoch(epoch):
            torch.manual_seed(batch.seed)  # for dropout and its like
            result = objective(batch)
            run.step(result.losses)
            means.add(result.terms, len(batch.labels))
            for callback in watching:
                callback.on_step(run)
        for player in run.players.values():
            player.schedule.step()
        terms = means.take(epoch + 1)
        run.history.append({"epoch": epoch + 1, **terms, **evaluate(objective.network)})
        for callback in watching:
            callback.on_epoch(run)
    return run.history


class Means:
    """Running means of terms over an epoch, weighed by batch size; one sync at the end."""

    def __init__(self) -> None:
        """Start empty."""
        self.sums: dict[str, Tensor] = {}
        self.count = 0

    def add(self, terms: Mapping[str, Tensor], size: int) -> None:
        """Add scalars of a batch of ``size`` samples."""
        self.count += size
        for name, value in terms.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * size

    def take(self, epoch: int) -> dict[str, float]:
        """The means.

        Raises:
            UserError: one of them is not finite.
        """
        means = {name: float(total) / self.count for name, total in self.sums.items()}
        for name, value in means.items():
            if not math.isfinite(value):
                raise UserError(f"{name} is {value} in epoch {epoch}: lower the learning rate")
        return means

"""One training: its objective, its step, and its state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from sakd.data import Batch, BatchStream
from sakd.foundation.errors import require
from sakd.foundation.randomness import reseed
from sakd.foundation.signals import postponed
from sakd.objectives import Objective, Optimisation, Outputs, spans
from sakd.training.callback import Callback
from sakd.training.means import Means, Names
from sakd.training.measuring import Evaluate, measures
from sakd.training.optimisation import Updates, check_recipes, gradients
from sakd.training.options import EpochRecord
from sakd.training.precision import EXACT, Precision
from sakd.training.resuming import check_tensors, foreign_states, phase_of


class Run:
    """The state of one training; `sakd.training.train` drives it.

    Attributes:
        phase: The number of the present phase of the objective, from 0.
        spans: The epochs of each phase, counted from 0.
        players: The optimisers of the present phase, by player.
        history: One record per finished epoch.
        steps: Steps of an epoch; 0 until the training starts.
        taken: Steps of the present epoch that have been taken.
        failure: The error that ended the training, or None.
        name: What messages call it: the class of its objective, until it is given another name.
    """

    def __init__(
        self,
        objective: Objective,
        *,
        epochs: int,
        optimisation: Mapping[str, Optimisation] | None = None,
        evaluate: Evaluate = lambda _network: {},
        callbacks: Iterable[Callback] = (),
        precision: Precision = EXACT,
        resume: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare to train every player of ``objective``.

        Args:
            objective: The networks and losses.
            epochs: Passes over the training images.
            optimisation: Recipes by player, where they differ from the players' own.
            evaluate: Measures the networks of the objective after every epoch.
            callbacks: Observers of the training.
            precision: The precision of the forward passes.
            resume: A `state` to continue from; None to start afresh.

        Raises:
            UserError: A recipe is given for an unknown player, or there are fewer epochs than the
                phases of the objective need.
        """
        self.objective = objective
        self.epochs = epochs
        self.evaluate = evaluate
        self.callbacks = tuple(callbacks)
        self.precision = precision
        self.name = type(objective).__name__
        self.steps = 0
        self.history: list[EpochRecord] = []
        self.failure: Exception | None = None
        self.spans = spans(objective.phases(), epochs)
        self._recipes = optimisation or {}
        self.taken = 0
        self._resumed: Mapping[str, Tensor] | None = None  # until its epoch goes on
        known: set[str] = set()
        for phase in range(1, len(self.spans)):
            objective.enter(phase)
            known |= objective.players().keys()
        self.enter(0)
        check_recipes(self._recipes, known | self.players.keys())
        if resume is not None:
            self.restore(resume)

    @property
    def uniform(self) -> bool:
        """Whether all steps do the same operations, at the same learning rates."""
        by_step = any(player.recipe.by_step for player in self.players.values())
        return self.objective.uniform and not by_step

    def attempt(self, action: Callable[..., None], *arguments: object) -> None:
        """Call ``action``, a part of this run, unless the run has failed."""
        if self.failure is not None:
            return
        try:
            action(*arguments)
        except Exception as error:  # whatever it is, it is the failure of this run alone
            self.failure = error

    def takes_part(self, epoch: int) -> bool:
        """Tell whether ``epoch``, counted from 0, is the next of this run."""
        return self.failure is None and len(self.history) == epoch < self.epochs

    def start(self, steps: int) -> None:
        """Begin, with ``steps`` steps an epoch.

        Raises:
            UserError: Something must be pretrained first, or it goes on in an epoch of fewer steps.
        """
        waiting = ", ".join(self.objective.pretrainings())
        require(
            not waiting,
            f"{waiting}: not pretrained; call sakd.training.pretrain(objective, stream)",
        )
        found = f"the state is of step {self.taken} of an epoch, which has {steps} steps here"
        require(self.taken <= steps, f"{found}: take the images and the batch size of then")
        self.precision.lay_out(self.objective)
        self.steps = steps
        for callback in self.callbacks:
            callback.on_start(self)

    def enter(self, phase: int) -> None:
        """Begin the ``phase``, counted from 0, with fresh optimisers."""
        self.phase = phase
        self.objective.enter(phase)
        epochs = len(self.spans[phase])
        self.players = {
            name: Updates(player.with_recipe(name, self._recipes), epochs)
            for name, player in self.objective.players().items()
        }
        self.objective.watch({name: player.optimiser for name, player in self.players.items()})
        self._means = Means()
        # The size of an arranged batch and the terms of its step, by the size of the batch.
        self._learnt: dict[int, tuple[int, Names]] = {}

    def begin_epoch(self, stream: BatchStream) -> None:
        """Enter the phase of the next epoch of ``stream``; let the objective prepare for it.

        Where it goes on in the middle of an epoch, the objective stays as it was there.
        """
        with postponed():
            if (phase := self._phase_of(len(self.history))) != self.phase:
                self.enter(phase)
        self.objective.train()
        with self.precision.applied(torch.device(stream.device)):
            self.objective.begin_epoch(len(self.history), self.epochs, stream)
        if self._resumed is not None:
            self.objective.restore(self._resumed)
            self._resumed = None

    def step(self, batch: Batch, teacher: Outputs | None = None) -> None:
        """Let every player learn from ``batch``.

        Args:
            batch: The images and their labels.
            teacher: The answer to the objective's request; None to let the objective compute it.
        """
        reseed(batch.seed, batch.images.device)  # for dropout and its like
        self.learn(batch, teacher)
        self.advance(len(batch.labels))

    def learn(self, batch: Batch, teacher: Outputs | None = None) -> None:
        """Do the part of `step` that is work of the device alone, which a graph can repeat."""
        arranged = self.precision.arranged(self.objective, batch)
        if teacher is not None and arranged is not batch:
            raise TypeError(
                f"{type(self.objective).__name__} learns from other images than its teacher was "
                "shown: an objective that arranges batches has no request()"
            )
        epoch = len(self.history) - self.spans[self.phase].start
        for player in self.players.values():
            player.place(epoch, self.taken, self.steps)
        device = batch.images.device
        with self.precision.products(device):
            with self.precision.applied(device):
                result = self.objective(arranged, teacher)
            self.update(result.losses)
        self.objective.updated()
        size = len(arranged.labels)
        self._means.add(result.terms, size)
        self._learnt[len(batch.labels)] = size, tuple(result.terms)

    def advance(self, size: int) -> None:
        """Do the rest of a `step` on ``size`` images: count what was learnt, call the observers."""
        self.taken += 1
        self._means.count(*self._learnt[size], self.taken)
        for callback in self.callbacks:
            callback.on_step(self)

    def update(self, losses: Mapping[str, Tensor]) -> None:
        """Update every player by its own loss, a scalar; take all gradients before any update."""
        for name, gradient in gradients(losses, self.players, self.objective.overlap).items():
            self.players[name].update(gradient)

    def end_epoch(self) -> None:
        """Record the epoch and measure the networks.

        Raises:
            UserError: A term is no longer finite.
        """
        epoch = len(self.history) + 1
        terms = self._means.take(epoch)
        with self.precision.compiling():
            measured = measures(self.objective, self.evaluate)
        with postponed():
            for player in self.players.values():
                player.end_epoch()
            self.history.append({"epoch": epoch, **terms, **measured})
            self.taken = 0
            self._means.clear()
            for callback in self.callbacks:
                callback.on_epoch(self)

    def stop(self) -> None:
        """Call the observers, for an interruption has come between two steps."""
        for callback in self.callbacks:
            callback.on_stop(self)

    def state(self) -> dict[str, Any]:
        """Give all that is needed to continue after the last step, bit for bit, until the next."""
        return {
            "objective": self.objective.progress(),
            "players": {name: player.state() for name, player in self.players.items()},
            "history": self.history,
            "phase": self.phase,
            "taken": self.taken,
            "means": self._means.state(),
        }

    @foreign_states()
    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`; one with no more than earlier versions gave ends an epoch.

        Raises:
            StateError: No such run can have left it.
        """
        self.enter(phase_of(state, self.spans))
        self.history = list(state["history"])
        check_tensors(state["objective"], self.objective.state_dict())
        self.objective.restore(state["objective"])
        for name, player in self.players.items():
            player.restore(state["players"][name])
        self._means.restore(state.get("means", ()), next(self.objective.parameters()).device)
        self.taken = state.get("taken", 0)
        self._resumed = state["objective"] if self.taken else None

    def _phase_of(self, epoch: int) -> int:
        return next(phase for phase, span in enumerate(self.spans) if epoch in span)

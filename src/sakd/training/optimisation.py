"""Update the parameters of a player by its optimiser and schedule."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from sakd.foundation.errors import require
from sakd.objectives import Player
from sakd.objectives.branches import IN_LINE, Branches
from sakd.training.resuming import check_optimiser


class Updates:
    """The optimiser and the schedule of one player.

    Attributes:
        recipe: How the parameters are updated.
        epochs: The epochs of the schedule.
        parameters: The parameters.
        optimiser: The optimiser, which holds the present learning rate.
        ended: The epochs that have ended.
    """

    def __init__(self, player: Player, epochs: int) -> None:
        """Train the parameters of ``player`` for ``epochs`` epochs."""
        self.recipe = recipe = player.optimisation
        self.epochs = epochs
        self.parameters = player.parameters
        self.optimiser = recipe.optimiser(player.parameters)
        self.ended = 0
        self._fall()

    @property
    def rates(self) -> tuple[float, ...]:
        """The present learning rates."""
        return tuple(group["lr"] for group in self.optimiser.param_groups)

    @property
    def falls(self) -> list[int]:
        """The numbers of epochs after which the rate falls, of a recipe with milestones.

        The rate never falls before the first epoch, however few the epochs are.
        """
        return [max(1, round(fraction * self.epochs)) for fraction in self.recipe.milestones]

    def place(self, epoch: int, step: int, steps: int) -> None:
        """Set the rate of a ``step`` of ``steps`` in ``epoch``, both from 0, if steps differ."""
        if not self.recipe.by_step:
            return
        recipe, at = self.recipe, epoch * steps + step
        if recipe.schedule == "cosine":
            rate = recipe.rate(at, self.epochs * steps)
        else:
            rate = recipe.lr * recipe.decay ** sum(fall <= epoch for fall in self.falls)
        if at + 1 < (warm := recipe.warmup_epochs * steps):
            rate *= (at + 1) / warm
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def end_epoch(self) -> None:
        """Let the rate fall where the epoch that ends is a milestone, even if it had no update."""
        self.ended += 1
        self._fall()

    def _fall(self) -> None:
        if self.recipe.by_step:
            return
        for group in self.optimiser.param_groups:
            group["lr"] *= self.recipe.decay ** self.falls.count(self.ended)

    def update(self, gradients: Sequence[Tensor | None]) -> None:
        """Take one step of the optimiser."""
        if self.recipe.clip is not None:
            gradients = clipped(gradients, self.recipe.clip)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimiser.step()
        self.optimiser.zero_grad()

    def state(self) -> dict[str, Any]:
        """Give the state that `restore` takes."""
        return {"optimiser": self.optimiser.state_dict(), "ended": self.ended}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`; earlier versions named the epochs in that of a schedule.

        Raises:
            UserError: An optimiser like this one cannot have left it.
        """
        check_optimiser(state["optimiser"], self.optimiser)
        self.optimiser.load_state_dict(state["optimiser"])
        self.ended = state["ended"] if "ended" in state else state["schedule"]["last_epoch"]


def clipped(gradients: Sequence[Tensor | None], most: float) -> Sequence[Tensor | None]:
    """Scale ``gradients`` so that the norm of all of them together is at most ``most``."""
    norms = [torch.linalg.vector_norm(each) for each in gradients if each is not None]
    if not norms:
        return gradients
    norm = torch.linalg.vector_norm(torch.stack(norms))
    factor = (most / (norm + 1e-12)).clamp(max=1)
    return [None if each is None else each * factor for each in gradients]


def gradients(
    losses: Mapping[str, Tensor], players: Mapping[str, Updates], branches: Branches = IN_LINE
) -> dict[str, Sequence[Tensor | None]]:
    """Compute the gradient of each player's loss, a scalar, by its parameters.

    Players that have one loss together, the same tensor, cost one backward pass. That of a player
    goes along the branch of its name, if there is one among ``branches``, which are joined.
    """
    together: dict[int, list[str]] = {}
    for name, loss in losses.items():
        together.setdefault(id(loss), []).append(name)
    found: dict[str, Sequence[Tensor | None]] = {}
    for names in together.values():
        parameters = [p for name in names for p in players[name].parameters]
        with branches.along(names[0]):
            grads = iter(torch.autograd.grad(losses[names[0]], parameters, allow_unused=True))
        found |= {name: list(islice(grads, len(players[name].parameters))) for name in names}
    branches.join()
    return found


def check_recipes(given: Iterable[str], known: Collection[str]) -> None:
    """Check that the players for whom recipes are ``given`` are ``known``.

    Raises:
        UserError: One of them is not.
    """
    for name in given:
        require(
            name in known,
            f"there is no player {name!r} to optimise; known: {', '.join(sorted(known))}",
        )

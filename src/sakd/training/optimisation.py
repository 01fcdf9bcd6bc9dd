"""Update the parameters of a player by its optimiser and schedule."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from sakd.foundation.errors import require
from sakd.objectives import Optimisation, Player


class Updates:
    """The optimiser and the schedule of one player."""

    def __init__(self, player: Player, epochs: int) -> None:
        """Train the parameters of ``player`` for ``epochs`` epochs."""
        recipe = player.optimisation
        self.parameters = player.parameters
        self.optimiser = recipe.optimiser(player.parameters)
        self.schedule = torch.optim.lr_scheduler.MultiStepLR(
            self.optimiser,
            milestones=[round(fraction * epochs) for fraction in recipe.milestones],
            gamma=recipe.decay,
        )

    @property
    def rates(self) -> tuple[float, ...]:
        """The present learning rates."""
        return tuple(group["lr"] for group in self.optimiser.param_groups)

    def gradients(self, loss: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the gradient of the player's ``loss``, a scalar, by its parameters."""
        return torch.autograd.grad(loss, self.parameters, allow_unused=True)

    def update(self, gradients: tuple[Tensor | None, ...]) -> None:
        """Take one step of the optimiser."""
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimiser.step()
        self.optimiser.zero_grad()

    def state(self) -> dict[str, Any]:
        """Give the state that `restore` takes."""
        return {"optimiser": self.optimiser.state_dict(), "schedule": self.schedule.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`."""
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])


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


def with_recipes(
    players: Mapping[str, Player], given: Mapping[str, Optimisation]
) -> dict[str, Player]:
    """Give the ``players`` the recipes that are ``given`` for them; the others keep their own."""
    return {
        name: player._replace(optimisation=given.get(name, player.optimisation))
        for name, player in players.items()
    }

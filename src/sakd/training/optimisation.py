"""How parameters are updated."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sakd.foundation.errors import require, require_not_negative, require_positive


@dataclass(frozen=True)
class Optimisation:
    """SGD with momentum and a learning rate that falls at milestones; defaults of arXiv:2205.02399.

    Attributes:
        lr: initial learning rate.
        momentum: without Nesterov.
        weight_decay: L2 penalty, on every parameter.
        milestones: fractions of the epochs after which the rate falls (150/180/210 of 240).
        decay: factor of the rate at each milestone.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    milestones: tuple[float, ...] = (0.625, 0.75, 0.875)
    decay: float = 0.1

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        require_positive(lr=self.lr, decay=self.decay)
        require(0 <= self.momentum < 1, f"momentum must be in [0, 1), got {self.momentum}")
        require_not_negative(weight_decay=self.weight_decay)
        fine = all(0 < milestone <= 1 for milestone in self.milestones)
        require(fine, f"milestones are fractions of the epochs in (0, 1], got {self.milestones}")


PUBLISHED = {"student": Optimisation(), "router": Optimisation(lr=0.025, weight_decay=1e-3)}
"""How arXiv:2205.02399 trains its two players on CIFAR-100."""


def complete(
    given: Mapping[str, Optimisation], players: Collection[str]
) -> dict[str, Optimisation]:
    """The optimisation of all ``players``: what is ``given``, or as published, or the default.

    Raises:
        UserError: some is given for a player that is neither among them nor a published one.
    """
    for name in given:
        known = name in players or name in PUBLISHED
        require(known, f"there is no player {name!r} to optimise; known: {', '.join(players)}")
    return {name: given.get(name, PUBLISHED.get(name, Optimisation())) for name in players}


class Player:
    """A group of parameters with its own loss, optimiser and schedule."""

    def __init__(
        self, parameters: list[nn.Parameter], optimisation: Optimisation, epochs: int
    ) -> None:
        """Train ``parameters`` for ``epochs`` epochs."""
        self.parameters = parameters
        self.optimiser = torch.optim.SGD(
            parameters,
            lr=optimisation.lr,
            momentum=optimisation.momentum,
            weight_decay=optimisation.weight_decay,
        )
        self.schedule = torch.optim.lr_scheduler.MultiStepLR(
            self.optimiser,
            milestones=[round(fraction * epochs) for fraction in optimisation.milestones],
            gamma=optimisation.decay,
        )

    def gradients(self, loss: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of the player's own loss with respect to its own parameters."""
        return torch.autograd.grad(loss, self.parameters, allow_unused=True)

    def update(self, gradients: tuple[Tensor | None, ...]) -> None:
        """One step of the optimiser."""
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimiser.step()
        self.optimiser.zero_grad()

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"optimiser": self.optimiser.state_dict(), "schedule": self.schedule.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`."""
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])

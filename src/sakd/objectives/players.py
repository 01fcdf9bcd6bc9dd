"""Players: groups of parameters, each trained by its own loss in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import nn

from sakd.foundation.errors import require, require_not_negative, require_positive


@dataclass(frozen=True)
class Optimisation:
    """SGD with momentum and a learning rate that falls at milestones; defaults of arXiv:2205.02399.

    Attributes:
        lr: Initial learning rate.
        momentum: Momentum, without Nesterov.
        weight_decay: L2 penalty on every parameter.
        milestones: Fractions of the epochs after which the rate falls (150/180/210 of 240).
        decay: Factor of the rate at each milestone.
    """

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

    def optimiser(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Make the optimiser of ``parameters``."""
        return torch.optim.SGD(
            parameters, lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay
        )


class Player(NamedTuple):
    """Parameters with a loss of their own.

    Attributes:
        parameters: The parameters.
        optimisation: How they are updated, unless a training brings a recipe for them.
        like: The player whose recipe they take in place of ``optimisation``, where a training
            brings one for that player and none for this one.
        lr_factor: Their learning rate as a multiple of that of the player ``like``.
        decay_factor: Their weight decay likewise.
    """

    parameters: list[nn.Parameter]
    optimisation: Optimisation = Optimisation()
    like: str | None = None
    lr_factor: float = 1.0
    decay_factor: float = 1.0

    @classmethod
    def of(cls, *modules: nn.Module) -> Player:
        """Make a player of all parameters of ``modules`` that are not frozen, each once."""
        parameters = {id(p): p for module in modules for p in module.parameters()}
        return cls([p for p in parameters.values() if p.requires_grad])

    def with_recipe(self, name: str, given: Mapping[str, Optimisation]) -> Player:
        """Give the player called ``name`` the recipe that is ``given`` for it, if there is one."""
        if name in given:
            return self._replace(optimisation=given[name])
        if self.like is None or self.like not in given:
            return self
        recipe = given[self.like]
        rate, decay = recipe.lr * self.lr_factor, recipe.weight_decay * self.decay_factor
        return self._replace(optimisation=replace(recipe, lr=rate, weight_decay=decay))

"""Players: groups of parameters, each trained by its own loss in its own way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import torch
from torch import nn

from sakd.foundation.errors import require, require_not_negative, require_positive
from sakd.foundation.keys import added
from sakd.objectives.adaptive_moments import Adam

MEMORY = 0.999
"""The decay of the mean of squared gradients in Adam."""


@dataclass(frozen=True)
class Optimisation:
    """An optimiser and its learning rates; the defaults are SGD as in arXiv:2205.02399.

    With the schedule ``cosine`` the rate falls in every step instead, to 0 at the end of each of
    ``cycles`` equal parts of the training: lr / 2 (1 + cos(pi t / n)) in step t of n, from 0.
    During a warm-up over n steps the rate of step t, from 0, is multiplied by (t + 1) / n.

    Attributes:
        lr: Initial learning rate.
        momentum: Momentum; of Adam the decay of the mean of gradients.
        weight_decay: L2 penalty on every parameter; with ``adamw`` decay apart from the gradients.
        milestones: Fractions of the epochs after which the rate falls (150/180/210 of 240).
        decay: Factor of the rate at each milestone.
        schedule: How the rate falls: at ``milestones``, or by a ``cosine``.
        cycles: The number of cosines.
        method: The optimiser.
        nesterov: Whether the momentum of SGD is Nesterov's.
        warmup_epochs: The epochs of the warm-up; of every phase of a training.
        clip: The largest norm of a player's gradient, which is scaled down to it; None for any.
    """

    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    milestones: tuple[float, ...] = (0.625, 0.75, 0.875)
    decay: float = 0.1
    schedule: Literal["milestones", "cosine"] = added("milestones")
    cycles: int = added(1)
    method: Literal["sgd", "adam", "adamw"] = added("sgd")
    nesterov: bool = added(False)
    warmup_epochs: float = added(0.0)
    clip: float | None = added(None)

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        require_positive(lr=self.lr, decay=self.decay)
        require(0 <= self.momentum < 1, f"momentum must be in [0, 1), got {self.momentum}")
        require_not_negative(weight_decay=self.weight_decay)
        fine = all(0 < milestone <= 1 for milestone in self.milestones)
        require(fine, f"milestones are fractions of the epochs in (0, 1], got {self.milestones}")
        require(self.cycles >= 1, f"cycles must be 1 or more, got {self.cycles}")
        require(
            self.cycles == 1 or self.schedule == "cosine",
            f"cycles {self.cycles}: the schedule {self.schedule!r} has none; take 'cosine'",
        )
        require(
            not self.nesterov or (self.method == "sgd" and self.momentum > 0),
            f"nesterov: {self.method!r} with momentum {self.momentum} has none; take 'sgd' with "
            "momentum above 0",
        )
        require_not_negative(warmup_epochs=self.warmup_epochs)
        fine = self.clip is None or self.clip > 0
        require(fine, f"clip must be above 0, or null, got {self.clip}")

    @property
    def by_step(self) -> bool:
        """Whether the rate changes in every step."""
        return self.schedule == "cosine" or self.warmup_epochs > 0

    def rate(self, step: int, steps: int) -> float:
        """Give the rate of a ``step``, counted from 0, of a cosine over ``steps`` in all."""
        part = (step * self.cycles % steps) / steps
        return self.lr / 2 * (1 + math.cos(math.pi * part))

    def optimiser(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Make the optimiser of ``parameters``."""
        if self.method == "sgd":
            return torch.optim.SGD(
                parameters,
                lr=self.lr,
                momentum=self.momentum,
                weight_decay=self.weight_decay,
                nesterov=self.nesterov,
            )
        return Adam(
            parameters,
            lr=self.lr,
            momentum=self.momentum,
            memory=MEMORY,
            weight_decay=self.weight_decay,
            decoupled=self.method == "adamw",
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
        cycles: The number of cosines by which their learning rate falls, whatever the recipe says;
            None for the schedule of the recipe.
    """

    parameters: list[nn.Parameter]
    optimisation: Optimisation = Optimisation()
    like: str | None = None
    lr_factor: float = 1.0
    decay_factor: float = 1.0
    cycles: int | None = None

    @classmethod
    def of(cls, *modules: nn.Module) -> Player:
        """Make a player of all parameters of ``modules`` that are not frozen, each once."""
        parameters = {id(p): p for module in modules for p in module.parameters()}
        return cls([p for p in parameters.values() if p.requires_grad])

    def with_recipe(self, name: str, given: Mapping[str, Optimisation]) -> Player:
        """Give the player called ``name`` the recipe that is ``given`` for it, if there is one."""
        recipe = self.optimisation
        if name in given:
            recipe = given[name]
        elif self.like is not None and self.like in given:
            recipe = given[self.like]
            rate, decay = recipe.lr * self.lr_factor, recipe.weight_decay * self.decay_factor
            recipe = replace(recipe, lr=rate, weight_decay=decay)
        if self.cycles is not None:
            recipe = replace(recipe, schedule="cosine", cycles=self.cycles)
        return self._replace(optimisation=recipe)

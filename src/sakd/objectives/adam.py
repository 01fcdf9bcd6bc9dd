"""Adam, for players whose gradients have no known scale."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.optim import Optimizer

from sakd.objectives.adaptive_moments import Adam
from sakd.objectives.players import Optimisation


@dataclass(frozen=True)
class AdamOptimisation(Optimisation):
    """Adam with a learning rate that falls at milestones, if there are any.

    Attributes:
        momentum: The decay of the mean of gradients.
        memory: The decay of the mean of their squares.
    """

    lr: float = 1e-4
    weight_decay: float = 0.0
    milestones: tuple[float, ...] = ()
    memory: float = 0.999

    def optimiser(self, parameters: list[nn.Parameter]) -> Optimizer:
        """Make the optimiser of ``parameters``."""
        return Adam(
            parameters,
            lr=self.lr,
            momentum=self.momentum,
            memory=self.memory,
            weight_decay=self.weight_decay,
        )

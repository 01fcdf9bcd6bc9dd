"""Train a network by its labels alone: a teacher, or a student without one."""

from __future__ import annotations

from typing import Self

from torch import nn

from sakd.data import Batch
from sakd.foundation.arithmetic import without_casts
from sakd.objectives.base import StepResult
from sakd.objectives.outputs import Outputs, full_precision
from sakd.objectives.players import Player
from sakd.objectives.problem import Buildable, Problem
from sakd.tasks import CLASSIFICATION, Task


class Supervised(Buildable):
    """Minimise the label loss; the one player is the ``student``."""

    distils = False

    def __init__(self, network: nn.Module, task: Task = CLASSIFICATION) -> None:
        """Train ``network`` by the labels of ``task``."""
        super().__init__()
        self.student = network
        self.task = task

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Train the student of ``problem`` without its teacher."""
        return cls(problem.student, problem.data.task)

    @property
    def network(self) -> nn.Module:
        """The network that is trained."""
        return self.student

    def players(self) -> dict[str, Player]:
        """Name one player: all parameters of the network that are not frozen."""
        return {"student": Player.of(self.student)}

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the label loss of ``batch``; ``teacher`` is ignored."""
        (logits,) = full_precision([self.student(batch.images)])
        with without_casts(batch.images.device):
            loss = self.task.loss(logits, batch)
        return StepResult({"student": loss}, {"cross_entropy": loss.detach()})

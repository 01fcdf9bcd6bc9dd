"""Label smoothing: the control of every way of learning from oneself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch

from sakd.data import Batch
from sakd.foundation.errors import require
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, Player, Settings, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation, System
from sakd.tasks import Task
from sakd.tasks.smoothing import smoothed_loss


@dataclass(frozen=True, kw_only=True)
class SmoothingSettings(Settings):
    """The settings of `LabelSmoothing`.

    Attributes:
        epsilon: The share of the probability that goes to the classes other than the label.
    """

    epsilon: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        fine = 0 <= self.epsilon < 1
        require(fine, f"epsilon must be from 0 to below 1, got {self.epsilon}")


class LabelSmoothing(System[SmoothingSettings]):
    """Cross-entropy with smoothed labels; the control of Tf-KD (arXiv:1909.11723).

    L = -sum_k s_k log p_k with s = 1 - epsilon at the label and epsilon / (K - 1) at each of the
    other classes, as in the code of its authors. (`torch.nn.CrossEntropyLoss` shares epsilon among
    all K classes instead.)
    """

    partner = Partner.NONE
    settings = SmoothingSettings

    def __init__(self, student: StagedNetwork, task: Task, epsilon: float) -> None:
        """Train ``student`` by the labels of ``task``, smoothed by ``epsilon``."""
        super().__init__()
        self.student = student
        self.task = task
        self.epsilon = epsilon

    @classmethod
    def of(cls, situation: Situation, settings: SmoothingSettings) -> Self:
        """Train the student of ``situation``."""
        return cls(situation.student, situation.data.task, settings.epsilon)

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.student

    def players(self) -> dict[str, Player]:
        """Name one player: the student."""
        return {"student": Player.of(self.student)}

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of ``batch`` with smoothed labels; ``teacher`` is ignored."""
        (logits,) = full_precision([self.student(batch.images)])
        with torch.autocast(batch.images.device.type, enabled=False):
            loss = smoothed_loss(logits, batch, self.task, self.epsilon)
        return StepResult({"student": loss}, {"smoothed_cross_entropy": loss.detach()})

"""A network trained alone: the teacher, or the student without one."""

from __future__ import annotations

from torch import nn

from sakd.data import Batch
from sakd.objectives.base import Objective, StepResult, label_loss


class Supervised(Objective):
    """Cross-entropy on the labels, one player: the ``student`` of the labels."""

    def __init__(self, network: nn.Module) -> None:
        """Train ``network``."""
        super().__init__()
        self.student = network

    @property
    def network(self) -> nn.Module:
        """The network that is trained."""
        return self.student

    def players(self) -> dict[str, list[nn.Parameter]]:
        """All parameters of the network."""
        return {"student": list(self.student.parameters())}

    def forward(self, batch: Batch) -> StepResult:
        """Cross-entropy, mean over the batch."""
        loss = label_loss(self.student(batch.images), batch)
        return StepResult({"student": loss}, {"cross_entropy": loss.detach()})
